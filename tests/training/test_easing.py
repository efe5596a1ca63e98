"""The first steps made easy: evenly spread letters, no variation, no dropout."""

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.archives.raw_set import RawSet  # noqa: E402
from models.training.batches import Corpus, Sampler  # noqa: E402
from models.training.config import OptimConfig  # noqa: E402
from models.training.easing import Dropouts, flat_share, strength  # noqa: E402
from models.training.encoders.masked import WordDropout  # noqa: E402
from models.training.encoders.settings import KINDS  # noqa: E402
from models.training.loop import part_maker, train  # noqa: E402
from models.training.material import load_material  # noqa: E402
from models.training.objectives.flat_start import even_segments  # noqa: E402
from models.training.presenting import FeaturePresenter, RawPresenter  # noqa: E402
from models.training.raw_augment import REWI  # noqa: E402
from models.training.run import load_run, start_run  # noqa: E402
from models.training.step import train_step  # noqa: E402
from penapp.decode.alphabet import PENAPP_ALPHABET  # noqa: E402
from tests.training.toy_encoders import toy_encoder  # noqa: E402
from tests.training.toy_training import demo_shard, toy_config, write_corpus  # noqa: E402


def sure_of(letters, classes=4):
    """Log-probabilities (1, T, V) that give each frame's letter 0.7."""
    rows = torch.full((len(letters), classes), 0.1)
    rows[torch.arange(len(letters)), torch.tensor(letters)] = 0.7
    return rows.log()


def test_letters_are_spread_evenly_over_each_words_own_frames():
    rubbish = torch.full((2, 4), math.nan)
    batch = torch.stack([torch.cat([sure_of([1, 1, 2, 2]), rubbish]), sure_of([3, 3, 1, 1, 2, 2])])
    found = even_segments(batch, torch.tensor([4, 6]), torch.tensor([1, 2, 3, 1, 2]), torch.tensor([2, 3]))
    assert float(found.total) == pytest.approx(-2 * math.log(0.7), rel=1e-5)
    assert found.count == 2


def test_a_letter_in_the_wrong_place_costs_its_frames():
    found = even_segments(
        sure_of([1, 2, 2, 2])[None], torch.tensor([4]), torch.tensor([1, 2]), torch.tensor([2])
    )
    assert float(found.total) == pytest.approx(-(3 * math.log(0.7) + math.log(0.1)) / 4, rel=1e-5)


def test_a_word_without_letters_or_frames_costs_nothing():
    found = even_segments(
        torch.stack([sure_of([1, 1])] * 2), torch.tensor([2, 0]), torch.tensor([1]), torch.tensor([0, 1])
    )
    assert float(found.total) == 0.0


def test_variation_comes_in_during_the_second_half():
    config = OptimConfig(ease_in=100, flat_start=50)
    assert [strength(config, step) for step in (0, 50, 75, 100, 500)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert [flat_share(config, step) for step in (0, 25, 50, 99)] == [1.0, 0.5, 0.0, 0.0]
    assert (strength(OptimConfig(), 0), flat_share(OptimConfig(), 0)) == (1.0, 0.0)


def test_words_are_shown_as_they_were_written_until_half_of_it(tmp_path):
    config = toy_config(tmp_path, optim={"ease_in": 32}, augment={"noise": 0.5, "stretch": 0.5, "mask": 0.9})
    shard = demo_shard()
    presenter = FeaturePresenter(config.augment)
    drawn = Sampler([Corpus(shard, 1.0)], config, PENAPP_ALPHABET, presenter, lambda rows: -(-rows // 4))

    def changed(step):
        batch = drawn.batch(step)
        lengths, pairs = batch.lengths.tolist(), zip(batch.features, batch.sources, strict=True)
        return [
            n != len(shard.word(source.word)) or not np.array_equal(rows[:n].numpy(), shard.word(source.word))
            for n, (rows, source) in zip(lengths, pairs, strict=True)
        ]

    assert not any(changed(1))
    assert not any(changed(16))
    assert all(changed(41))


def test_raw_recordings_are_eased_in_too():
    raw = RawPresenter(replace(REWI, chance=1.0, extra=2, missing=1.0))
    words = RawSet(
        np.random.default_rng(1).normal(size=(60, 13)).astype(np.float32),
        *(np.array(x) for x in ([0, 30, 60], ["a", "b"], ["w", "w"], [0, 0])),
    )
    eased, plain = raw.eased(0.0).show(words, 0, [0, 1], np.random.default_rng(1)), raw.plain(words, 0)
    assert eased.label == "a"
    assert np.array_equal(eased.rows, plain)
    assert len(raw.show(words, 0, [0, 1], np.random.default_rng(1)).label) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_encoders_dropout_is_switched_off_and_comes_back(kind):
    network = toy_encoder(kind).train()
    rates = [part.p for part in network.modules() if isinstance(part, torch.nn.Dropout | WordDropout)]
    assert any(rates)
    features, lengths = torch.randn(2, 80, network.features), torch.tensor([80, 64])
    dropouts = Dropouts(network)
    dropouts.scale(0.0)
    with torch.no_grad():
        first, second = (network(features, lengths) for _ in range(2))
        assert torch.equal(first, second)
        dropouts.scale(1.0)
        first, second = (network(features, lengths) for _ in range(2))
    assert not torch.equal(first, second)
    kept = [part.p for part in network.modules() if isinstance(part, torch.nn.Dropout | WordDropout)]
    assert kept == rates


def test_a_flat_start_teaches_where_the_letters_are(tmp_path):
    corpus = write_corpus(tmp_path)
    cost = {}
    for flat in (0, 200):
        config = toy_config(corpus, optim={"steps": 60, "flat_start": flat})
        run = start_run(config)
        parts = part_maker(run, load_material(config))
        for run.step in range(1, 41):
            train_step(run, parts(run.step))
        batch = parts(40)[0].batch
        with torch.no_grad():
            read = run.network.eval()(batch.features, batch.lengths)
        frames = run.network.output_length(batch.lengths)
        cost[flat] = float(even_segments(read, frames, batch.targets, batch.target_lengths).mean())
    assert cost[200] < 0.8 * cost[0]


def test_a_run_that_is_eased_in_resumes_as_it_was(tmp_path):
    corpus = write_corpus(tmp_path)
    config = toy_config(corpus, optim={"steps": 12, "flat_start": 8, "ease_in": 12}, network={"dropout": 0.3})
    for name in ("whole", "half"):
        (tmp_path / name).mkdir()
    whole = train(start_run(config), tmp_path / "whole")
    train(start_run(config), tmp_path / "half", until=7)
    again = train(load_run(tmp_path / "half" / "last.safetensors", start_run(config)), tmp_path / "half")
    for one, other in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)
