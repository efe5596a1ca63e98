"""LSL counts no samples: gaps are told by the stamps, exactly or not at all."""

import numpy as np
import pytest

from penapp.lsl.arrival import ArrivalClock
from penapp.lsl.stamps import StampIndex


def pushed(stamps, rate_hz=100.0, cuts=()):
    index = StampIndex(rate_hz)
    parts = [index.push(part) for part in np.split(np.asarray(stamps), cuts)]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def gaps(index):
    return [(int(k), int(n)) for k, n in enumerate(np.diff(index, prepend=-1) - 1) if n]


@pytest.mark.parametrize("jitter_s", [0.0, 0.0005, 0.001])
def test_gaps_of_regular_stamps_are_exact(jitter_s):
    taken = np.delete(np.arange(600), [*range(100, 101), *range(300, 337), *range(500, 503)])
    stamps = 5000.0 + taken / 100.0 + np.random.default_rng(1).normal(0.0, jitter_s, len(taken))
    index, t_us = pushed(stamps)
    np.testing.assert_array_equal(index, taken)
    assert np.abs(t_us / 1e6 - taken / 100.0).max() < 0.004


@pytest.mark.parametrize("rate_error", [-0.005, 0.003])
def test_a_rate_a_little_off_is_no_loss(rate_error):
    taken = np.delete(np.arange(3000), range(2000, 2250))
    stamps = taken / 100.0 * (1.0 + rate_error)
    index, t_us = pushed(stamps)
    np.testing.assert_array_equal(index, taken)
    assert abs(t_us[-1] / 1e6 - stamps[-1]) < 0.01


@pytest.mark.parametrize("burst", [2, 4, 8, 20, 50])
def test_samples_stamped_on_arrival_in_bursts_are_not_taken_for_losses(burst):
    rng = np.random.default_rng(burst)
    arrivals = np.arange(1, 1 + 1000 // burst) * burst / 100.0
    stamps = np.repeat(arrivals + rng.exponential(0.005, len(arrivals)), burst)
    index, t_us = pushed(np.maximum.accumulate(stamps))
    assert gaps(index) == []
    assert (np.diff(t_us) > 0).all()


def test_a_long_hole_in_bursts_is_found():
    stamps = np.repeat(np.arange(100) * 0.08, 8)
    stamps[400:] += 1.0
    ((where, lost),) = gaps(pushed(stamps)[0])
    assert where == 400
    assert lost == pytest.approx(100, abs=8)


def test_the_senders_clock_may_be_set():
    stamps = np.arange(400) / 100.0
    stamps[200:] -= 50.0
    index, t_us = pushed(stamps)
    assert gaps(index) == []
    assert (np.diff(t_us) > 0).all()


def test_how_the_stream_was_cut_does_not_matter():
    taken = np.delete(np.arange(400), range(150, 160))
    whole, parts = pushed(taken / 100.0), pushed(taken / 100.0, cuts=(1, 2, 150, 151, 333))
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_pens_clock_lies_under_its_arrivals():
    """30 ms of delay now and then, a crystal 50 ppm off: the map stays within 2 ms of the shortest delay."""
    rng = np.random.default_rng(3)
    clock, errors = ArrivalClock(), []
    for k in range(6000):
        device_s, host_s = 0.08 * k, 100.0 + 0.08 * k * (1.0 + 50e-6)
        delay_s = 0.005 + rng.exponential(0.01)
        errors.append(device_s + clock.push(device_s, host_s + delay_s) - host_s - 0.005)
    assert np.abs(errors[200:]).max() < 0.002
    assert clock.at(1.0) == pytest.approx(1.0 + 100.0 + 0.024 + 0.005, abs=0.002)
