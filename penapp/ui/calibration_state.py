"""The calibration wizard without pixels: samples from the session's ring into the steps, and what to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from calibration.draft import Setup
from calibration.errors import FitRefusedError
from calibration.procedure import Procedure
from calibration.progress import Progress
from calibration.sensor import Figure, PenCalibration
from calibration.steps import Shows, Step, Way
from penapp.ui.session_host import PenHand
from penapp.ui.strip_state import Samples
from penapp.ui.tone import Tone

LOOK_EVERY_S = 0.25
"""Samples are taken a few at a time: a window that stalled for seconds must not give them all to one step."""
RETRY_S = 5.0
"""A refused fit is tried again after so many seconds of further samples."""


class StepState(Enum):
    TODO = "to do"
    NOW = "now"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class WizardView:
    """Everything that the window shows.

    steps: title and state of each; message: what to do better, or why the step was refused
    rows:  (name, before, after) of what was found so far
    can_confirm: the button "the scale shows it" makes sense; can_save: something was measured
    """

    steps: tuple[tuple[str, StepState], ...]
    title: str
    instruction: str
    why: str
    shows: Shows | None
    progress: Progress
    message: str
    tone: Tone
    rows: tuple[tuple[str, str, str], ...]
    can_confirm: bool
    can_save: bool
    over: bool


class CalibrationWizard:
    """One run. `poll` several times a second; every call comes from the GUI thread."""

    def __init__(self, setup: Setup, ring: Samples, hand: PenHand | None = None) -> None:
        self._setup, self._ring, self._hand = setup, ring, hand
        self._procedure = Procedure(setup)
        self._states = {step.id: StepState.TODO for step in self._procedure.steps}
        self._seen = ring.total
        self._refusal = ""
        self._wait_s = 0.0
        self._perform()

    def poll(self) -> WizardView:
        """Take the samples that came since the last call; go on when a step has seen enough."""
        total = self._ring.total
        t, values = self._ring.latest(max(0, total - self._seen))
        self._seen = total
        at_once = max(1, round(LOOK_EVERY_S * self._setup.rate_hz))
        for start in range(0, len(t), at_once):
            part = slice(start, start + at_once)
            self._take(t[part], values[part])
        return self.view()

    def _take(self, t: NDArray[np.float64], values: NDArray[np.float32]) -> None:
        self._procedure.push(t, values)
        self._wait_s = max(0.0, self._wait_s - len(t) / self._setup.rate_hz)
        if self._procedure.step is not None and self._procedure.progress.enough and not self._wait_s:
            self.accept()

    def accept(self) -> None:
        """End the present step now; a refusal stays on screen until the step is over."""
        step = self._procedure.step
        if step is None:
            return
        try:
            self._procedure.accept()
        except FitRefusedError as error:
            self._refusal, self._wait_s = str(error), RETRY_S
        else:
            self._left(step, StepState.DONE)

    def skip(self) -> None:
        step = self._procedure.step
        if step is not None:
            self._procedure.skip()
            self._left(step, StepState.SKIPPED)

    def again(self) -> None:
        if self._procedure.step is not None:
            self._procedure.again()
            self._refusal = ""

    def confirm(self) -> None:
        self._procedure.confirm()

    def back(self) -> None:
        self._procedure.back()

    def result(self) -> PenCalibration:
        return self._procedure.calibration()

    def stop(self) -> None:
        """The wizard is closed: a virtual hand puts the pen down."""
        if self._hand is not None:
            self._hand.perform(None)

    def view(self) -> WizardView:
        step, progress = self._procedure.step, self._procedure.progress
        message, tone = _message(self._refusal, progress)
        asked = progress.level is not None and not progress.level.waiting and not self._setup.automatic
        return WizardView(
            steps=tuple((s.title, self._state(s)) for s in self._procedure.steps),
            title=step.title if step is not None else "Done",
            instruction=_instruction(step, progress) if step is not None else _OVER,
            why=f"This {step.why}." if step is not None else "",
            shows=step.shows if step is not None else None,
            progress=progress,
            message=message,
            tone=tone,
            rows=rows([f for result in self._procedure.results for f in result.figures]),
            can_confirm=asked,
            can_save=self._procedure.measured,
            over=step is None,
        )

    def _state(self, step: Step) -> StepState:
        return StepState.NOW if step is self._procedure.step else self._states[step.id]

    def _left(self, step: Step, state: StepState) -> None:
        self._states[step.id] = state
        self._refusal, self._wait_s = "", 0.0
        self._perform()

    def _perform(self) -> None:
        step = self._procedure.step
        if self._hand is not None:
            self._hand.perform(step.id if step is not None else None)


_OVER = "Save it, and the next time this pen connects its samples are corrected."


def _instruction(step: Step, progress: Progress) -> str:
    if progress.level is None:
        return step.instruction
    way = "" if progress.level.way is Way.LOADING else ", coming from above"
    return f"{step.instruction} Now: {progress.level.mass_g:.0f} g{way}."


def _message(refusal: str, progress: Progress) -> tuple[str, Tone]:
    if progress.problem:
        return progress.problem, Tone.WARN
    return (refusal, Tone.BAD) if refusal else ("", Tone.NEUTRAL)


def rows(figures: Sequence[Figure]) -> tuple[tuple[str, str, str], ...]:
    """Name, before and after with their unit; what has no before leaves it empty."""
    return tuple(
        (f.name, "" if f.before is None else _value(f.before, f.unit), _value(f.after, f.unit))
        for f in figures
    )


_UNITS = {"m/s2": "m/s²", "mm/s2": "mm/s²", "uT": "µT", "deg": "°", "deg/s": "°/s"}


def _value(value: float, unit: str) -> str:
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{digits}f} {_UNITS.get(unit, unit)}".rstrip()


def facing(points: np.ndarray, view: np.ndarray) -> np.ndarray:
    """(n, 3) directions to (n, 3) screen coordinates: right, up, towards the eye that looks along -view."""
    right = np.cross([0.0, 0.0, 1.0], view)
    right /= np.linalg.norm(right)
    return np.asarray(points @ np.stack([right, np.cross(view, right), view]).T)
