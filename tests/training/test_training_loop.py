"""The loop end to end: a few steps of a toy network on words that the live stages cut from the demo ink."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

import torch.multiprocessing as mp  # noqa: E402

from models.training import checkpoint, step  # noqa: E402
from models.training.loop import part_maker, train  # noqa: E402
from models.training.material import load_corpora, load_material  # noqa: E402
from models.training.monitor import Monitor  # noqa: E402
from models.training.run import load_run, start_run  # noqa: E402
from models.training.step import learning_rate, train_step  # noqa: E402
from models.training.validate import evaluate_words, greedy_texts  # noqa: E402
from penapp.errors import BadInputError, ModelMismatchError  # noqa: E402
from penapp.scores import ErrorRates  # noqa: E402
from tests.training.toy_ranks import train_and_tell  # noqa: E402
from tests.training.toy_training import demo_shard, toy_config, write_corpus  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def fresh(config):
    return start_run(config)


def everything(run):
    """All that a run carries from step to step."""
    moments = [v for p in run.network.parameters() for _, v in sorted(run.optimiser.state[p].items())]
    return [*run.network.state_dict().values(), *run.smooth.state_dict().values(), *moments]


def test_the_loss_falls_within_thirty_steps(corpus, tmp_path, capsys):
    config = toy_config(corpus, optim={"lr": 0.02}, evaluate_every=10)
    train(fresh(config), tmp_path)
    losses = [line["loss"] for line in metrics(tmp_path)]
    assert len(losses) == 3
    assert losses[2] < losses[1] < losses[0] / 2
    assert "min left" in capsys.readouterr().out


def test_a_run_stopped_in_the_middle_ends_bit_for_bit_like_one_that_was_not(corpus, tmp_path):
    """Weights, smoothed weights and optimiser, with dropout and all augmentation, in the middle of a pool."""
    config = toy_config(corpus, evaluate_every=5)
    whole = train(fresh(config), tmp_path, until=10)
    (tmp_path / "parts").mkdir()
    train(fresh(config), tmp_path / "parts", until=5)
    resumed = load_run(tmp_path / "parts" / "last.safetensors", fresh(config))
    assert resumed.step == 5
    train(resumed, tmp_path / "parts", until=10)
    assert resumed.step == whole.step == 10
    for a, b in zip(everything(resumed), everything(whole), strict=True):
        assert torch.equal(a, b)
    assert resumed.best_cer == whole.best_cer


def test_two_runs_of_one_configuration_are_the_same_and_of_another_seed_are_not(corpus, tmp_path):
    one, again, other = (train(fresh(toy_config(corpus, seed=seed)), tmp_path, until=2) for seed in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(everything(one), everything(again), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(everything(one), everything(other), strict=True))


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_two_processes_train_the_network_that_one_trains(corpus, tmp_path, dropout):
    """Same losses, same weights: a step is the sum of its parts, whoever computes them."""
    config = toy_config(corpus, network={"dropout": dropout}, evaluate_every=1)
    other = mp.get_context("spawn").Process(target=train_and_tell, args=(1, 2, config, 3, tmp_path))
    other.start()
    train_and_tell(0, 2, config, 3, tmp_path)
    other.join()
    assert other.exitcode == 0
    ranks = [torch.from_numpy(np.load(tmp_path / f"rank{k}.npy")) for k in range(2)]
    assert torch.equal(*ranks)
    (tmp_path / "alone").mkdir()
    alone = train(fresh(config), tmp_path / "alone", until=3)
    single = torch.cat([p.detach().reshape(-1) for p in alone.network.parameters()])
    torch.testing.assert_close(ranks[0], single, rtol=0, atol=1e-6)
    together, by_one = ([line["loss"] for line in metrics(f)] for f in (tmp_path, tmp_path / "alone"))
    assert together == pytest.approx(by_one, abs=2e-4)
    assert len(set(by_one)) == 3


def test_processes_that_cannot_share_the_parts_are_told(monkeypatch):
    monkeypatch.setattr(step.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(step.dist, "get_world_size", lambda: 3)
    monkeypatch.setattr(step.dist, "get_rank", lambda: 1)
    assert step.own_parts(6) == [1, 4]
    with pytest.raises(BadInputError, match=r"optim\.parts = 4 cannot be shared by 3 processes"):
        step.own_parts(4)


def test_a_full_disk_at_a_checkpoint_is_named_and_the_last_one_stays(corpus, tmp_path, monkeypatch):
    config = toy_config(corpus, checkpoint_every=1)
    train(fresh(config), tmp_path, until=1)
    kept = (tmp_path / "last.safetensors").read_bytes()

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(BadInputError, match=r"best\.safetensors.*No space left on device.*resume"):
        train(load_run(tmp_path / "last.safetensors", fresh(config)), tmp_path, until=2)
    assert (tmp_path / "last.safetensors").read_bytes() == kept
    monkeypatch.undo()
    resumed = train(load_run(tmp_path / "last.safetensors", fresh(config)), tmp_path, until=2)
    assert resumed.step == 2


def test_metrics_beyond_the_last_checkpoint_are_written_once(corpus, tmp_path):
    """A run killed between two checkpoints tells those steps again after it is resumed."""
    config = toy_config(corpus, checkpoint_every=2, evaluate_every=1)
    train(fresh(config), tmp_path, until=2)
    kept = (tmp_path / "last.safetensors").read_bytes()
    train(load_run(tmp_path / "last.safetensors", fresh(config)), tmp_path, until=3)
    (tmp_path / "last.safetensors").write_bytes(kept)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    train(load_run(tmp_path / "last.safetensors", fresh(config)), tmp_path, until=3)
    assert [line["step"] for line in metrics(tmp_path)] == [1, 2, 3]


def test_a_step_without_a_finite_gradient_changes_no_weight(corpus):
    run = fresh(toy_config(corpus))
    run.step = 1
    parts = part_maker(run, load_material(run.config))(1)
    before = [p.detach().clone() for p in run.network.parameters()]
    parts[1].batch.features[0, 0, 0] = float("nan")
    train_step(run, parts)
    assert all(torch.equal(a, b) for a, b in zip(before, run.network.parameters(), strict=True))


def test_without_smoothing_the_smoothed_network_is_the_network_itself(corpus, tmp_path):
    plain, smoothed = (
        train(fresh(toy_config(corpus, optim={"ema": ema})), tmp_path, until=3) for ema in (0.0, 0.9)
    )
    own, twin = plain.network.state_dict(), plain.smooth.state_dict()
    assert all(torch.equal(own[name], twin[name]) for name in own)
    own, twin = smoothed.network.state_dict(), smoothed.smooth.state_dict()
    assert all(torch.equal(own[name], plain.network.state_dict()[name]) for name in own)
    assert not all(torch.equal(own[name], twin[name]) for name in own)


def test_the_learning_rate_warms_up_and_decays(corpus):
    optim = toy_config(corpus, optim={"steps": 100, "warmup": 0.1, "lr": 1.0}).optim
    rates = [learning_rate(optim, step) for step in range(1, 101)]
    assert rates[:9] == sorted(rates[:9])
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] == pytest.approx(0.01)


def test_validation_does_not_depend_on_how_words_are_batched(corpus):
    run = fresh(toy_config(corpus))
    shard = demo_shard()
    assert greedy_texts(run.smooth, shard, batch=1) == greedy_texts(run.smooth, shard, batch=64)
    assert evaluate_words(run.smooth, shard).words == len(shard)


def test_a_corpus_that_is_not_there_is_named(corpus, tmp_path):
    with pytest.raises(BadInputError, match=r"no shard matches fonts-\*\.npz"):
        load_corpora(toy_config(corpus, data={"train": {"fonts-*.npz": 1.0}}))
    with pytest.raises(BadInputError, match="none"):
        train(fresh(toy_config(corpus, data={"val": "none.npz"})), tmp_path)


def test_another_normalisation_trains_on_other_rows_of_the_same_words(corpus):
    causal, own = (
        load_corpora(toy_config(corpus, data={"normalisation": kind}))[0].shard
        for kind in ("causal", "per-segment")
    )
    assert causal.label.tolist() == own.label.tolist()
    assert causal.fingerprint != own.fingerprint
    assert not np.array_equal(causal.rows, own.rows)


def test_shards_of_other_features_are_refused(tmp_path):
    from dataclasses import replace

    for name in ("train-1.npz", "val.npz"):
        demo_shard("val", 1).save(tmp_path / name)
    replace(demo_shard("val", 1), fingerprint="0123456789abcdef").save(tmp_path / "train-2.npz")
    with pytest.raises(ModelMismatchError, match="0123456789abcdef"):
        load_corpora(toy_config(tmp_path, data={"train": {"train-*.npz": 1.0}}))


def test_the_curves_go_to_tensorboard_when_asked(corpus, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(fresh(toy_config(corpus, tensorboard=True, evaluate_every=1)), tmp_path, until=2)
    curves = EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in curves.Scalars("val_cer")] == [1, 2]
    assert {"loss", "lr", "val_wer"} <= set(curves.Tags()["scalars"])


@pytest.mark.parametrize("kind", ["streaming", "rewi_s"])
def test_another_encoder_trains_by_its_name_and_comes_back(corpus, tmp_path, kind):
    config = toy_config(corpus, encoder=kind, optim={"batch_rows": 600}, evaluate_every=1)
    run = train(fresh(config), tmp_path, until=1)
    again = load_run(tmp_path / "last.safetensors", fresh(config))
    assert type(again.network) is type(run.network)
    assert all(torch.equal(a, b) for a, b in zip(everything(again), everything(run), strict=True))


def test_sizes_of_an_encoder_that_is_not_used_are_told(corpus):
    with pytest.raises(BadInputError, match="section network has sizes of the encoder penapp"):
        fresh(toy_config(corpus, encoder="rewi_s", network={"stem": 20}))


def test_seconds_go_on_after_a_resume(tmp_path):
    """Arms are compared at equal seconds, so a restart must not set the clock back."""
    (tmp_path / "metrics.jsonl").write_text('{"step": 4, "seconds": 100.0}\n{"step": 8, "seconds": 200.0}\n')
    with Monitor(tmp_path, 6, 10) as monitor:
        monitor.step({"loss": 1.0}, 3)
        monitor.report(7, ErrorRates(1.0, 2.0, 3), 0.1)
    assert [line["step"] for line in metrics(tmp_path)] == [4, 7]
    assert metrics(tmp_path)[1]["seconds"] == pytest.approx(150.0, abs=5.0)
