"""A study: one thing changed at a time, every arm an ordinary run."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from click.testing import CliRunner  # noqa: E402

from models.training.assess.systems import load_systems  # noqa: E402
from models.training.export import load_network  # noqa: E402
from models.training.studies import arms as studies  # noqa: E402
from models.training.studies.arms import read_study, study_command  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.toy_training import write_corpus  # noqa: E402

TINY = """
name = "tiny"
seeds = [1, 2]
[run]
evaluate_every = 2
[run.network]
stem = 8
width = 8
hidden = 8
layers = 1
blocks = 0
stride = 4
[run.optim]
steps = 2
batch_rows = 600
[run.data]
corpus = "CORPUS"
train = { "train.npz" = 1.0 }
val_words = 6
[run.auxiliary]
width = 8
[arms.none]
[arms.mse]
auxiliary = { branch = "image", terms = { mse = 1.0 } }
[arms.slow]
optim = { lr = 1e-4 }
"""


def written(folder, text=TINY):
    path = folder / "study.toml"
    path.write_text(text.replace("CORPUS", str(folder)), encoding="utf-8")
    return path


def test_an_arm_changes_what_it_names_and_nothing_else(tmp_path):
    study = read_study(written(tmp_path))
    none, mse, slow = (study.config(arm, 2) for arm in ("none", "mse", "slow"))
    assert (mse.auxiliary.branch, mse.auxiliary.terms, mse.auxiliary.width) == ("image", {"mse": 1.0}, 8)
    assert (mse.network, mse.optim, mse.seed) == (none.network, none.optim, 2)
    assert slow.optim.lr == 1e-4
    assert slow.optim.steps == none.optim.steps == 2
    assert [c.name for c in (none, mse, slow)] == ["none", "mse", "slow"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("auxiliary = { branch", "auxiliary = { brunch"), "unknown configuration key auxiliary.brunch"),
        (('name = "tiny"', ""), "is no study"),
        (("[arms.none]", "extra = 1\n[arms.none]"), "unknown configuration key"),
        (("seeds = [1, 2]", "seeds = []"), "no arms or no seeds"),
    ],
)
def test_what_is_wrong_with_a_study_is_said_before_anything_is_trained(tmp_path, change, said):
    with pytest.raises(BadInputError, match=said):
        read_study(written(tmp_path, TINY.replace(*change)))


@pytest.mark.parametrize("path", sorted(Path(studies.__file__).parent.glob("*.toml")), ids=lambda p: p.stem)
def test_the_studies_that_ship_can_be_read_and_every_arm_is_a_run_of_its_own(path):
    study = read_study(path)
    configs = [study.config(arm, study.seeds[0]) for arm in study.arms]
    assert len({repr(replace(config, name="")) for config in configs}) == len(configs)


def test_a_study_trains_reads_and_compares_every_arm_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "POLL_S", 0.05)
    write_corpus(tmp_path)
    arguments = [str(written(tmp_path)), "--runs", str(tmp_path / "runs"), "--seed", "1"]
    read = ["--read", str(tmp_path / "val.npz")]
    done = CliRunner().invoke(study_command, [*arguments, "--arm", "none", "--arm", "mse", *read])
    assert done.exit_code == 0, done.output
    folders = [tmp_path / "runs" / "tiny" / f"{arm}-1" for arm in ("none", "mse")]
    for folder in folders:
        steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
        assert steps == [2]
    systems = load_systems(folders)
    assert [system.name for system in systems] == ["none", "mse"]
    assert all(len(system.samples) > 6 for system in systems)
    before = (folders[0] / "last.safetensors").read_bytes()
    again = CliRunner().invoke(study_command, [*arguments, "--arm", "none"])
    assert again.exit_code == 0
    assert (folders[0] / "last.safetensors").read_bytes() == before


def test_a_study_may_start_from_the_weights_of_another(tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    write_corpus(tmp_path)
    runs = ["--runs", str(tmp_path), "--arm", "none", "--seed", "1"]
    first = CliRunner().invoke(study_command, [str(written(tmp_path)), *runs])
    assert first.exit_code == 0, first.output
    weights = tmp_path / "tiny" / "none-1" / "best.safetensors"
    text = TINY.replace('name = "tiny"', f'name = "on"\nstart_from = "{weights}"').replace(
        "batch_rows = 600", "batch_rows = 600\nlr = 1e-12\nweight_decay = 0.0\nema = 0.0"
    )
    then = CliRunner().invoke(study_command, [str(written(tmp_path, text)), *runs])
    assert then.exit_code == 0, then.output
    began, ended = (load_network(weights), load_network(tmp_path / "on" / "none-1" / "last.safetensors"))
    for one, other in zip(began.parameters(), ended.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-8, rtol=0.0)


def test_a_run_that_fails_is_named_with_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "POLL_S", 0.05)
    done = CliRunner().invoke(
        study_command,
        [str(written(tmp_path)), "--runs", str(tmp_path / "runs"), "--arm", "none", "--seed", "1"],
    )
    assert isinstance(done.exception, BadInputError)
    assert "1 of 1 runs failed" in str(done.exception)
    assert "no shard matches train.npz" in (tmp_path / "runs" / "tiny" / "none-1" / "log.txt").read_text()


def test_a_study_that_is_stopped_leaves_no_training_behind(tmp_path, monkeypatch):
    """Two trainings must never write one folder: what is under way ends with the study."""
    started = []

    def popen(*arguments, **options):
        started.append(subprocess.Popen(*arguments, **options))
        return started[-1]

    def stop(_seconds):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(studies, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": popen}))
    monkeypatch.setattr(studies.time, "sleep", stop)
    jobs = [studies.Job(arm, 1, tmp_path) for arm in ("one", "two")]
    forever = [[sys.executable, "-c", "import time; time.sleep(60)"]]
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        studies.run_all([forever, forever], jobs, 2)
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)
    assert signal.getsignal(signal.SIGTERM) is before
