"""The wizard without a window: samples in, progress and a calibration out. Window and terminal share it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calibration.draft import Draft, Setup
from calibration.errors import CalibrationError, WrongChannelsError
from calibration.progress import Progress
from calibration.recorder_force import ForceRecorder
from calibration.recorder_poses import PoseRecorder
from calibration.recorder_rest import RestRecorder
from calibration.recorder_tumble import TumbleRecorder
from calibration.sensor import CHANNEL_COUNT, Figure, PenCalibration
from calibration.steps import Step, StepId, steps_for

LONGEST_S = 900.0
"""A step that was left open takes no more samples than this: memory stays bounded."""
_TOO_LONG = "Fifteen minutes are over: finish the step or start it over."


class Recorder(Protocol):
    """Collects one step's samples; `fit` puts what they say into the draft, or refuses with advice."""

    def push(self, t: NDArray[np.float64], values: NDArray[np.float64]) -> None: ...

    @property
    def progress(self) -> Progress: ...

    def fit(self, draft: Draft) -> Draft: ...


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step found: its own figures, for a before / after table."""

    step: Step
    figures: tuple[Figure, ...]


class Procedure:
    """One run through the steps. `push` always goes to the present step; `accept` fits it and moves on.

    A refused fit (FitRefusedError) leaves everything as it was: more samples may follow, or `again`.
    """

    def __init__(self, setup: Setup, only: frozenset[StepId] | None = None) -> None:
        self.steps = tuple(s for s in steps_for(setup.valid) if only is None or s.id in only)
        if not self.steps:
            raise CalibrationError(
                "this pen has no sensor that can be calibrated this way.",
                advice="Check the channels that its firmware describes.",
            )
        self.results: tuple[StepResult, ...] = ()
        self._setup = setup
        self._draft = Draft(setup.previous)
        self._enter(0)

    @property
    def step(self) -> Step | None:
        """The present step; None behind the last one."""
        return self.steps[self._at] if self._at < len(self.steps) else None

    @property
    def progress(self) -> Progress:
        """Of the present step."""
        if self.step is None:
            return Progress(1.0, "done", enough=True)
        found = self._recorder.progress
        return found if self._room > 0 else replace(found, problem=_TOO_LONG)

    @property
    def measured(self) -> bool:
        """At least one step was accepted: there is something to save."""
        return bool(self._draft.measured)

    def push(self, t: NDArray[np.float64], values: NDArray[np.floating]) -> None:
        """Consecutive samples as the pen sends them, not corrected: t (n,) s, values (n, 13) SI units."""
        if values.ndim != 2 or values.shape != (len(t), CHANNEL_COUNT):
            raise WrongChannelsError(f"samples have the shape {values.shape}, expected (n, {CHANNEL_COUNT})")
        if self.step is not None and len(t) and self._room > 0:
            self._room -= len(t)
            self._recorder.push(np.asarray(t, dtype=np.float64), np.asarray(values, dtype=np.float64))

    def accept(self) -> StepResult:
        """Fit the present step and go on to the next; FitRefusedError with advice when it says too little."""
        step = self._present()
        draft = self._recorder.fit(self._draft)
        known = set(self._draft.calibration.figures)
        result = StepResult(step, tuple(f for f in draft.calibration.figures if f not in known))
        self._draft = draft
        self.results = (*self.results, result)
        self._enter(self._at + 1)
        return result

    def skip(self) -> None:
        """Leave the present step out; what was known of its sensors stays."""
        self._present()
        self._enter(self._at + 1)

    def again(self) -> None:
        """Forget what the present step has collected."""
        self._present()
        self._enter(self._at)

    def confirm(self) -> None:
        """The mass asked for is on the scale (step "force"; elsewhere it means nothing)."""
        if isinstance(self._recorder, ForceRecorder):
            self._recorder.confirm()

    def back(self) -> None:
        """Take the last level again (step "force"; elsewhere it means nothing)."""
        if isinstance(self._recorder, ForceRecorder):
            self._recorder.back()

    def calibration(
        self, *, date: datetime | None = None, temperature_c: float | None = None
    ) -> PenCalibration:
        """The record of what was measured so far, with what was known before."""
        return self._draft.finished(date or datetime.now(UTC), self._setup.software, temperature_c)

    def _present(self) -> Step:
        if self.step is None:
            raise CalibrationError("the calibration is over.", advice="Save it or start again.")
        return self.step

    def _enter(self, index: int) -> None:
        self._at = index
        self._room = round(LONGEST_S * self._setup.rate_hz)
        if index < len(self.steps):
            self._recorder: Recorder = _recorder(self.steps[index].id, self._setup)


def _recorder(step: StepId, setup: Setup) -> Recorder:
    makers: dict[StepId, type[RestRecorder | PoseRecorder | TumbleRecorder | ForceRecorder]] = {
        StepId.REST: RestRecorder,
        StepId.POSES: PoseRecorder,
        StepId.TUMBLE: TumbleRecorder,
        StepId.FORCE: ForceRecorder,
    }
    return makers[step](setup)
