"""Checkpoints: whole or refused, and never a pickle."""

import ast
import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

import models.training  # noqa: E402
from models.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from models.training.run import load_run, save_run, start_run  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.toy_training import toy_config  # noqa: E402

STATE = {"step": 3, "best_cer": 50.0, "config": {}}


@pytest.fixture
def checkpoint(tmp_path):
    save_run(start_run(toy_config(tmp_path)), tmp_path / "last.safetensors")
    return tmp_path / "last.safetensors"


def test_tensors_and_state_come_back(tmp_path):
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5)}
    save_checkpoint(tmp_path / "c.safetensors", tensors, STATE)
    found, state = load_checkpoint(tmp_path / "c.safetensors")
    assert state == STATE
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]


@pytest.mark.parametrize(
    "content", [b"", b"x" * 100, b"PK\x03\x04" + bytes(60)], ids=["empty", "text", "zip"]
)
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"bad\.safetensors is not a checkpoint"):
        load_checkpoint(path)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(BadInputError, match=r"gone\.safetensors is not a checkpoint"):
        load_checkpoint(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(checkpoint, share):
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BadInputError, match="is not a checkpoint"):
        load_checkpoint(checkpoint)


def test_a_checkpoint_without_its_state_is_refused(tmp_path):
    save_checkpoint(tmp_path / "c.safetensors", {"a": torch.zeros(1)}, {"step": 3})
    with pytest.raises(BadInputError, match="lacks best_cer, config"):
        load_checkpoint(tmp_path / "c.safetensors")


def test_a_checkpoint_of_another_network_is_refused(checkpoint, tmp_path):
    wider = start_run(toy_config(tmp_path, network={"hidden": 24}))
    with pytest.raises(BadInputError, match=r"no weights of this network .*size mismatch"):
        load_run(checkpoint, wider)


def test_a_failed_write_leaves_the_previous_checkpoint(checkpoint, monkeypatch):
    before = checkpoint.read_bytes()

    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr("models.training.checkpoint.save_file", full)
    with pytest.raises(BadInputError, match="no space"):
        save_checkpoint(checkpoint, {"a": torch.zeros(1)}, STATE)
    assert checkpoint.read_bytes() == before


def test_a_checkpoint_is_safetensors_with_readable_metadata(checkpoint):
    raw = checkpoint.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    state = json.loads(header["__metadata__"]["state"])
    assert state["step"] == 0
    assert state["config"]["name"] == "toy"


def test_nothing_in_the_trainer_or_the_program_reads_or_writes_pickles():
    import penapp

    roots = [Path(module.__file__).parent for module in (models.training, penapp)]
    wrong = [
        f"{path.name}: {ast.unparse(node)}"
        for root in roots
        for path in root.rglob("*.py")
        if path.name != "unpickle.py"  # the restricted reader of published archives; its own tests attack it
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _pickles(node)
    ]
    assert wrong == []


def _pickles(node):
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [getattr(node, "module", None) or "", *(a.name for a in node.names)]
        return any(n.split(".")[0] in {"pickle", "joblib", "dill", "cloudpickle"} for n in names)
    if isinstance(node, ast.Call):
        pickled = any(k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in node.keywords)
        return pickled or ast.unparse(node.func) in {"torch.load", "torch.save"}
    return False
