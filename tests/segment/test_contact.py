"""Contact: thresholds, minimum times, soft dips, and a force zero that leaks and drifts."""

from __future__ import annotations

import numpy as np
import pytest

from penapp.dsp.motion import MotionBlock
from penapp.segment.contact import ContactDetector
from penapp.segment.params import ContactParams

ROW_S = 0.01


def block(force_n: np.ndarray, start_t: float = 0.0) -> MotionBlock:
    n = len(force_n)
    still = np.zeros((n, 3))
    return MotionBlock(start_t + ROW_S * np.arange(n), still, still, still, still, np.asarray(force_n, float))


def profile(*spans: tuple[float, float], until_s: float, force_n: float = 1.5) -> np.ndarray:
    t = ROW_S * np.arange(round(until_s / ROW_S))
    force = np.zeros(len(t))
    for start, end in spans:
        force[(t >= start - 1e-9) & (t < end - 1e-9)] = force_n
    return force


def strokes_of(force_n: np.ndarray) -> list[tuple[float, float]]:
    detector = ContactDetector()
    found = detector.push(block(force_n)) + detector.finish()
    return [(round(s.start_t, 3), round(s.end_t, 3)) for s in found]


def test_a_stroke_runs_from_touchdown_to_lift_off():
    assert strokes_of(profile((0.5, 0.8), (1.0, 1.5), until_s=2.0)) == [(0.5, 0.79), (1.0, 1.49)]


@pytest.mark.parametrize("force_n", [0.3, 1.0, 4.0])
def test_light_and_heavy_writers_are_seen_alike(force_n):
    pairs = [(0.4 * k, 0.4 * k + 0.25) for k in range(1, 8)]
    assert len(strokes_of(profile(*pairs, until_s=4.0, force_n=force_n))) == 7


@pytest.mark.parametrize("dip_s", [0.02, 0.03, 0.04, 0.05])
def test_soft_dips_do_not_split_a_stroke(dip_s):
    force = profile((0.5, 0.8), (0.8 + dip_s, 1.2), until_s=2.0)
    assert strokes_of(force) == [(0.5, 1.19)]


def test_a_real_lift_splits_the_stroke():
    assert len(strokes_of(profile((0.5, 0.8), (0.88, 1.2), until_s=2.0))) == 2


def test_a_single_row_of_force_is_noise_and_a_dot_is_not():
    assert strokes_of(profile((0.5, 0.51), until_s=1.0)) == []
    assert len(strokes_of(profile((0.5, 0.54), until_s=1.0))) == 1


def test_between_the_thresholds_nothing_changes():
    params = ContactParams()
    between = (max(params.on_n, params.on_share * 1.5) + max(params.off_n, params.off_share * 1.5)) / 2
    held = profile((0.5, 0.7), until_s=1.5)
    held[70:85] = between
    assert strokes_of(held) == [(0.5, 0.84)]
    hovering = profile(until_s=1.5)
    hovering[70:100] = between
    assert strokes_of(hovering) == []


@pytest.mark.parametrize("leak_n", [0.02, 0.06, 0.12])
def test_slow_leakage_and_drift_are_not_contact(leak_n):
    rng = np.random.default_rng(3)
    n = 3000
    rise = leak_n * np.minimum(np.arange(n) / 1000.0, 1.0)
    swing = 0.02 * np.sin(2 * np.pi * np.arange(n) / 800.0)
    assert strokes_of(rise + swing + rng.normal(0.0, 0.01, n)) == []


def test_strokes_on_top_of_leakage_keep_their_times():
    force = profile((12.0, 12.3), (12.5, 12.9), until_s=14.0)
    force += 0.12 * np.minimum(np.arange(len(force)) / 1000.0, 1.0)
    assert strokes_of(force) == [(12.0, 12.29), (12.5, 12.89)]


def test_a_zero_that_jumps_does_not_hold_the_pen_down():
    force = profile((0.5, 0.8), (2.0, 2.3), (2.5, 2.9), until_s=4.0, force_n=2.0)
    force[80:] += 0.2
    found = strokes_of(force)
    assert found[0][0] == 0.5
    assert found[0][1] < 1.0
    assert found[1:] == [(2.0, 2.29), (2.5, 2.89)]


def test_a_light_hand_that_wobbles_stays_down():
    rng = np.random.default_rng(5)
    force = profile((0.5, 3.5), until_s=4.5, force_n=0.35)
    force[50:350] += 0.06 * np.sin(np.arange(300) / 6.0) + rng.normal(0.0, 0.01, 300)
    assert len(strokes_of(force)) == 1


def test_how_the_stream_was_cut_does_not_matter():
    rng = np.random.default_rng(0)
    force = np.maximum(np.convolve(rng.normal(0.0, 1.0, 4000), np.ones(20) / 6, "same"), 0.0)
    whole = strokes_of(force)
    detector, parts = ContactDetector(), []
    cuts = np.sort(rng.integers(1, len(force), 200))
    for a, b in zip([0, *cuts], [*cuts, len(force)], strict=True):
        parts += detector.push(block(force[a:b], a * ROW_S))
    parts += detector.finish()
    assert len(whole) > 20
    assert [(round(s.start_t, 3), round(s.end_t, 3)) for s in parts] == whole


def test_reset_forgets_and_finish_ends_the_open_stroke():
    detector = ContactDetector()
    detector.push(block(profile((0.5, 1.0), until_s=0.9)))
    assert detector.down
    assert [round(s.end_t, 2) for s in detector.finish()] == [0.89]
    assert not detector.down
    detector.push(block(profile((0.5, 1.0), until_s=0.9)))
    detector.reset()
    assert not detector.down
    assert detector.finish() == []
