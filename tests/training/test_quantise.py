"""Eight bits: smaller, read by the app like any artefact, refused when they cost accuracy."""

import shutil

import pytest

pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from click.testing import CliRunner

from models.training import quantise as quantising
from models.training.quantise import quantise, quantise_command
from models.training.shards import first_words
from penapp.errors import BadInputError, ModelMismatchError
from penapp.recognise.artefact import SHIPPED, read_manifest
from tests.training.toy_training import demo_shard


def test_the_shipped_network_in_eight_bits_reads_as_well_and_is_smaller(tmp_path):
    made = quantise(SHIPPED, tmp_path / "int8", demo_shard("val", 3))
    assert made.bytes_after < 0.6 * made.bytes_before
    assert made.after.cer <= made.before.cer + quantising.ALLOWED_LOSS
    assert made.before.cer < 40.0
    manifest = read_manifest(tmp_path / "int8")
    assert manifest.precision == "int8"
    assert manifest.fingerprint == read_manifest(SHIPPED).fingerprint
    assert read_manifest(SHIPPED).precision == "float32"


def test_eight_bits_that_read_worse_are_refused_and_what_was_there_stays(toy_model, tmp_path, monkeypatch):
    (tmp_path / "int8").mkdir()
    (tmp_path / "int8" / "model.onnx").write_bytes(b"kept")
    monkeypatch.setattr(quantising, "ALLOWED_LOSS", -1000.0)
    with pytest.raises(ModelMismatchError, match=r"in eight bits .* allowed are -1000\.0 points more"):
        quantise(toy_model, tmp_path / "int8", demo_shard("val", 1))
    assert (tmp_path / "int8" / "model.onnx").read_bytes() == b"kept"


def test_a_golden_shard_without_words_proves_nothing(toy_model, tmp_path):
    with pytest.raises(BadInputError, match="holds no word"):
        quantise(toy_model, tmp_path / "int8", first_words(demo_shard("val", 1), 0))


def test_the_command_says_what_it_cost(tmp_path):
    demo_shard("val", 1).save(tmp_path / "golden.npz")
    arguments = [str(SHIPPED), str(tmp_path / "out"), "--golden", str(tmp_path / "golden.npz")]
    done = CliRunner().invoke(quantise_command, arguments)
    assert done.exit_code == 0, done.output
    assert "greedy CER" in done.output
    assert "MB" in done.output


def test_a_streaming_artefact_is_not_halved(toy_model, tmp_path):
    folder = shutil.copytree(toy_model, tmp_path / "streaming")
    (folder / "step.onnx").write_bytes(b"")
    with pytest.raises(BadInputError, match=r"streaming artefact; its step\.onnx cannot be quantised"):
        quantise(folder, tmp_path / "int8", demo_shard("val", 1))
