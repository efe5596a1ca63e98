"""What the strip chart computes before it paints: thinning, gaps and scales. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NICE_STEPS = (1.0, 2.0, 5.0)
PEAK_SHARE = 0.985
SHRINK_BELOW = 0.35
"""A scale shrinks only when the signal fills less than this share of it."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Points ready to be joined by lines, `x` shared by all channels.

    x:      (p,)    float64  pixel columns from the left edge of the plot
    values: (p, C)  float32  SI units
    breaks: (b,)    int64    indices of points that start a new line: samples are missing before them
    """

    x: NDArray[np.float64]
    values: NDArray[np.float32]
    breaks: NDArray[np.int64]


def traces(
    t: NDArray[np.float64], values: NDArray[np.float32], *, window_s: float, width: int, gap_s: float
) -> Traces:
    """Samples of the last `window_s` seconds as at most two points per pixel column.

    Columns are bound to absolute time, so a scrolling trace does not shimmer. A pause in `t` longer
    than `gap_s` starts a new line.
    """
    if len(t) == 0 or width < 2:
        return Traces(np.empty(0), np.empty((0, values.shape[1]), np.float32), np.empty(0, np.int64))
    first = int(np.searchsorted(t, t[-1] - window_s))
    t, values = t[first:], values[first:]
    column_s = window_s / width
    if len(t) <= 2 * width:
        breaks = np.flatnonzero(np.diff(t) > gap_s) + 1
        return Traces(width - 1 - (t[-1] - t) / column_s, values, breaks.astype(np.int64))
    return _thinned(t, values, column_s, width, gap_s)


def _thinned(
    t: NDArray[np.float64], values: NDArray[np.float32], column_s: float, width: int, gap_s: float
) -> Traces:
    column = np.floor(t / column_s).astype(np.int64)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(column)) + 1))
    low = np.minimum.reduceat(values, starts, axis=0)
    high = np.maximum.reduceat(values, starts, axis=0)
    shown = column[starts]
    falling = (shown % 2 == 1)[:, None]
    pairs = np.empty((len(starts), 2, values.shape[1]), np.float32)
    pairs[:, 0] = np.where(falling, high, low)
    pairs[:, 1] = np.where(falling, low, high)
    x = (width - 1 - (shown[-1] - shown)).astype(np.float64)
    torn = np.zeros(len(t), dtype=np.bool_)
    torn[1:] = np.diff(t) > gap_s
    breaks = np.flatnonzero(np.logical_or.reduceat(torn, starts)) * 2
    return Traces(np.repeat(x, 2), pairs.reshape(-1, values.shape[1]), breaks[breaks > 0])


def newest_run(t: NDArray[np.float64]) -> int:
    """Index of the first sample after the clock last jumped back (the pen restarted), else 0."""
    back = np.flatnonzero(np.diff(t) <= 0.0)
    return int(back[-1]) + 1 if len(back) else 0


def gap_spans(t: NDArray[np.float64], *, gap_s: float) -> list[tuple[float, float]]:
    """(start, end) in seconds of every stretch longer than `gap_s` without a sample."""
    torn = np.flatnonzero(np.diff(t) > gap_s)
    return [(float(t[i]), float(t[i + 1])) for i in torn]


def nice_scale(peak: float, least: float) -> float:
    """The smallest 1-2-5 step that holds `peak`, never below `least`."""
    wanted = max(peak, least)
    decade = 10.0 ** np.floor(np.log10(wanted))
    for step in (*NICE_STEPS, 10.0):
        if step * decade >= wanted * (1.0 - 1e-9):
            return float(step * decade)
    return float(10.0 * decade)


def next_scale(current: float, peak: float, least: float) -> float:
    """Grow at once, shrink only when the signal has become clearly smaller: traces stay calm."""
    if not np.isfinite(peak):
        return current
    if peak > current or peak < SHRINK_BELOW * current:
        return nice_scale(peak * 1.05, least)
    return current


def group_peak(values: NDArray[np.float32], columns: tuple[int, ...], centre: NDArray[np.float64]) -> float:
    """What the scale of these channels must hold: nearly all of their distances from the centre lines.

    A touchdown is a spike of one or two samples many times larger than writing; it may leave the strip.
    """
    if len(values) == 0:
        return 0.0
    away = np.abs(values[:, list(columns)] - centre[list(columns)].astype(np.float32))
    kept = round((len(away) - 1) * PEAK_SHARE)
    return float(np.partition(away, kept, axis=0)[kept].max())


def sample_at(t: NDArray[np.float64], wanted_t: float) -> int:
    """Index of the sample nearest to `wanted_t`; `t` must not be empty."""
    right = int(np.clip(np.searchsorted(t, wanted_t), 1, len(t) - 1)) if len(t) > 1 else 0
    left = max(right - 1, 0)
    return left if abs(t[left] - wanted_t) <= abs(t[right] - wanted_t) else right
