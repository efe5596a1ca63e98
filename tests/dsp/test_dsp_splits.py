"""Features do not depend on how the stream was cut, on gaps that can be bridged, or on stages run before."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from penapp.dsp.features import feature_rows, word_features
from penapp.dsp.motion import MotionEstimator
from penapp.dsp.params import DEFAULT_PARAMS, ROW_NAMES, FeatureParams, PenGeometry
from penapp.dsp.resample import MAX_FILL_S, Resampler
from penapp.dsp.store import RowStore
from penapp.dsp.style import writing_style
from penapp.simulation.demo_ink import demo_sentences, sentence_ink
from penapp.simulation.pen import VirtualWriter
from penapp.stream.block import ACC_REAR, CHANNEL_COUNT, SampleBlock

RATES = (50.0, 100.0, 104.0, 200.0, 400.0)


def session(rate_hz, seed=4, words=2):
    return VirtualWriter.draw(seed).write(sentence_ink(demo_sentences()[1])[:words], seed, rate_hz=rate_hz)


def block_of(written, valid=None):
    values = written.values
    if valid is None:
        return SampleBlock(written.t, values)
    return SampleBlock(written.t, np.where(valid, values, np.float32(0.0)), 0, valid)


def split(block, cuts):
    edges = [0, *sorted(set(cuts)), len(block)]
    return [
        SampleBlock(block.t[a:b], block.values[a:b], block.lost if a == 0 else 0, block.valid)
        for a, b in pairwise(edges)
    ]


def run(blocks, rate_hz, params=DEFAULT_PARAMS, stages=None):
    """(t, rows, position) through the live stages."""
    resampler, estimator = stages or (Resampler(rate_hz, params), MotionEstimator(params, PenGeometry()))
    pieces = []
    for block in [*blocks, None]:
        resampled = resampler.finish() if block is None else resampler.push(block)
        pieces += [m for r in resampled for m in estimator.push(r)]
    pieces += estimator.finish()
    t = np.concatenate([m.t for m in pieces])
    return t, np.concatenate([feature_rows(m, params) for m in pieces]), pieces


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("normalisation", ["causal", "per-segment"])
def test_features_do_not_depend_on_how_samples_were_split(rate_hz, normalisation):
    params = FeatureParams(normalisation=normalisation)
    block = block_of(session(rate_hz))
    t, rows, _ = run([block], rate_hz, params)
    whole = word_features(t, rows, writing_style(rows), params).values
    rng = np.random.default_rng(int(rate_hz))
    splits = [rng.integers(1, len(block), rng.integers(1, 60)) for _ in range(6)]
    for cuts in [*splits, range(1, len(block), 7)]:
        part_t, part_rows, _ = run(split(block, [int(c) for c in cuts]), rate_hz, params)
        np.testing.assert_array_equal(t, part_t)
        part = word_features(part_t, part_rows, writing_style(part_rows), params).values
        np.testing.assert_array_equal(whole, part)


def test_single_samples_and_empty_blocks_change_nothing():
    block = block_of(session(200.0, words=1))
    empty = SampleBlock(np.empty(0), np.empty((0, CHANNEL_COUNT), np.float32))
    singles = [b for part in split(block, range(1, len(block))) for b in (empty, part)]
    np.testing.assert_array_equal(run([block], 200.0)[1], run(singles, 200.0)[1])


@pytest.mark.parametrize("rate_hz", RATES)
def test_rows_come_at_their_rate_and_cover_the_session(rate_hz):
    written = session(rate_hz)
    t, rows, _ = run([block_of(written)], rate_hz)
    assert rows.dtype == np.float32
    assert np.all(np.diff(t) > 0.0)
    # jitter-free stamps: rows 10 ms apart on the pen's own clock, up to the last sample
    np.testing.assert_allclose(np.diff(t)[:-3], 0.01, rtol=1e-3)
    assert t[0] == written.t[0]
    assert written.t[-1] - 0.01 - 1.0 / rate_hz < t[-1] <= written.t[-1]


@pytest.mark.parametrize("rate_hz", RATES)
def test_rows_wait_no_longer_than_they_must(rate_hz):
    """Live: after every push the newest row is at most three samples behind."""
    block = block_of(session(rate_hz, words=1))
    resampler, newest = Resampler(rate_hz, DEFAULT_PARAMS), 0.0
    for part in split(block, range(8, len(block), 8)):
        for rows in resampler.push(part):
            newest = rows.t[-1]
        assert part.t[-1] - newest <= 3.0 / rate_hz + 0.01


def test_stages_forget_on_reset():
    block = block_of(session(100.0, words=1))
    fresh = run([block], 100.0)[1]
    stages = Resampler(100.0, DEFAULT_PARAMS), MotionEstimator(DEFAULT_PARAMS, PenGeometry())
    run([block_of(session(100.0, seed=9))], 100.0, stages=stages)
    for stage in stages:
        stage.reset()
    np.testing.assert_array_equal(fresh, run([block], 100.0, stages=stages)[1])


# Gaps.


def without(block, a, b):
    """The same stream with samples a..b lost on the way."""
    later = SampleBlock(block.t[b:], block.values[b:], b - a, block.valid)
    return [SampleBlock(block.t[:a], block.values[:a], 0, block.valid), later]


@pytest.mark.parametrize("rate_hz", RATES)
def test_short_gaps_are_bridged_and_time_stays_true(rate_hz):
    block = block_of(session(rate_hz))
    lost = max(2, round(0.04 * rate_hz))
    a = len(block) // 4
    whole_t, whole, _ = run([block], rate_hz)
    t, rows, _ = run(without(block, a, a + lost), rate_hz)
    np.testing.assert_allclose(t, whole_t, atol=1e-9)
    before = whole_t < block.t[a] - 3.0 / rate_hz
    np.testing.assert_array_equal(rows[before], whole[before])
    # positions forget the bridged stretch: the integrators are high-passed
    after = whole_t > block.t[a + lost] + 2.0
    assert np.abs(rows[after] - whole[after]).max() < 0.05 * np.abs(whole).max() + 0.1


def test_bridges_do_not_depend_on_the_split_either():
    block = block_of(session(200.0))
    a = len(block) // 3
    parts = without(block, a, a + 9)
    finer = [q for p in parts for q in split(p, range(5, len(p), 11))]
    np.testing.assert_array_equal(run(parts, 200.0)[1], run(finer, 200.0)[1])


def test_a_bridge_is_a_straight_line():
    values = np.zeros((20, CHANNEL_COUNT), np.float32)
    values[:, 12] = np.arange(20)
    block = SampleBlock(np.arange(20) / 100.0, values)
    resampler = Resampler(100.0, DEFAULT_PARAMS)
    rows = [r for b in without(block, 8, 12) for r in resampler.push(b)] + resampler.finish()
    np.testing.assert_allclose(np.concatenate([r.values[:, 12] for r in rows]), np.arange(20), atol=1e-5)


def test_long_gaps_are_not_invented():
    block = block_of(session(100.0))
    lost = int(MAX_FILL_S * 100) + 1
    t, _, _ = run(without(block, 100, 100 + lost), 100.0)
    assert len(t) <= len(block) - lost + 1


# A pen without a rear accelerometer.


def rear_missing():
    valid = np.ones(CHANNEL_COUNT, dtype=np.bool_)
    valid[ACC_REAR] = False
    return valid


def front_alone_and_copied(rate_hz):
    """Rows of a pen that lacks the rear accelerometer, and of one whose two sites feel the same.

    The gyroscope tells of no turning: that alone makes the sites differ.
    """
    written = session(rate_hz)
    written = replace(written, values=np.where(np.isin(np.arange(13), (6, 7, 8)), 0, written.values))
    copied = written.values.copy()
    copied[:, 3:6] = copied[:, 0:3]
    got = run([block_of(written, rear_missing())], rate_hz)[1]
    return got, run([SampleBlock(written.t, copied)], rate_hz)[1]


@pytest.mark.parametrize("rate_hz", RATES)
def test_without_a_rear_accelerometer_the_front_one_serves(rate_hz):
    got, expected = front_alone_and_copied(rate_hz)
    np.testing.assert_allclose(got[:-4], expected[:-4], atol=1e-4)


def test_a_missing_accelerometer_stays_missing_to_the_last_row():
    got, expected = front_alone_and_copied(100.0)
    np.testing.assert_allclose(got[-4:], expected[-4:], atol=1e-4)


@pytest.mark.parametrize("rate_hz", RATES)
def test_features_of_one_accelerometer_do_not_depend_on_the_split_either(rate_hz):
    block = block_of(session(rate_hz), rear_missing())
    np.testing.assert_array_equal(
        run([block], rate_hz)[1], run(split(block, range(1, len(block), 7)), rate_hz)[1]
    )


# Parameters.


def test_any_parameter_changes_the_fingerprint():
    changed = {
        "version": 1, "rate_hz": 50.0, "lowpass_hz": 30.0, "highpass_hz": 0.5, "heading_s": 1.0,
        "zero_rise_n_s": 0.01, "contact_n": 0.2, "normalisation": "per-segment",
        "scales": (1.5, 0.03, 0.0025, 0.6),
    }  # fmt: skip
    assert set(changed) == set(FeatureParams.__dataclass_fields__)
    prints = {replace(DEFAULT_PARAMS, **{k: v}).fingerprint() for k, v in changed.items()}
    assert len(prints | {DEFAULT_PARAMS.fingerprint()}) == len(changed) + 1


def test_equal_parameters_have_equal_fingerprints():
    assert FeatureParams().fingerprint() == DEFAULT_PARAMS.fingerprint()
    assert len(DEFAULT_PARAMS.fingerprint()) == 16


def test_features_carry_the_fingerprint():
    params = FeatureParams(contact_n=0.3)
    nothing = np.empty((0, len(ROW_NAMES)), np.float32)
    word = word_features(np.empty(0), nothing, writing_style(nothing), params)
    assert word.fingerprint == params.fingerprint()
    assert word.values.shape == (0, params.size)


# Cutting words out.


def test_a_word_is_cut_with_its_padding_and_never_beyond_the_decision():
    block = block_of(session(100.0))
    _, _, pieces = run(split(block, range(50, len(block), 50)), 100.0)
    store = RowStore(DEFAULT_PARAMS)
    for motion in pieces:
        store.push(motion)
    word = store.cut(2.0, 2.5)
    assert word.t[0] == pytest.approx(2.0 - 0.12, abs=0.0101)
    assert word.t[-1] == pytest.approx(2.5 + 0.12, abs=0.0101)
    assert store.cut(2.0, 2.5, until_t=2.4).t[-1] <= 2.4
    assert len(store.cut(900.0, 901.0).t) == 0


def test_old_rows_are_forgotten():
    block = block_of(session(100.0))
    _, _, pieces = run(split(block, range(10, len(block), 10)), 100.0)
    store = RowStore(DEFAULT_PARAMS, keep_s=1.0)
    for motion in pieces:
        store.push(motion)
    last = pieces[-1].t[-1]
    kept = store.cut(0.0, last)
    assert kept.t[0] >= last - 1.2
    assert kept.t[-1] == last
