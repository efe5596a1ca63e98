"""Two trainings never write one run folder, and a killed one leaves nothing in the way."""

import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training import __main__ as program  # noqa: E402
from models.training import run_lock  # noqa: E402
from models.training.run_lock import locked  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.test_training_commands import call, corpus, train_arguments  # noqa: E402, F401 - fixtures

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from pathlib import Path
from models.training.run_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_folder_held_by_another_process_is_refused_until_that_is_killed(other, tmp_path):
    with pytest.raises(BadInputError, match="another training is writing"), locked(tmp_path):
        pass
    other.kill()
    other.wait()
    with locked(tmp_path):
        pass


def test_a_lock_ends_with_its_training_also_with_one_that_fails(tmp_path):
    with pytest.raises(ValueError, match="training"), locked(tmp_path):
        raise ValueError("in training")
    with locked(tmp_path), pytest.raises(BadInputError), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_file_system_without_locks_is_told_and_trained_on(tmp_path, monkeypatch, capsys):
    def missing(_file):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(run_lock, "_take", missing)
    with locked(tmp_path):
        assert "cannot be locked (Function not implemented)" in capsys.readouterr().out


def test_a_second_training_is_refused_and_touches_nothing(call, corpus, tmp_path):  # noqa: F811
    folder = tmp_path / "tiny"
    assert call(*train_arguments(corpus, tmp_path))[0] == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with locked(folder):
        for arguments in (train_arguments(corpus, tmp_path, "optim.steps=9"), ["resume", folder]):
            code, out, err = call(*arguments)
            assert (code, out) == (1, "")
            assert err.startswith(f"models.training: another training is writing {folder}.")
            assert err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert call("resume", folder)[0] == 0


def test_a_training_holds_its_folder_while_it_trains(call, corpus, tmp_path, monkeypatch):  # noqa: F811
    seen = []

    def looked_at(*_):
        with pytest.raises(BadInputError, match="another training"), locked(tmp_path / "tiny"):
            pass
        seen.append(sorted(path.name for path in (tmp_path / "tiny").iterdir()))

    monkeypatch.setattr(program, "train", looked_at)
    assert call(*train_arguments(corpus, tmp_path))[0] == 0
    assert seen == [["config.json", run_lock.LOCK_FILE]]


def test_the_first_process_of_a_run_alone_holds_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    with locked(tmp_path), program._own(tmp_path):
        pass
    monkeypatch.setenv("RANK", "0")
    with locked(tmp_path), pytest.raises(BadInputError), program._own(tmp_path):
        pass
