"""Step "poses": accelerometers from the rests, the gyroscope's axes from the turns between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from calibration.draft import Draft, Setup
from calibration.fit_accelerometer import (
    AccelerometerFit,
    different_poses,
    fit_accelerometer,
    missing_sides,
)
from calibration.fit_gyro import Turn, fit_gyro_bias, fit_gyro_gain
from calibration.fit_pair import fit_rotation
from calibration.progress import Progress, no_points
from calibration.rest import Rest, RestFinder
from calibration.sensor import Correction, Figure, PenCalibration, as_matrix, as_vector
from calibration.steps import POSES, StepId

FRONT, REAR, GYRO = slice(0, 3), slice(3, 6), slice(6, 9)
MAX_TURN_S = 12.0
PROBLEM_AFTER_S = 6.0

Array = NDArray[np.float64]


class PoseRecorder:
    """Takes a pose whenever the pen lies still; poses that were there already do not count."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._finder = RestFinder(setup.rate_hz)
        self._rests: list[Rest] = []
        self._t: list[Array] = []
        self._values: list[Array] = []

    def push(self, t: Array, values: Array) -> None:
        self._t.append(t)
        self._values.append(values)
        self._rests += self._finder.push(values)

    @property
    def progress(self) -> Progress:
        rests = self._all()
        poses = np.array([rest.mean[FRONT] for rest in rests]).reshape(-1, 3)
        poses = poses[different_poses(poses)] if len(poses) else poses
        missing = missing_sides(poses)
        enough = len(poses) >= POSES and not missing
        units = poses / np.linalg.norm(poses, axis=1, keepdims=True) if len(poses) else no_points()
        last = self._values[-1][-1, FRONT] if self._values and len(self._values[-1]) else None
        share = min(1.0, len(poses) / POSES) if not missing else min(0.95, len(poses) / POSES)
        return Progress(
            share=share,
            line=f"{len(poses)} of {POSES:.0f} poses",
            problem=self._problem(len(poses), missing),
            enough=enough,
            resting=self._finder.resting,
            points=units,
            now=None if last is None else last / max(float(np.linalg.norm(last)), 1e-9),
        )

    def fit(self, draft: Draft) -> Draft:
        """All or nothing: a refusal leaves the draft as it was."""
        rests = self._all()
        means = np.array([rest.mean for rest in rests]).reshape(-1, 13)
        limit = self._setup.limits.front
        front = fit_accelerometer(means[:, FRONT], limit=limit, sensor="front accelerometer")
        figures = _figures("front accelerometer", front)
        calibration = replace(draft.calibration, front=front.correction)
        if self._setup.has(REAR):
            calibration, more = self._with_rear(calibration, means)
            figures += more
        if self._setup.has(GYRO):
            calibration, more = self._with_gyro(calibration, draft, rests)
            figures += more
        return draft.with_step(StepId.POSES, calibration, figures)

    def _with_rear(self, calibration: PenCalibration, means: Array) -> tuple[PenCalibration, list[Figure]]:
        """The rear accelerometer's own errors, and its axes turned into the front one's."""
        fit = fit_accelerometer(means[:, REAR], limit=self._setup.limits.rear, sensor="rear accelerometer")
        front, rear = calibration.front.apply(means[:, FRONT]), fit.correction.apply(means[:, REAR])
        pair = fit_rotation(front, rear)
        gain = as_matrix(pair.rotation @ np.asarray(fit.correction.gain))
        rotation = as_vector(np.degrees(Rotation.from_matrix(pair.rotation).as_rotvec()))
        updated = replace(calibration, rear=Correction(fit.correction.offset, gain), rotation_deg=rotation)
        apart = Figure("accelerometers against each other", "deg", pair.residual_deg, pair.angle_deg)
        return updated, [*_figures("rear accelerometer", fit), apart]

    def _with_gyro(
        self, calibration: PenCalibration, draft: Draft, rests: Sequence[Rest]
    ) -> tuple[PenCalibration, list[Figure]]:
        at_rest = StepId.REST in draft.measured
        offset = np.asarray(draft.calibration.gyro.offset)
        if not at_rest:
            offset = fit_gyro_bias(rests, self._setup.rate_hz).offset
        found = fit_gyro_gain(self._turns(calibration.front, rests), offset, self._setup.rate_hz)
        figure = Figure("gyroscope after a turn", "deg", found.residual_deg, found.before_deg)
        return replace(calibration, gyro=found.correction), [figure]

    def _turns(self, front: Correction, rests: Sequence[Rest]) -> list[Turn]:
        t, values = np.concatenate(self._t), np.concatenate(self._values)
        turns = []
        for a, b in pairwise(rests):
            between = slice(a.stop, b.start + 1)
            times = t[between]
            gap = bool((np.abs(np.diff(times)) > 1.5 / self._setup.rate_hz).any())
            if gap or len(times) < 2 or times[-1] - times[0] > MAX_TURN_S:
                continue
            before, after = front.apply(np.stack([a.mean[FRONT], b.mean[FRONT]]))
            turns.append(Turn(before, after, values[between, GYRO]))
        return turns

    def _all(self) -> list[Rest]:
        current = self._finder.current
        return [*self._rests, current] if current is not None else list(self._rests)

    def _problem(self, count: int, missing: Sequence[str]) -> str:
        if count >= POSES / 2 and missing:
            return f"Still missing: the {', the '.join(missing)}."
        if self._finder.resting_s > PROBLEM_AFTER_S:
            return "Taken. Turn the pen to another pose."
        return ""


def _figures(sensor: str, fit: AccelerometerFit) -> list[Figure]:
    return [
        Figure(sensor, "mm/s2", 1000.0 * fit.rms, 1000.0 * fit.before),
        Figure(f"{sensor}, expected error", "mm/s2", 1000.0 * fit.expected),
    ]
