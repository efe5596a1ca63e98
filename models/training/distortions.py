"""Small faults of any multichannel signal (n, C): noise in proportion, drift, dropped samples, uneven pace.

The four kinds that REWI trains with (Li et al., iWOAR 2025, arXiv 2502.20954); all give new float32 arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Signal = NDArray[np.float32]

RUN_SAMPLES = (5, 9)
"""Shortest and longest run of samples that are dropped together."""


def proportional_noise(signal: Signal, sd: float, rng: np.random.Generator) -> Signal:
    """Every value times 1 + noise of this standard deviation."""
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    return np.asarray(signal * (np.float32(1.0) + np.float32(sd) * noise))


def drift_curves(
    shape: tuple[int, int], points: int, largest: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """One smooth curve per channel (n, C): a random walk of so many points, a cubic spline through them.

    Each begins at 0 and is `largest` away from it at its extreme.
    """
    n, channels = shape
    walk = np.cumsum(rng.standard_normal((max(min(points, n), 2), channels)), axis=0)
    curves = CubicSpline(np.linspace(0.0, n - 1.0, len(walk)), walk)(np.arange(n)) if n > 1 else walk[:n]
    curves = curves - curves[:1]
    scale = largest / np.maximum(np.abs(curves).max(axis=0), 1e-9)
    return np.asarray(scale * curves, dtype=np.float32)


def with_dropped_runs(signal: Signal, share: float, rng: np.random.Generator) -> Signal:
    """About this share of the values of every channel is lost in runs of 5-9; the value before them stays on.

    The channels lose different samples; the first sample is always there.
    """
    n, channels = signal.shape
    low, high = RUN_SAMPLES
    begins = rng.random((n, channels)) < 2.0 * share / (low + high)
    until = np.where(begins, np.arange(n)[:, None] + rng.integers(low, high + 1, (n, channels)), 0)
    lost = np.maximum.accumulate(until, axis=0) > np.arange(n)[:, None]
    kept = np.maximum.accumulate(np.where(lost, 0, np.arange(n)[:, None]), axis=0)
    return np.asarray(np.take_along_axis(signal, kept, axis=0))


def unevenly_paced(signal: Signal, changes: int, ratio: float, rng: np.random.Generator) -> Signal:
    """The same signal in the same time, its pace changing so many times, at most by this factor in all."""
    n = len(signal)
    pace = ratio ** rng.random(changes + 1)
    reached = np.concatenate([[0.0], np.cumsum(pace) / pace.sum()]) * (n - 1)
    where = np.interp(np.arange(n), np.linspace(0.0, n - 1.0, changes + 2), reached)
    low = np.clip(where.astype(np.int64), 0, max(n - 2, 0))
    share = (where - low)[:, None].astype(np.float32)
    return np.asarray(signal[low] * (1.0 - share) + signal[np.minimum(low + 1, n - 1)] * share)
