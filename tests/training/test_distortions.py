"""Faults of a signal: how strong they are, what they leave alone, and that one draw gives one result."""

import numpy as np
import pytest

from models.training.distortions import (
    drift_curves,
    proportional_noise,
    unevenly_paced,
    with_dropped_runs,
)


def signal_of(n, channels=13, seed=0):
    return (3.0 + np.random.default_rng(seed).standard_normal((n, channels))).astype(np.float32)


def rng(seed=1):
    return np.random.default_rng(seed)


ALL = {
    "noise": lambda x, r: proportional_noise(x, 0.05, r),
    "drift": lambda x, r: x * (1.0 + drift_curves(x.shape, 40, 0.1, r)),
    "runs": lambda x, r: with_dropped_runs(x, 0.05, r),
    "pace": lambda x, r: unevenly_paced(x, 5, 4.0, r),
}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("n", [1, 2, 3, 9, 182])
def test_every_fault_keeps_shape_and_kind_and_leaves_its_input_alone(kind, n):
    signal = signal_of(n)
    before = signal.copy()
    for seed in range(10):
        got = ALL[kind](signal, rng(seed))
        assert got.shape == signal.shape
        assert got.dtype == np.float32
        assert np.isfinite(got).all()
    np.testing.assert_array_equal(signal, before)


@pytest.mark.parametrize("kind", ALL)
def test_one_draw_gives_one_result_and_another_another(kind):
    signal = signal_of(200)
    one, again, other = (ALL[kind](signal, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_noise_grows_with_the_value_and_spares_zeros():
    signal = np.tile(np.float32([0.0, 1.0, -100.0]), (20_000, 1))
    change = proportional_noise(signal, 0.05, rng()) - signal
    np.testing.assert_allclose(change.std(axis=0), [0.0, 0.05, 5.0], rtol=0.03)


def test_drift_begins_at_nothing_ends_at_its_largest_and_is_smooth():
    curves = drift_curves((400, 6), 40, 0.1, rng())
    assert not curves[0].any()
    np.testing.assert_allclose(np.abs(curves).max(axis=0), 0.1, rtol=1e-5)
    assert np.abs(np.diff(curves, axis=0)).max() < 0.02
    assert np.abs(np.corrcoef(curves.T)[np.triu_indices(6, 1)]).min() < 0.9


def test_more_points_make_a_livelier_drift():
    slow, lively = (np.abs(np.diff(drift_curves((400, 50), k, 0.1, rng()), axis=0)).sum() for k in (3, 40))
    assert lively > 2.0 * slow


def test_dropped_values_repeat_the_one_before_them_in_runs_of_five_to_nine():
    n = 4000
    signal = np.tile(np.arange(n, dtype=np.float32)[:, None], (1, 8))
    got = with_dropped_runs(signal, 0.05, rng())
    lost = got != signal
    assert not lost[0].any()
    for channel in range(8):
        for t in np.flatnonzero(lost[:, channel]):
            assert got[t, channel] == got[t - 1, channel]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost[:, 0].astype(int), [0]])))
    runs = edges[1::2] - edges[::2]
    assert runs.min() >= 5
    assert np.median(runs) <= 9
    assert 0.035 < lost.mean() < 0.055


def test_channels_lose_different_samples():
    signal = np.tile(np.arange(500, dtype=np.float32)[:, None], (1, 4))
    lost = with_dropped_runs(signal, 0.05, rng()) != signal
    assert len({tuple(column) for column in lost.T}) == 4


def test_uneven_pace_keeps_both_ends_and_the_order_of_things():
    n = 600
    clock = np.arange(n, dtype=np.float32)[:, None]
    for seed in range(20):
        got = unevenly_paced(clock, 5, 4.0, rng(seed))[:, 0]
        assert got[0] == 0.0
        assert got[-1] == pytest.approx(n - 1)
        speed = np.diff(got)
        assert speed.min() > 0.0
        assert speed.max() / speed.min() < 4.1


def test_pace_that_may_not_change_leaves_the_signal_as_it_is():
    signal = signal_of(100)
    np.testing.assert_allclose(unevenly_paced(signal, 5, 1.0, rng()), signal, atol=1e-4)


def test_the_pace_changes_as_often_as_it_was_told():
    clock = np.arange(601, dtype=np.float32)[:, None]
    speed = np.diff(unevenly_paced(clock, 5, 4.0, rng())[:, 0])
    assert np.count_nonzero(np.abs(np.diff(speed)) > 0.02) == 5
