"""Variations of raw recordings: REWI's four in their order, joined recordings, then standardised."""

from dataclasses import replace

import numpy as np
import pytest

from models.training.distortions import (
    drift_curves,
    proportional_noise,
    unevenly_paced,
    with_dropped_runs,
)
from models.training.raw_augment import (
    JOINED,
    REWI,
    RawAugmentConfig,
    RawWord,
    joined_with,
    presented,
    standardised,
    varied,
)
from penapp.stream.block import ACC_REAR, MAG

ALWAYS = RawAugmentConfig(chance=1.0)
STRENGTHS = ("noise", "drift", "drop", "speed_changes")


def values_of(n, seed=0):
    return (100.0 + 30.0 * np.random.default_rng(seed).standard_normal((n, 13))).astype(np.float32)


def rng(seed=1):
    return np.random.default_rng(seed)


def test_as_it_stands_nothing_is_varied():
    values = values_of(50)
    got = varied(values, RawAugmentConfig(), rng())
    np.testing.assert_array_equal(got, values)
    assert got is not values


def test_the_published_strengths():
    assert (REWI.chance, REWI.noise, REWI.drift, REWI.drift_points) == (0.25, 0.05, 0.1, 40)
    assert (REWI.drop, REWI.speed_changes, REWI.speed_ratio) == (0.05, 5, 4.0)
    assert REWI.extra == 0
    assert replace(JOINED, extra=0) == REWI
    assert JOINED.extra == 3


def test_the_four_variations_come_in_rewis_order():
    """Noise, drift, dropped runs, pace: the same one after the other by hand."""
    values, by_hand = values_of(182), rng(4)
    expected = values
    by_hand.random()
    expected = proportional_noise(expected, 0.05, by_hand)
    by_hand.random()
    expected = expected * (1.0 + drift_curves((182, 13), 40, 0.1, by_hand))
    by_hand.random()
    expected = with_dropped_runs(expected, 0.05, by_hand)
    by_hand.random()
    expected = unevenly_paced(expected, 5, 4.0, by_hand)
    np.testing.assert_array_equal(varied(values, ALWAYS, rng(4)), expected)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_each_variation_can_be_switched_apart(strength):
    values = values_of(100)
    others = {name: 0 for name in STRENGTHS if name != strength}
    assert not np.array_equal(varied(values, replace(ALWAYS, **others), rng()), values)
    np.testing.assert_array_equal(varied(values, replace(ALWAYS, **others, **{strength: 0}), rng()), values)


def test_each_variation_comes_as_often_as_its_chance_says():
    values = values_of(40)
    only_noise = replace(REWI, drift=0.0, drop=0.0, speed_changes=0)
    changed = [not np.array_equal(varied(values, only_noise, rng(seed)), values) for seed in range(2000)]
    assert np.mean(changed) == pytest.approx(0.25, abs=0.03)


def test_a_missing_sensor_is_silent_as_a_whole_and_the_recording_itself_is_not_touched():
    values = values_of(30)
    silent = set()
    for seed in range(20):
        got = varied(values, RawAugmentConfig(missing=1.0), rng(seed))
        silent.add(tuple(np.flatnonzero(~got.any(axis=0))))
        kept = got.any(axis=0)
        np.testing.assert_array_equal(got[:, kept], values[:, kept])
    assert silent == {(3, 4, 5), (9, 10, 11)}
    assert values[:, ACC_REAR].any()
    assert values[:, MAG].any()


def test_each_channel_is_standardised_over_its_own_samples():
    values = values_of(9)
    values[:, 4] = 7.0
    got = standardised(values)
    for channel in range(13):
        column = [float(v) for v in values[:, channel]]
        mean = sum(column) / len(column)
        spread = (sum((v - mean) ** 2 for v in column) / len(column)) ** 0.5
        expected = [(v - mean) / spread if spread else 0.0 for v in column]
        np.testing.assert_allclose(got[:, channel], expected, atol=1e-5)
    assert got.dtype == np.float32


@pytest.mark.parametrize("level", [0.0, 7.0, -16384.1, 1e-3])
def test_a_channel_that_never_changes_becomes_zero(level):
    values = values_of(20)
    values[:, 5] = level
    got = standardised(values)
    assert not got[:, 5].any()
    assert got[:, :5].any(axis=0).all()
    assert not standardised(values[:1]).any()


@pytest.mark.parametrize("level", [16384.1, -9.81, 1e-3])
def test_a_channel_that_wobbles_by_rounding_alone_becomes_zero(level):
    """One or two steps of float32 about its value, as scaling and interpolation leave them."""
    values = values_of(60)
    still = np.full(60, level, dtype=np.float32)
    values[:, 5] = still
    values[::2, 5] = np.nextafter(still, np.float32(np.inf))[::2]
    values[::5, 5] = np.nextafter(np.nextafter(still, np.float32(-np.inf)), np.float32(-np.inf))[::5]
    assert len(np.unique(values[:, 5])) == 3
    assert not standardised(values)[:, 5].any()
    paced = unevenly_paced(np.full((60, 13), level, dtype=np.float32), 5, 4.0, rng())
    assert not standardised(paced).any()


def test_a_channel_that_moves_a_little_about_a_large_value_is_no_still_one():
    """One count of a 16-bit sensor, in every other sample."""
    values = np.full((60, 13), 32000.0, dtype=np.float32)
    values[::2, 5] += 1.0
    got = standardised(values)
    np.testing.assert_allclose(got[:, 5], np.tile([1.0, -1.0], 30), rtol=1e-4)
    assert not np.delete(got, 5, axis=1).any()


def word(label, n, level):
    return RawWord(np.full((n, 13), level, dtype=np.float32), label)


def test_joined_recordings_lie_in_the_order_of_their_letters():
    own, mates = word("own", 5, 1.0), [word("ab", 3, 2.0), word("c", 4, 3.0)]
    levels = {"own": [1.0] * 5, "ab": [2.0] * 3, "c": [3.0] * 4}
    orders = set()
    for seed in range(60):
        got = joined_with(own, mates, 2, rng(seed))
        rest, told = got.label, []
        while rest:
            piece = next(label for label in levels if rest.startswith(label))
            told += levels[piece]
            rest = rest[len(piece) :]
        assert got.values[:, 0].tolist() == told
        orders.add(got.label)
    assert {"ownabc", "abownc", "cabown", "ababown"} <= orders


def test_without_mates_or_extras_the_word_stays_alone():
    own = word("own", 5, 1.0)
    assert joined_with(own, [], 3, rng()) is own
    assert joined_with(own, [word("ab", 3, 2.0)], 0, rng()) is own


def test_a_presentation_is_joined_varied_and_then_standardised():
    own = RawWord(values_of(60, 1), "one")
    mates = [RawWord(values_of(40, 2), "two")]
    config = replace(ALWAYS, extra=3)
    got = presented(own, mates, config, rng(5))
    assert len(got.values) == 60 + 3 * 40
    assert sorted(got.label) == sorted("one" + 3 * "two")
    np.testing.assert_allclose(got.values.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(got.values.std(axis=0), 1.0, rtol=1e-4)
    np.testing.assert_array_equal(got.values, presented(own, mates, config, rng(5)).values)
