"""What the judge sees: the lift at its place in the window, nothing from the future, along the line."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from penapp.segment.air import AirMove
from penapp.segment.habits import Habits
from penapp.segment.past import PAST, PastPenUp, past_numbers
from penapp.segment.window import CHANNELS, ROWS_BEFORE, STEPS, motion_window

LIFT_STEP = ROWS_BEFORE // 2 - 1
DOWN, KNOWN, AIR = 16, 17, 18


def window(rows: np.ndarray, *, lift: int, land: int, along: np.ndarray | None = None) -> np.ndarray:
    down = np.arange(len(rows)) <= lift
    down[land:] = True
    turn = np.eye(2) if along is None else along
    return motion_window(rows, np.zeros((len(rows), 3)), down, lift, land, turn)


def rows_of_noise(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0.0, 0.01, (n, 13))


@pytest.mark.parametrize("before", [30, 100, 140])
def test_the_lift_stands_still_in_the_window(before):
    made = window(rows_of_noise(before + 60), lift=before - 1, land=before + 40)
    assert made.shape == (CHANNELS, STEPS)
    assert made[DOWN, LIFT_STEP] == 1.0
    assert made[DOWN, LIFT_STEP + 1] == 0.0
    assert made[AIR, LIFT_STEP + 1 : LIFT_STEP + 21].all()
    assert not made[AIR, LIFT_STEP + 21 :].any()
    assert made[DOWN, LIFT_STEP + 21 : LIFT_STEP + 31].all()


def test_what_is_not_known_yet_is_zero_and_says_so():
    made = window(rows_of_noise(140), lift=99, land=140)
    assert made[KNOWN, : LIFT_STEP + 21].all()
    assert not made[:, LIFT_STEP + 21 :].any()


def test_a_pen_that_has_just_begun_to_write_has_an_unknown_past():
    made = window(rows_of_noise(50), lift=19, land=50)
    assert not made[:, : LIFT_STEP - 9].any()
    assert made[KNOWN, LIFT_STEP - 9 : LIFT_STEP + 16].all()


def test_motion_is_turned_along_the_line():
    rows = np.zeros((140, 13))
    rows[:, 0] = 1.5
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    made = window(rows, lift=99, land=140, along=quarter)
    assert made[0, LIFT_STEP] == pytest.approx(0.0)
    assert made[1, LIFT_STEP] == pytest.approx(-1.0)


def pen_up(lift_t: float, *, between: bool | None, forward_m: float = 0.0) -> PastPenUp:
    move = AirMove(forward_m, 0.0, np.array([0.001]), np.zeros((1, 3)))
    return PastPenUp(lift_t, lift_t + 0.3, 0.2, between=between, move=move)


def test_the_past_is_shown_latest_first_and_without_the_pen_up_in_question():
    past = deque([pen_up(1.0, between=False), pen_up(2.0, between=True), pen_up(3.0, between=None)])
    shown = past_numbers(past, 3.0, Habits())
    assert shown.shape[0] == PAST
    assert shown[0, :3].tolist() == [1.0, 0.0, 1.0]
    assert shown[1, :3].tolist() == [1.0, 1.0, 0.0]
    assert not shown[2:].any()


def test_the_past_moves_along_the_line_whatever_the_hand():
    one = [pen_up(1.0, between=False, forward_m=0.004)]
    right, left = Habits(), Habits()
    for _ in range(20):
        left.hopped(0.004, -0.003)
    assert past_numbers(one, 2.0, right)[0, 4] > 0.0
    assert past_numbers(one, 2.0, left)[0, 4] < 0.0
