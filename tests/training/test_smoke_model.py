"""The smoke model: from the ink that ships to an artefact, by one command."""

import subprocess
from fnmatch import fnmatch

import pytest

pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from click.testing import CliRunner

from models.training import smoke
from models.training.config import load_config
from penapp.errors import BadInputError
from penapp.recognise.artefact import read_manifest
from tests.training.toy_training import demo_shard


def test_one_command_goes_from_ink_to_an_artefact(tmp_path):
    """With a corpus that is there already, one process and two steps."""
    corpus = tmp_path / "corpus"
    for name in ("real-1.npz", "real-2.npz", "real-3.npz", "fonts.npz"):
        demo_shard().save(corpus / name)
    demo_shard("val", 1).save(corpus / "val.npz")
    done = CliRunner().invoke(smoke.smoke_command, [str(tmp_path), "--processes", "1", "--steps", "2"])
    assert done.exit_code == 0, done.output
    assert "made in" in done.output
    assert read_manifest(tmp_path / "model").name == "smoke"
    assert list((tmp_path / "run").glob("predictions-*.jsonl"))


def test_every_shard_of_the_recipe_is_made(tmp_path):
    commands = smoke._corpus_commands(tmp_path)
    made = {command[4].rsplit("/", 1)[1] for command in commands}
    wanted = load_config(smoke.RECIPE).data
    assert wanted.val in made
    for pattern in wanted.train:
        assert any(fnmatch(name, pattern) for name in made)


def test_a_step_that_fails_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(smoke.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 3))
    done = CliRunner().invoke(smoke.smoke_command, [str(tmp_path)])
    assert isinstance(done.exception, BadInputError)
    assert "prepare real" in str(done.exception)
