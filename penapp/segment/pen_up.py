"""One pen-up, described for the decision whether the word goes on behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.segment.air import AirMove, air_move
from penapp.segment.habits import Habits
from penapp.segment.history import ACCELERATION, RATE, History, down_rows
from penapp.segment.types import Stroke

FEATURE_NAMES = (
    "pause", "pause_to_inside", "inside_z", "pause_to_between", "between_z", "tempo_odds",
    "pause_to_divide", "groups_apart", "inside_sd", "between_sd",
    "along_mm", "along_size", "along_if_short", "up_size", "far_back", "far_away", "along_late",
    "height_mm", "height_size", "height_mean_mm", "height_now_mm",
    "still_acceleration", "still_rate", "shaken",
    "strokes_before", "written_before", "last_stroke", "inside_seen", "between_seen",
    "looked", "new_stroke", "new_stroke_ended", "new_strokes",
)  # fmt: skip
"""All of order one, times as logarithms; the last four are 0 while the pen is in the air."""

BEFORE_S = 1.0
"""Motion before the lift that holds the integration."""

_STILL_ROWS = 8


@dataclass(slots=True)
class PenUp:
    """A lift that may end the word.

    before:  strokes of the open word that lie in front of it
    land_t:  touchdown behind it, None while the tip is in the air
    look_t:  stream time of the next judgement
    chance:  the last judged probability that it lies between words
    """

    lift_t: float
    before: int
    look_t: float
    land_t: float | None = None
    chance: float = 0.0

    def pause_s(self, now_t: float) -> float:
        """How long the tip was in the air, as far as is known."""
        return (now_t if self.land_t is None else self.land_t) - self.lift_t


@dataclass(frozen=True, slots=True)
class View:
    """What is known at now_t: the rows so far and the late strokes, the open one last."""

    now_t: float
    history: History
    strokes: list[Stroke]


def move_of(lift_t: float, land_t: float | None, view: View) -> AirMove:
    """How the tip moved in the air; land_t is None while it is there."""
    t, rows = view.history.window(lift_t - BEFORE_S, view.now_t)
    until_t = view.now_t if land_t is None else land_t
    return air_move(t, rows[:, ACCELERATION], down_rows(t, view.strokes), lift_t, until_t)


def describe(
    pen_up: PenUp, move: AirMove, view: View, habits: Habits, word: Sequence[Stroke]
) -> NDArray[np.float64]:
    """One number for each of FEATURE_NAMES. word: the finished strokes of the open word."""
    pause = pen_up.pause_s(view.now_t)
    _, air = view.history.window(pen_up.lift_t + 1e-6, pen_up.lift_t + pause)
    return np.array(
        [
            *_times(pause, habits),
            *_where(move.forward_m, move.side_m, pause, habits),
            *_height(move.height_m, habits),
            *_stillness(air),
            *_word(word[: pen_up.before], pen_up.lift_t, habits),
            *_landing(pen_up.land_t, view),
        ]
    )


def _times(pause: float, habits: Habits) -> tuple[float, ...]:
    inside, between = habits.inside, habits.between
    now, z_in, z_out = math.log(pause), inside.z(pause), between.z(pause)
    odds = 0.5 * (max(z_in, 0.0) ** 2 - min(z_out, 0.0) ** 2)
    return (
        now + 0.9,
        now - inside.mean - 1.0,
        _clip(0.5 * z_in - 0.5),
        now - between.mean,
        _clip(0.5 * z_out),
        _clip(0.25 * odds),
        now - habits.divide.at,
        habits.divide.apart - 1.3,
        3.0 * inside.sd - 1.2,
        3.0 * between.sd - 1.0,
    )


def _where(forward_m: float, side_m: float, pause: float, habits: Habits) -> tuple[float, ...]:
    along, up = habits.along(forward_m, side_m)
    size = 4.0 * habits.size_m
    near = _clip(1e3 * along / 8.0)
    return (
        near,
        _clip(along / size),
        near * math.exp(-((pause / 0.5) ** 2)),
        _clip(up / size),
        _clip((-1e3 * along - 15.0) / 15.0, low=0.0),
        _clip((1e3 * math.hypot(forward_m, side_m) - 12.0) / 12.0, low=0.0),
        _clip((1e3 * along / 8.0 + 1.5 * pause) * math.exp(-pause / 0.3)),
    )


def _height(height_m: NDArray[np.float64], habits: Habits) -> tuple[float, ...]:
    highest = float(height_m.max())
    return (
        _clip(1e3 * highest / 3.0),
        _clip(highest / (2.0 * habits.size_m)),
        _clip(1e3 * float(height_m.mean()) / 3.0),
        _clip(1e3 * float(height_m[-1]) / 3.0),
    )


def _stillness(air: NDArray[np.float64]) -> tuple[float, ...]:
    acceleration = np.sum(air[:, ACCELERATION] ** 2, axis=1)
    rate = np.sum(air[:, RATE] ** 2, axis=1)
    return (
        0.3 * math.log(_calmest(acceleration) + 1e-4) + 1.0,
        0.3 * math.log(_calmest(rate) + 1e-4) + 1.0,
        0.3 * math.log(float(acceleration.mean()) + 1e-4),
    )


def _calmest(square: NDArray[np.float64]) -> float:
    total = np.cumsum(square)
    if len(total) <= _STILL_ROWS:
        return float(total[-1]) / len(total)
    return float(np.min(total[_STILL_ROWS:] - total[:-_STILL_ROWS])) / _STILL_ROWS


def _word(strokes: Sequence[Stroke], lift_t: float, habits: Habits) -> tuple[float, ...]:
    last = strokes[-1]
    return (
        min(len(strokes), 8) / 4.0,
        math.log(max(lift_t - strokes[0].start_t, 0.03)),
        math.log(max(last.end_t - last.start_t, 0.03)) + 1.0,
        min(habits.inside.seen, 12) / 12.0,
        min(habits.between.seen, 6) / 6.0,
    )


def _landing(land_t: float | None, view: View) -> tuple[float, ...]:
    if land_t is None:
        return (0.0,) * 4
    new = [stroke for stroke in view.strokes if stroke.start_t >= land_t]
    if not new:
        return (0.0,) * 4
    first, looked = new[0].end_t - new[0].start_t, view.now_t - land_t
    return (
        looked / 0.3,
        math.log(max(first, 0.03)) + 2.0,
        float(len(new) > 1 or looked - first > 0.06),
        min(len(new), 3) - 1.0,
    )


def _clip(value: float, low: float = -3.0) -> float:
    return min(max(value, low), 3.0)
