"""Strung-together words become one continuous path of the pen tip: on paper, in the air, to the next word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from penapp.simulation.ink import WordInk
from penapp.simulation.parameters import Pace, Touch

SMOOTHING_S = 0.011
"""Gaussian smoothing of the recorded ink: -3 dB at 12 Hz, above which tablets deliver quantisation noise."""

_AIR_SPEED_PROFILE = np.array([1.292, 1.565, 1.957, 1.849, 1.501, 1.202, 0.898, 0.683, 0.548, 0.453, 0.57])
"""Speed over normalised time of short pen-ups, mean of 112 people (measured): fast off, slow to arrive."""

_AIR_PROGRESS = np.concatenate([[0.0], np.cumsum((_AIR_SPEED_PROFILE[1:] + _AIR_SPEED_PROFILE[:-1]) / 2)])
_AIR_PROGRESS /= _AIR_PROGRESS[-1]
_AIR_TIME = np.linspace(0.0, 1.0, len(_AIR_PROGRESS))
_AIR_HEIGHT = np.sin(np.pi * _AIR_TIME) ** 0.7

_BOW_MM, _BOW_SHARE = 0.45, 0.2
"""How far a pen-up strays from the straight line (sd): millimetres, and share of its length."""

_TOUCH_S = 0.036
"""The tip settles on the paper, and leaves it, over this time: no jump of its height."""

LEAD_S = 0.9
"""The pen hovers at rest this long before the first word (orientation settles) and after the last."""


@dataclass(frozen=True, slots=True)
class WordTruth:
    """Where one word lies in a session: seconds of first touchdown and last lift-off."""

    label: str
    start_t: float
    end_t: float
    stroke_t: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TipPath:
    """The pen tip at a uniform rate.

    position: (n, 3) float64 mm, x right, y away from the writer, z up (0 on paper)
    down:     (n,) bool pen on paper
    words:    what was written when
    """

    rate_hz: float
    position: NDArray[np.float64]
    down: NDArray[np.bool_]
    words: tuple[WordTruth, ...]


class PathBuilder:
    """Collects the knots of a session; `build` samples and smooths them once, for all words together."""

    def __init__(self, touch: Touch, pace: Pace, rng: np.random.Generator) -> None:
        self._touch, self._pace, self._rng = touch, pace, rng
        self._t: list[NDArray[np.float64]] = [np.array([0.0])]
        self._xyz: list[NDArray[np.float64]] = []
        self._now = LEAD_S
        self._line_x = 0.0
        self._words: list[WordTruth] = []
        self._speed_mm_s = 30.0
        self._leaving = self._arriving = np.zeros(2)

    def add(self, word: WordInk, gap_s: float | None = None) -> None:
        """Write the word after the pause `gap_s` (drawn from the pace when None)."""
        strokes, times = self._placed(word)
        if not self._xyz:
            self._xyz.append(np.array([[*(strokes[0][0] - [6.0, 2.0]), 4.0]]))
            self._t = [np.array([0.0])]
            self._travel(strokes[0][0], LEAD_S, height_mm=1.0, rest=0.6)
        else:
            gap = self._rng.uniform(*self._pace.gap_s) if gap_s is None else gap_s
            self._travel(strokes[0][0], gap, height_mm=float(self._rng.uniform(1.5, 7.0)), rest=0.35)
        spans = []
        for i, (xy, t) in enumerate(zip(strokes, times, strict=True)):
            if i:
                self._leaving = _end_velocity(strokes[i - 1][::-1], -times[i - 1][::-1]) * -1.0
                self._arriving = _end_velocity(xy, t)
                self._hop(xy[0], self._pen_up_s(word, times, i, xy[0]))
            start = self._now
            self._append(start + (t - t[0]), np.column_stack([xy, np.zeros(len(xy))]))
            self._now = max(start + float(t[-1] - t[0]), start + 0.03)
            spans.append((start, self._now))
        self._words.append(WordTruth(word.label, spans[0][0], spans[-1][1], tuple(spans)))
        self._line_x = max(float(xy[:, 0].max()) for xy in strokes)

    def build(self, rate_hz: float) -> TipPath:
        """Finish with a rest in the air and sample at rate_hz."""
        last = self._xyz[-1][-1]
        self._travel(last[:2] + np.array([4.0, -1.0]), LEAD_S, height_mm=4.0, rest=0.5, land=False)
        t, xyz = np.concatenate(self._t), np.concatenate(self._xyz)
        n = int(np.floor(self._now * rate_hz))
        grid = np.arange(n) / rate_hz
        position = np.column_stack([np.interp(grid, t, xyz[:, axis]) for axis in range(3)])
        position = gaussian_filter1d(position, SMOOTHING_S * rate_hz, axis=0, mode="nearest")
        position += self._tremor(n, rate_hz)
        down = np.zeros(n, dtype=np.bool_)
        for word in self._words:
            for start, end in word.stroke_t:
                down[int(np.ceil(start * rate_hz)) : int(np.floor(end * rate_hz)) + 1] = True
        position[:, 2] *= _clearance(down, _TOUCH_S * rate_hz)
        return TipPath(rate_hz, position, down, tuple(self._words))

    def _placed(self, word: WordInk) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        pace = self._pace
        turn = np.deg2rad(pace.turn_deg)
        shear = np.array([[1.0, 0.0], [pace.slant, 1.0]])
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        transform = pace.size * shear @ spin
        strokes = [xy @ transform for xy in word.strokes]
        left = min(float(xy[:, 0].min()) for xy in strokes)
        shift = np.array([self._line_x + pace.gap_mm - left, 0.0])
        times = [t / pace.speed for t in word.times]
        path = sum(float(np.abs(np.diff(xy, axis=0)).sum()) for xy in strokes)
        spent = sum(float(t[-1] - t[0]) for t in times)
        self._speed_mm_s = float(np.clip(path / max(spent, 0.05), 15.0, 80.0))
        return [xy + shift for xy in strokes], times

    def _pen_up_s(
        self, word: WordInk, times: list[NDArray[np.float64]], i: int, target: NDArray[np.float64]
    ) -> float:
        if word.pen_up_known:
            return float(np.clip(times[i][0] - times[i - 1][-1], 0.03, 1.2))
        chord = float(np.linalg.norm(target - self._xyz[-1][-1][:2]))
        travel = chord / (self._touch.air_speed * self._speed_mm_s)
        return float(self._touch.lift_s * self._rng.lognormal(0.0, 0.22) + 0.6 * travel)

    def _hop(self, target: NDArray[np.float64], duration_s: float) -> None:
        chord = float(np.linalg.norm(target - self._xyz[-1][-1][:2]))
        height = (
            self._touch.hop_mm * float(self._rng.lognormal(0.0, 0.3)) * min(1.0, 0.35 + duration_s / 0.25)
        )
        self._air(target, duration_s, min(height + 0.08 * chord, 5.0))

    def _travel(
        self,
        target: NDArray[np.float64],
        duration_s: float,
        *,
        height_mm: float,
        rest: float,
        land: bool = True,
    ) -> None:
        """Move through the air to target, hovering still for the share `rest` of the time on the way."""
        still = rest * duration_s
        start = self._xyz[-1][-1].copy()
        lifted = np.array([*(start[:2] + self._rng.normal(1.5, 0.7, 2)), max(height_mm, start[2])])
        up_s = (duration_s - still) * 0.35
        self._leg(lifted, up_s)
        self._now += still
        self._append(np.array([self._now]), lifted[None, :] + self._rng.normal(0.0, 0.25, (1, 3)))
        end = np.array([*target, 0.0 if land else height_mm])
        self._leg(end, duration_s - still - up_s)

    def _leg(self, target: NDArray[np.float64], duration_s: float) -> None:
        start = self._xyz[-1][-1]
        s = 10 * _AIR_TIME**3 - 15 * _AIR_TIME**4 + 6 * _AIR_TIME**5
        self._append(self._now + _AIR_TIME[1:] * duration_s, (start + s[:, None] * (target - start))[1:])
        self._now += duration_s

    def _air(self, target: NDArray[np.float64], duration_s: float, height_mm: float) -> None:
        start = self._xyz[-1][-1]
        xy = start[:2] + _AIR_PROGRESS[:, None] * (target - start[:2])
        u = _AIR_TIME[:, None]
        xy += duration_s * u * (1.0 - u) * ((1.0 - u) * self._leaving - u * self._arriving)
        sway = _BOW_MM * min(duration_s / 0.15, 1.0) + _BOW_SHARE * float(np.linalg.norm(target - start[:2]))
        xy += np.sin(np.pi * u) ** 2 * self._rng.normal(0.0, sway, 2)
        xyz = np.column_stack([xy, height_mm * _AIR_HEIGHT])
        self._append(self._now + _AIR_TIME[1:-1] * duration_s, xyz[1:-1])
        self._now += duration_s

    def _append(self, t: NDArray[np.float64], xyz: NDArray[np.float64]) -> None:
        self._t.append(np.asarray(t, dtype=np.float64))
        self._xyz.append(xyz)

    def _tremor(self, n: int, rate_hz: float) -> NDArray[np.float64]:
        if self._touch.tremor_mm == 0.0:
            return np.zeros((n, 3))
        white = self._rng.standard_normal((n, 3))
        slow = gaussian_filter1d(white, 0.013 * rate_hz, axis=0)
        band = slow - gaussian_filter1d(slow, 0.028 * rate_hz, axis=0)
        return np.asarray(band * (self._touch.tremor_mm / max(float(band.std()), 1e-9)))


def _end_velocity(xy: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2,) mm/s over the first 25 ms of a stroke; zero for a dot."""
    k = int(np.searchsorted(t, t[0] + 0.025))
    if k == 0 or k >= len(t):
        return np.zeros(2)
    return np.asarray(np.clip((xy[k] - xy[0]) / (t[k] - t[0]), -80.0, 80.0))


def _clearance(down: NDArray[np.bool_], settle: float) -> NDArray[np.float64]:
    """(n,) factor on the height: 0 on paper, smoothly 1 from `settle` samples before and after it."""
    index = np.arange(len(down), dtype=np.float64)
    last = np.maximum.accumulate(np.where(down, index, -np.inf))
    following = np.minimum.accumulate(np.where(down, index, np.inf)[::-1])[::-1]
    u = np.minimum(np.minimum(index - last, following - index) / settle, 1.0)
    return np.asarray(u**3 * (10.0 - 15.0 * u + 6.0 * u**2))


def session_path(
    words: Sequence[WordInk], touch: Touch, pace: Pace, rng: np.random.Generator, rate_hz: float
) -> TipPath:
    """The tip path of words written one after the other, at a uniform rate."""
    builder = PathBuilder(touch, pace, rng)
    for word in words:
        builder.add(word)
    return builder.build(rate_hz)
