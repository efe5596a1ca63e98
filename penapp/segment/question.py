"""What the judge is asked: a pen-up, the motion around it, the pen-ups before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.segment.habits import Habits
from penapp.segment.history import down_rows
from penapp.segment.past import PAST, PAST_NUMBERS, PastPenUp, past_numbers
from penapp.segment.pen_up import BEFORE_S, FEATURE_NAMES, PenUp, View, describe, move_of
from penapp.segment.types import Stroke
from penapp.segment.window import CHANNELS, STEPS, motion_window

INPUTS = {"motion": [CHANNELS, STEPS], "numbers": [len(FEATURE_NAMES)], "past": [PAST, PAST_NUMBERS]}


@dataclass(frozen=True, slots=True)
class Question:
    """A pen-up as the judge sees it, float32.

    motion:  (CHANNELS, STEPS) the raw motion around it
    numbers: (len(FEATURE_NAMES),) its description
    past:    (PAST, PAST_NUMBERS) the pen-ups before it
    """

    motion: NDArray[np.float32]
    numbers: NDArray[np.float32]
    past: NDArray[np.float32]


def question(
    pen_up: PenUp, view: View, habits: Habits, word: Sequence[Stroke], past: Sequence[PastPenUp]
) -> Question:
    """word: the finished strokes of the open word."""
    move = move_of(pen_up.lift_t, pen_up.land_t, view)
    t, rows = view.history.window(pen_up.lift_t - BEFORE_S, view.now_t)
    lift = max(int(np.searchsorted(t, pen_up.lift_t, side="right")) - 1, 0)
    land = len(t) if pen_up.land_t is None else int(np.searchsorted(t, pen_up.land_t))
    along = np.array([habits.along(1.0, 0.0), habits.along(0.0, 1.0)]).T
    return Question(
        motion_window(rows, move.path_m, down_rows(t, view.strokes), lift, land, along),
        describe(pen_up, move, view, habits, word).astype(np.float32),
        past_numbers(past, pen_up.lift_t, habits),
    )
