"""LSL time stamps to a sample index and a smooth clock: LSL counts no samples, its stamps tell the gaps."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

MEMORY = 100
"""Steps between stamps that say how regular they are."""
WARM_UP = 50
QUANTILE = 97.0
FOLLOW = 0.05
SURE = 0.75
PERIOD_FOLLOW = 0.002
PERIOD_RANGE = 0.05


class StampIndex:
    """push(stamps) -> index and device time of each sample.

    Stamps that are set sample by sample show a gap as soon as one sample is missing, exactly. Stamps that
    come in bursts (set on arrival) hide gaps up to twice the longest usual step: not found, never guessed.
    """

    def __init__(self, rate_hz: float) -> None:
        self._nominal_s = 1.0 / rate_hz
        self._period_s = self._nominal_s
        self._strays: deque[float] = deque(maxlen=MEMORY)
        self._last_stamp: float | None = None
        self._index = -1
        self._t_s = 0.0

    def push(self, stamps: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(n,) LSL seconds -> index (n,), microseconds since the first sample (n,), both rising."""
        index = np.empty(len(stamps), dtype=np.int64)
        t_us = np.empty(len(stamps), dtype=np.int64)
        for k, stamp in enumerate(stamps.tolist()):
            self._step(stamp)
            index[k], t_us[k] = self._index, round(self._t_s * 1e6)
        return index, t_us

    def _step(self, stamp: float) -> None:
        if self._last_stamp is None:
            self._first_stamp, self._last_stamp, self._index = stamp, stamp, 0
            return
        step_s, self._last_stamp = stamp - self._last_stamp, stamp
        ahead_s = (stamp - self._first_stamp) - (self._t_s + self._period_s)
        lost = self._lost(step_s, ahead_s)
        if not lost:
            self._strays.append(abs(step_s - self._period_s))
            self._follow(step_s)
        self._index += 1 + lost
        expected_s = self._t_s + (1 + lost) * self._period_s
        stray_s = (stamp - self._first_stamp) - expected_s
        if abs(stray_s) > 1.0:  # the sender's clock was set: go on from here
            self._first_stamp, stray_s = stamp - expected_s, 0.0
        self._t_s = max(expected_s + FOLLOW * stray_s, self._t_s + 0.1 * self._period_s)

    def _lost(self, step_s: float, ahead_s: float) -> int:
        """Samples missing in this step, 0 when it may be nothing but jitter or the beginning of a burst.

        ahead_s: how far the stamp is ahead of the smooth clock; a burst catches up with it, a gap leaves it
        """
        period_s = self._period_s
        if step_s <= 1.5 * period_s or len(self._strays) < WARM_UP:
            return 0
        usual_s = float(np.percentile(self._strays, QUANTILE))
        if step_s - period_s <= max(0.5 * period_s, 2.0 * usual_s):
            return 0
        lost = round(step_s / period_s) - 1
        return lost if ahead_s > SURE * lost * period_s else 0

    def _follow(self, step_s: float) -> None:
        moved = self._period_s + PERIOD_FOLLOW * (step_s - self._period_s)
        low, high = self._nominal_s * (1.0 - PERIOD_RANGE), self._nominal_s * (1.0 + PERIOD_RANGE)
        self._period_s = min(max(moved, low), high)
