"""The last seconds of motion, row by row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penapp.dsp.motion import MotionBlock
from penapp.segment.types import Stroke

ACCELERATION = slice(0, 3)
POSITION = slice(3, 6)
RATE = slice(6, 9)
VELOCITY = slice(9, 12)
FORCE = 12

_KEPT_ROWS = 600
_ROOM = 4 * _KEPT_ROWS


def rows_of(block: MotionBlock) -> NDArray[np.float64]:
    """(n, 13): acceleration, position, rate, velocity, force."""
    columns = [block.acceleration, block.position, block.rate, block.velocity, block.force_n[:, None]]
    return np.concatenate(columns, axis=1)


class History:
    """Rows in, windows between two times out; at least the last six seconds (at 100 rows/s) are kept."""

    def __init__(self) -> None:
        self._t = np.empty(_ROOM)
        self._rows = np.empty((_ROOM, 13))
        self._end = 0

    def clear(self) -> None:
        self._end = 0

    def append(self, t: float, row: NDArray[np.float64]) -> None:
        if self._end == _ROOM:
            self._t[:_KEPT_ROWS] = self._t[-_KEPT_ROWS:]
            self._rows[:_KEPT_ROWS] = self._rows[-_KEPT_ROWS:]
            self._end = _KEPT_ROWS
        self._t[self._end] = t
        self._rows[self._end] = row
        self._end += 1

    def window(self, start_t: float, end_t: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times (n,) and rows (n, 13) of start_t <= t <= end_t, among the last _KEPT_ROWS only."""
        first = max(self._end - _KEPT_ROWS, 0)
        t = self._t[first : self._end]
        a, b = int(np.searchsorted(t, start_t)), int(np.searchsorted(t, end_t, side="right"))
        return t[a:b], self._rows[first + a : first + b]


def down_rows(t: NDArray[np.float64], strokes: list[Stroke]) -> NDArray[np.bool_]:
    """Which of the times lie inside one of the strokes."""
    down = np.zeros(len(t), dtype=np.bool_)
    for stroke in reversed(strokes):
        if stroke.end_t < t[0]:
            break
        a, b = np.searchsorted(t, stroke.start_t), np.searchsorted(t, stroke.end_t, side="right")
        down[a:b] = True
    return down
