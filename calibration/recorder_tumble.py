"""Step "tumble": the magnetometer's ellipsoid and the distance of the accelerometers, from one motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.coverage import CELLS, occupied
from calibration.draft import Draft, Setup
from calibration.fit_magnetometer import fit_magnetometer, preview, thinned
from calibration.fit_pair import fit_lever_arm
from calibration.progress import Progress, no_cells
from calibration.sensor import Figure, PenCalibration, as_vector
from calibration.steps import COVERAGE_SHARE, StepId

FRONT, REAR, GYRO, MAG = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12)
LEAST_S = 15.0
LOOK_EVERY_S = 0.4
BRISK = 1.5
"""rad/s rms: slower tells little of the distance of the accelerometers."""
ENOUGH_READINGS = 3
"""A cell counts when so many readings lie in it."""

Array = NDArray[np.float64]


class TumbleRecorder:
    """Shows the directions seen with a fit of the moment; the true fit comes at the end."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._has_mag = setup.has(MAG)
        self._has_pair = setup.has(FRONT) and setup.has(REAR) and setup.has(GYRO)
        self._t: list[Array] = []
        self._values: list[Array] = []
        self._n = self._looked = 0
        self._squares = 0.0
        self._cells = no_cells()
        self._now: Array | None = None

    def push(self, t: Array, values: Array) -> None:
        if not len(t):
            return
        self._t.append(t)
        self._values.append(values)
        self._n += len(t)
        self._squares += float((values[:, GYRO] ** 2).sum())
        if self._n - self._looked >= LOOK_EVERY_S * self._setup.rate_hz:
            self._looked = self._n
            self._look()

    @property
    def progress(self) -> Progress:
        share = float(self._cells.mean())
        seconds = self._n / self._setup.rate_hz
        rate = float(np.sqrt(self._squares / max(self._n, 1)))
        calm = self._has_pair and seconds > 5.0 and rate < BRISK
        full, long = share >= COVERAGE_SHARE, seconds >= LEAST_S
        return Progress(
            share=min(1.0, share / COVERAGE_SHARE, seconds / LEAST_S),
            line=f"{round(share * CELLS)} of {CELLS} directions, {seconds:.0f} s",
            problem=self._problem(calm, full, seconds),
            enough=full and long and not calm,
            cells=self._cells,
            now=self._now,
        )

    def fit(self, draft: Draft) -> Draft:
        """Magnetometer and lever arm, as far as the pen has what they need; all or nothing."""
        t, values = (
            np.concatenate([np.empty(0), *self._t]),
            np.concatenate([np.empty((0, 13)), *self._values]),
        )
        calibration = draft.calibration
        figures: list[Figure] = []
        if self._has_mag:
            calibration, figures = _with_magnetometer(calibration, values, self._setup)
        if self._has_pair:
            corrected = calibration.apply(values.astype(np.float32)).astype(np.float64)
            arm = fit_lever_arm(
                t, corrected[:, FRONT], corrected[:, REAR], corrected[:, GYRO], self._setup.rate_hz
            )
            calibration = replace(calibration, lever_arm_mm=as_vector(arm.arm_mm))
            figures += [
                Figure("distance of the accelerometers", "mm", float(np.linalg.norm(arm.arm_mm))),
                Figure("distance, expected error", "mm", arm.error_mm),
                Figure("accelerometers apart while turning", "m/s2", arm.rms, arm.before),
            ]
        return draft.with_step(StepId.TUMBLE, calibration, figures)

    def _look(self) -> None:
        recent = self._values[-1]
        if not self._has_mag:
            every = thinned(np.concatenate(self._values)[:, FRONT])
            self._cells = occupied(every, at_least=ENOUGH_READINGS)
            self._now = recent[-1, FRONT] / max(float(np.linalg.norm(recent[-1, FRONT])), 1e-9)
            return
        readings = thinned(np.concatenate(self._values)[:, MAG], 1500)
        found = preview(readings)
        if found is None:
            self._cells, self._now = no_cells(), None
            return
        self._cells = occupied(found.unit(readings), at_least=ENOUGH_READINGS)
        now = found.unit(recent[-1:, MAG])[0]
        self._now = now / max(float(np.linalg.norm(now)), 1e-9)

    def _problem(self, calm: bool, full: bool, seconds: float) -> str:
        if calm:
            return "Turn it faster."
        if full and seconds < LEAST_S:
            return "The sphere is filled; keep turning a little longer."
        return ""


def _with_magnetometer(
    calibration: PenCalibration, values: Array, setup: Setup
) -> tuple[PenCalibration, list[Figure]]:
    fit = fit_magnetometer(values[:, MAG], limit=setup.limits.mag)
    figures = [
        Figure("magnetometer", "uT", fit.rms, fit.before),
        Figure("magnetometer, expected error", "deg", fit.expected_deg),
        Figure("magnetometer, sphere seen", "%", 100.0 * fit.coverage),
        Figure("magnetic field", "uT", fit.field_ut),
    ]
    return replace(calibration, mag=fit.correction), figures
