"""Step "force": loads on a kitchen scale, one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.draft import Draft, Setup
from calibration.fit_force import G_PER_N, Level, fit_force
from calibration.progress import LevelAsked, Progress
from calibration.sensor import Figure
from calibration.steps import MASSES_G, StepId, Way

FORCE = 12
HOLD_S = 1.5
STEADY_N, STEADY_SHARE = 0.025, 0.05
NEAR_N, NEAR_SHARE = 0.18, 0.4
"""A level that counts by itself must look somewhat like the mass asked for."""
TOP = MASSES_G.index(max(MASSES_G))

Array = NDArray[np.float64]


class ForceRecorder:
    """Takes a level when it has been steady for 1.5 s: after `confirm`, or by itself when automatic."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._window = 8 * max(1, round(HOLD_S * setup.rate_hz / 8))
        self._tail: Array = np.empty(0)
        self._recent: Array = np.empty(0)
        self._levels: list[Level] = []
        self._confirmed = False

    def push(self, t: Array, values: Array) -> None:
        self._tail = np.concatenate([self._tail, values[:, FORCE]])
        step = self._window // 8
        while len(self._tail) >= step:
            part, self._tail = self._tail[:step], self._tail[step:]
            self._recent = np.concatenate([self._recent, part])[-self._window :]
            self._take()

    def confirm(self) -> None:
        """The scale shows the mass now: the next 1.5 s are the level."""
        if not self._done:
            self._confirmed, self._recent, self._tail = True, self._recent[:0], self._tail[:0]

    def back(self) -> None:
        """The last level was none."""
        self._levels = self._levels[:-1]
        self._confirmed, self._recent = False, self._recent[:0]

    @property
    def progress(self) -> Progress:
        count = len(self._levels)
        shown = float(self._recent[-1]) if len(self._recent) else 0.0
        level = None
        if not self._done:
            level = LevelAsked(count + 1, MASSES_G[count], _way(count), shown, self._confirmed)
        problem = "Hold it steady." if self._confirmed and self._full and not self._steady else ""
        return Progress(
            share=count / len(MASSES_G),
            line=f"{count} of {len(MASSES_G)} levels",
            problem=problem,
            enough=self._done,
            resting=self._full and self._steady,
            level=level,
        )

    def fit(self, draft: Draft) -> Draft:
        found = fit_force(self._levels, limit=self._setup.limits.force)
        figures = [
            Figure("force", "N", found.rms, found.before),
            Figure("force at rest", "N", 0.0, found.zero_n),
        ]
        if found.hysteresis_n is not None:
            figures.append(Figure("force, hysteresis", "N", found.hysteresis_n))
        if found.drift_n is not None:
            figures.append(Figure("force, drift of the zero", "N", found.drift_n))
        if found.exponent is not None:
            figures.append(Figure("force, exponent", "", found.exponent))
        calibration = replace(
            draft.calibration, force_zero_n=found.zero_n, force_scale=found.scale, force_curve=found.curve
        )
        return draft.with_step(StepId.FORCE, calibration, figures)

    @property
    def _done(self) -> bool:
        return len(self._levels) == len(MASSES_G)

    @property
    def _full(self) -> bool:
        return len(self._recent) >= self._window

    @property
    def _steady(self) -> bool:
        half = len(self._recent) // 2
        mean = abs(float(self._recent.mean()))
        drift = abs(float(self._recent[:half].mean() - self._recent[half:].mean()))
        limit = STEADY_N + STEADY_SHARE * mean
        return bool(self._recent.std() <= limit and drift <= 0.7 * limit)

    def _take(self) -> None:
        if self._done or not self._full or not self._steady:
            return
        mean = float(self._recent.mean())
        mass = MASSES_G[len(self._levels)]
        if not (self._confirmed or (self._setup.automatic and self._like(mean, mass))):
            return
        self._levels.append(Level(mass, mean, float(self._recent.std()), _way(len(self._levels))))
        self._confirmed, self._recent = False, self._recent[:0]

    def _like(self, shown_n: float, mass_g: float) -> bool:
        """Near the mass asked for, and at least half the way to it from the level before."""
        wanted = mass_g / G_PER_N
        near = abs(shown_n - wanted) <= NEAR_N + NEAR_SHARE * wanted
        if not self._levels:
            return near
        step = wanted - self._levels[-1].mass_g / G_PER_N
        return near and (shown_n - self._levels[-1].shown_n) / step > 0.5


def _way(index: int) -> Way:
    return Way.LOADING if index <= TOP else Way.UNLOADING
