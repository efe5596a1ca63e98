"""An accelerometer's zero, scales and skew, from poses at rest: gravity has the same length in each.

Nine numbers, no fixture, no level: D. Tedaldi, A. Pretto, E. Menegatti, "A robust and easy to implement
method for IMU calibration without external equipments", ICRA 2014 (its accelerometer step).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.checks import check_limit, checked
from calibration.ellipsoid import Ellipsoid, Refined, refine
from calibration.errors import FitRefusedError, Reason
from calibration.sensor import Correction, as_matrix, as_vector

GRAVITY = 9.81
"""m/s2. Places differ by 0.3 % at most; the difference is a scale that both accelerometers share."""
MIN_POSES = 18
NEW_POSE_DEG = 12.0
"""A pose this near to one that is there already adds nothing."""
LEAST_SIGMA = 0.003 / GRAVITY
"""Noise of a pose's mean when the residuals say less."""
SOFT = 0.03 / GRAVITY
KNOCKED, MAX_KNOCKED = 0.03, 0.15
"""A pose this far off (m/s2), and further than the others, was knocked; more of them are no accident."""
MAX_RMS = 0.06
"""m/s2; more left over is not this sensor's noise."""
MAX_EXPECTED = 0.06
MAX_OFFSET, MAX_GAIN = 2.5, 0.25
SIDE_COS = 0.7
"""A pose shows a side of the pen when gravity is within 45 degrees of it."""

Array = NDArray[np.float64]
_ADVICE = "Lean the pen against books or a cup: tip up, tip down, and rolled to every side."


@dataclass(frozen=True, slots=True)
class AccelerometerFit:
    """correction: m/s2; before, rms: how far |a| is from g in the poses, rms m/s2, raw and corrected.

    expected: error of a corrected sample to be expected in the worst direction, m/s2
    condition: of the least-squares problem; poses: how many different ones were used
    """

    correction: Correction
    before: float
    rms: float
    expected: float
    condition: float
    poses: int


def fit_accelerometer(
    poses: NDArray[np.floating], *, limit: float | None = None, sensor: str = "accelerometer"
) -> AccelerometerFit:
    """(k, 3) m/s2, the mean of each rest, to the correction that makes all of them g long."""
    found = checked(poses, 1, f"poses of the {sensor}", _ADVICE)
    check_limit(found, limit, sensor, "Choose a larger range for it, or measure away from vibration.")
    distinct = found[different_poses(found)]
    _check_spread(distinct, sensor)
    fit = _fitted(distinct)
    distinct = distinct[_unknocked(fit.residual)]
    if len(distinct) < len(fit.residual):
        _check_spread(distinct, sensor)
        fit = _fitted(distinct)
    gain = fit.ellipsoid.gain * GRAVITY
    rms = float(np.sqrt(np.mean(fit.residual**2))) * GRAVITY
    expected = float(np.hypot(fit.worst_across, fit.worst_along)) * GRAVITY
    if rms > MAX_RMS or not fit.converged:
        raise FitRefusedError(
            Reason.MOVED,
            f"the {sensor} is {1000 * rms:.0f} mm/s2 off in its poses after the fit, "
            f"at most {1000 * MAX_RMS:.0f} expected.",
            advice="The pen moved in some of them: do not hold it in the hand, and keep the table quiet.",
        )
    if np.abs(fit.ellipsoid.centre).max() > MAX_OFFSET or np.abs(gain - np.eye(3)).max() > MAX_GAIN:
        raise FitRefusedError(
            Reason.IMPLAUSIBLE,
            f"the {sensor} would need an offset of {np.abs(fit.ellipsoid.centre).max():.1f} m/s2 and a gain "
            f"{np.abs(gain - np.eye(3)).max():.2f} away from 1.",
            advice="Check its range and scale in the pen's firmware.",
        )
    if expected > MAX_EXPECTED:
        raise FitRefusedError(
            Reason.NOT_SPREAD,
            f"these poses leave an error of {1000 * expected:.0f} mm/s2 in the {sensor}, "
            f"at most {1000 * MAX_EXPECTED:.0f} wanted.",
            advice=f"Add poses that differ more. {_ADVICE}",
        )
    correction = Correction(as_vector(fit.ellipsoid.centre), as_matrix(gain))
    return AccelerometerFit(correction, _off(distinct), rms, expected, fit.condition, len(distinct))


def different_poses(poses: Array) -> NDArray[np.intp]:
    """Indices of poses at least NEW_POSE_DEG apart, the first of each kind."""
    kept: list[int] = []
    units = poses / np.maximum(np.linalg.norm(poses, axis=1, keepdims=True), 1e-12)
    nearest = np.cos(np.deg2rad(NEW_POSE_DEG))
    for k, unit in enumerate(units):
        if not kept or float((units[kept] @ unit).max()) < nearest:
            kept.append(k)
    return np.array(kept, dtype=np.intp)


SIDES = ("tip up", "tip down", "logo up", "logo down", "right side up", "left side up")
_SIDE_AXES = np.array([[0, 0, -1], [0, 0, 1], [0, -1, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0]], dtype=np.float64)


def missing_sides(poses: Array) -> tuple[str, ...]:
    """Which of the six sides no pose has shown yet; the reading at rest points up, z towards the tail."""
    if not len(poses):
        return SIDES
    units = poses / np.maximum(np.linalg.norm(poses, axis=1, keepdims=True), 1e-12)
    seen = (units @ _SIDE_AXES.T).max(axis=0) >= SIDE_COS
    return tuple(name for name, shown in zip(SIDES, seen, strict=True) if not shown)


def _check_spread(distinct: Array, sensor: str) -> None:
    if len(distinct) < MIN_POSES:
        raise FitRefusedError(
            Reason.TOO_FEW,
            f"{len(distinct)} different poses of the {sensor}, at least {MIN_POSES} needed.",
            advice=_ADVICE,
        )
    missing = missing_sides(distinct)
    if missing:
        raise FitRefusedError(
            Reason.NOT_SPREAD,
            f"the {sensor} has seen no pose with the {', the '.join(missing)}.",
            advice="Add poses on those sides.",
        )


def _fitted(poses: Array) -> Refined:
    return refine(poses, Ellipsoid(np.zeros(3), np.eye(3) / GRAVITY), soft=SOFT, least_sigma=LEAST_SIGMA)


def _unknocked(residual: Array) -> NDArray[np.bool_]:
    """All poses but the few that stand out; all of them when many do."""
    size = np.abs(residual)
    kept = np.asarray(size <= max(KNOCKED / GRAVITY, 6.0 * 1.4826 * float(np.median(size))))
    return kept if np.mean(kept) >= 1.0 - MAX_KNOCKED else np.ones_like(kept)


def _off(poses: Array) -> float:
    return float(np.sqrt(np.mean((np.linalg.norm(poses, axis=1) - GRAVITY) ** 2)))
