"""The raw motion around a pen-up, as the judge looks at it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penapp.segment.history import ACCELERATION, FORCE, RATE, VELOCITY

CHANNELS = 19
"""Three each: acceleration, velocity, rate, path and turn since the lift; force, on paper, known, in air."""
STEPS = 128
"""Of 20 ms (two rows), the lift behind the fiftieth."""
ROWS_BEFORE = 100

_ROW_S = 0.01
_ROWS = 2 * STEPS
_SCALES = np.repeat([1.5, 0.03, 0.5, 0.005, 0.1], 3)
_FORCE_N = 2.0
_MOST = 5.0

_Rows = NDArray[np.float64]


def motion_window(
    rows: _Rows, path_m: _Rows, down: NDArray[np.bool_], lift: int, land: int, along: _Rows
) -> NDArray[np.float32]:
    """(CHANNELS, STEPS): the rows about row number `lift`, the last one on paper; zero if unknown.

    rows (n, 13) and path_m (n, 3) of one window of the history, land: first row after the air (n while it
    lasts); along (2, 2) turns forward and side to along the line and up the page
    """
    turn = np.cumsum(rows[:, RATE], axis=0) * _ROW_S
    turn -= turn[lift]
    triples = [rows[:, ACCELERATION], rows[:, VELOCITY], rows[:, RATE], path_m, turn]
    first, last = max(lift - ROWS_BEFORE + 1, 0), min(lift - ROWS_BEFORE + 1 + _ROWS, len(rows))
    made = np.zeros((_ROWS, CHANNELS))
    part = made[first - lift + ROWS_BEFORE - 1 : last - lift + ROWS_BEFORE - 1]
    for k, triple in enumerate(triples):
        part[:, 3 * k : 3 * k + 2] = triple[first:last, :2] @ along.T
        part[:, 3 * k + 2] = triple[first:last, 2]
    part[:, :15] /= _SCALES
    part[:, 15] = rows[first:last, FORCE] / _FORCE_N
    part[:, 16] = down[first:last]
    part[:, 17] = 1.0
    part[lift + 1 - first : max(land - first, 0), 18] = 1.0
    np.clip(made, -_MOST, _MOST, out=made)
    return np.ascontiguousarray(made.reshape(STEPS, 2, CHANNELS).mean(axis=1).T, dtype=np.float32)
