"""A calibration in the making: what the steps of one run have found so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from calibration.rest import Rest
from calibration.sensor import Figure, PenCalibration
from calibration.steps import StepId


@dataclass(frozen=True, slots=True)
class Limits:
    """Full scale of the sensors in their units; None = not known."""

    front: float | None = None
    rear: float | None = None
    mag: float | None = None
    force: float | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """The pen and the run: rate, channels (13,), limits.

    previous:  what was known of this pen before; parts that are not measured again are kept
    automatic: levels of force count by themselves (a virtual hand); otherwise each is confirmed
    """

    rate_hz: float
    valid: NDArray[np.bool_]
    limits: Limits
    previous: PenCalibration
    automatic: bool = False
    software: str = ""

    def has(self, columns: slice) -> bool:
        return bool(self.valid[columns].all())


@dataclass(frozen=True, slots=True)
class Draft:
    """calibration: corrections so far (its date is the previous one's); rests: of this run's first step."""

    calibration: PenCalibration
    rests: tuple[Rest, ...] = ()
    measured: frozenset[StepId] = field(default_factory=frozenset)

    def with_step(
        self,
        step: StepId,
        calibration: PenCalibration,
        figures: Sequence[Figure],
        rests: tuple[Rest, ...] = (),
    ) -> Draft:
        """The step's result in; its figures take the place of older ones of the same names."""
        names = {figure.name for figure in figures}
        kept = tuple(f for f in calibration.figures if f.name not in names)
        updated = replace(calibration, figures=(*kept, *figures))
        return Draft(updated, rests or self.rests, self.measured | {step})

    def finished(self, date: datetime, software: str, temperature_c: float | None) -> PenCalibration:
        """The record of this run."""
        return replace(self.calibration, date=date, software=software, temperature_c=temperature_c)
