"""How fast a hand moves along a path: slower where it bends and where a stroke begins or ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 200.0
"""Sampling rate of the ink that fonts write."""
GAP_S = 0.1
"""Time between two strokes on the word's clock; it means nothing (`pen_up_known` is False)."""
STRAIGHT_PER_MM = 0.08
"""Curvature below which a line counts as straight (bounds the speed)."""
SMOOTH_S = 0.006
"""Width (one sigma) of the muscles' low pass."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SpeedLaw:
    """v = gain * (curvature + STRAIGHT_PER_MM) ** -exponent, within an acceleration at the ends of a stroke.

    gain_mm_s:   speed at a curvature of 1 / mm
    exponent:    1/3 is the two-thirds power law of human movement
    landing_mm_s, leaving_mm_s: speed at the first and the last point of a stroke
    accel_mm_s2: acceleration at stroke ends
    shortest_s:  least duration of a stroke (a dot)
    """

    gain_mm_s: float = 30.0
    exponent: float = 0.33
    landing_mm_s: float = 12.0
    leaving_mm_s: float = 30.0
    accel_mm_s2: float = 700.0
    shortest_s: float = 0.05


def in_motion(
    path: Points, lengths: NDArray[np.intp], law: SpeedLaw
) -> tuple[list[Points], list[NDArray[np.float64]]]:
    """Strokes sampled at RATE_HZ, and their times, from evenly spaced path points.

    path:    (sum(lengths), 2) mm, the strokes one after the other
    lengths: points per stroke, each at least 2
    """
    ends = np.cumsum(lengths)
    starts = ends - lengths
    step = np.hypot(*np.diff(path, axis=0).T)
    inner = np.ones(len(step), bool)
    inner[ends[:-1] - 1] = False
    step = np.where(inner, np.maximum(step, 1e-4), 0.0)
    speed = np.maximum(_speed(path, step, inner, (starts, ends), law), 1e-6)
    seconds = np.where(inner, step / speed, 1.0)
    return _sampled(path, seconds, (starts, ends), law.shortest_s)


def _speed(
    path: Points,
    step: NDArray[np.float64],
    inner: NDArray[np.bool_],
    bounds: tuple[NDArray[np.intp], NDArray[np.intp]],
    law: SpeedLaw,
) -> NDArray[np.float64]:
    """mm/s on every path segment; segments between strokes (not `inner`) hold rubbish."""
    starts, ends = bounds
    heading = np.arctan2(*np.diff(path, axis=0).T[::-1])
    turn = np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi)
    turn[~(inner[1:] & inner[:-1])] = 0.0
    bend = np.zeros(len(step))
    bend[:-1] += turn / 2
    bend[1:] += turn / 2
    curvature = _blurred(bend) / np.maximum(_blurred(step), 1e-3)
    along = np.concatenate([[0.0], np.cumsum(step)])
    middle = (along[:-1] + along[1:]) / 2
    stroke = np.searchsorted(ends, np.arange(len(step)), side="right")
    since, until = middle - along[starts][stroke], along[ends - 1][stroke] - middle
    landing2 = law.landing_mm_s**2 + 2 * law.accel_mm_s2 * np.maximum(since, 0.0)
    leaving2 = law.leaving_mm_s**2 + 2 * law.accel_mm_s2 * np.maximum(until, 0.0)
    bent = law.gain_mm_s * (curvature + STRAIGHT_PER_MM) ** -law.exponent
    return np.asarray(1.0 / np.sqrt(bent**-2.0 + 1.0 / landing2 + 1.0 / leaving2))


def _blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each with its two neighbours; as long as before, for a single value too."""
    return np.convolve(values, np.array([0.25, 0.5, 0.25]))[1:-1]


def _sampled(
    path: Points,
    seconds: NDArray[np.float64],
    bounds: tuple[NDArray[np.intp], NDArray[np.intp]],
    shortest_s: float,
) -> tuple[list[Points], list[NDArray[np.float64]]]:
    starts, ends = bounds
    clock = np.concatenate([[0.0], np.cumsum(seconds)])
    durations = clock[ends - 1] - clock[starts]
    stretch = np.maximum(shortest_s / np.maximum(durations, 1e-9), 1.0)
    counts = np.ceil(durations * stretch * RATE_HZ).astype(int) + 1
    gap = round(GAP_S * RATE_HZ)
    first = gap // 2 + np.concatenate([[0], np.cumsum(counts[:-1] + gap)])
    ticks = np.arange(first[-1] + counts[-1] + gap // 2)
    stroke = np.searchsorted(first - gap // 2, ticks, side="right") - 1
    progress = np.clip((ticks - first[stroke]) / (counts[stroke] - 1), 0.0, 1.0)
    at = clock[starts][stroke] + progress * durations[stroke]
    xy = np.stack([_smooth(np.interp(at, clock, path[:, axis])) for axis in (0, 1)], axis=1)
    times = [np.arange(a, a + n) / RATE_HZ for a, n in zip(first - first[0], counts, strict=True)]
    return [xy[a : a + n] for a, n in zip(first, counts, strict=True)], times


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Low pass over the whole word; the rests between strokes are longer than the kernel."""
    half = round(4 * SMOOTH_S * RATE_HZ)
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / (SMOOTH_S * RATE_HZ)) ** 2)
    return np.convolve(np.pad(values, half, mode="edge"), kernel / kernel.sum(), "valid")
