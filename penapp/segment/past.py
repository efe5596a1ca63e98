"""The pen-ups behind this one: how this writer hops and pauses."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.segment.air import AirMove
from penapp.segment.habits import Habits

PAST = 20
"""So many pen-ups are shown to the judge,"""
PAST_NUMBERS = 8
"""each as: there is one, inside, between, pause, along, up, height, length of the stroke before."""


@dataclass(slots=True)
class PastPenUp:
    """A pen-up that is over.

    stroke_s: duration of the stroke before it
    between:  what was decided, None as long as it is open
    move:     None until the stroke behind it is finished
    """

    lift_t: float
    land_t: float
    stroke_s: float
    between: bool | None = None
    move: AirMove | None = None


def past_numbers(past: Sequence[PastPenUp], before_t: float, habits: Habits) -> NDArray[np.float32]:
    """(PAST, PAST_NUMBERS) of the last ones lifted before before_t, latest first, else zero."""
    made = np.zeros((PAST, PAST_NUMBERS), dtype=np.float32)
    for row, one in zip(made, _latest(past, before_t), strict=False):
        pause = math.log(max(one.land_t - one.lift_t, 0.03)) + 1.2
        row[:4] = 1.0, one.between is False, one.between is True, pause
        if one.move is not None:
            along, up = habits.along(one.move.forward_m, one.move.side_m)
            row[4:7] = along / 0.008, up / 0.008, float(one.move.height_m.max(initial=0.0)) / 0.003
        row[7] = math.log(max(one.stroke_s, 0.03)) + 1.0
    return np.clip(made, -4.0, 4.0)


def _latest(past: Sequence[PastPenUp], before_t: float) -> Iterable[PastPenUp]:
    return (one for one in reversed(past) if one.lift_t < before_t)


def empty_past() -> deque[PastPenUp]:
    return deque(maxlen=PAST + 6)
