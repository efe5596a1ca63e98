"""The gyroscope's zero, from rests; its scale and axes, from turns between two rests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from calibration.errors import FitRefusedError, Reason
from calibration.rest import Rest
from calibration.sensor import Correction, as_matrix, as_vector

MIN_REST_S = 8.0
MAX_BIAS = 0.35
"""rad/s; chips state 10 deg/s at worst, 20 is a pen that is being turned."""
MAX_BETWEEN = 0.02
"""rad/s between two rests: more is a pen that was moved, or one that is warming up."""
MIN_TURNS, MIN_TURN_DEG = 12, 20.0
MAX_CONDITION = 80.0
MAX_RESIDUAL_DEG = 3.0
STEP_S = 0.01

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GyroBias:
    """offset (3,) rad/s; sd (3,): noise of a sample; error: expected error of the offset, rad/s; rest_s."""

    offset: Array
    sd: Array
    error: float
    rest_s: float


def fit_gyro_bias(rests: Sequence[Rest], rate_hz: float) -> GyroBias:
    """Mean of the gyroscope over all rests."""
    rest_s = sum(len(rest) for rest in rests) / rate_hz
    if rest_s < MIN_REST_S:
        raise FitRefusedError(
            Reason.TOO_FEW,
            f"the pen lay still for {rest_s:.1f} s in all, at least {MIN_REST_S:.0f} s are needed.",
            advice="Put it down on a table that nobody touches and take your hand away.",
        )
    weight = np.array([len(rest) for rest in rests], dtype=np.float64)
    means = np.array([rest.mean[6:9] for rest in rests])
    offset = weight @ means / weight.sum()
    between = float(np.abs(means - offset).max())
    if not np.isfinite(offset).all() or np.abs(offset).max() > MAX_BIAS:
        raise FitRefusedError(
            Reason.IMPLAUSIBLE,
            f"the gyroscope reads {np.abs(offset).max():.2f} rad/s at rest, expected at most {MAX_BIAS}.",
            advice="Was the pen turning evenly? Put it down and measure again.",
        )
    if between > MAX_BETWEEN:
        raise FitRefusedError(
            Reason.MOVED,
            f"the gyroscope's zero differs by {between:.3f} rad/s from rest to rest, at most {MAX_BETWEEN}.",
            advice="Let the pen warm up for a minute, and do not touch it while it rests.",
        )
    sd = np.sqrt(weight @ np.array([rest.sd[6:9] ** 2 for rest in rests]) / weight.sum())
    return GyroBias(offset, sd, float(np.linalg.norm(sd) / np.sqrt(weight.sum())), rest_s)


@dataclass(frozen=True, slots=True)
class Turn:
    """From one pose to another: gravity's direction before and after (3,), pen frame; rate (n, 3) rad/s."""

    before: Array
    after: Array
    rate: Array


@dataclass(frozen=True, slots=True)
class GyroGain:
    """correction: offset and gain; before_deg, residual_deg: rms angle that gravity is off after a turn."""

    correction: Correction
    before_deg: float
    residual_deg: float
    turns: int


def fit_gyro_gain(turns: Sequence[Turn], offset: Array, rate_hz: float) -> GyroGain:
    """The gain (3, 3) that lets every turn carry gravity where the accelerometers see it afterwards.

    The gyroscope is put into the frame of the accelerometers by the same nine numbers. Tedaldi et al., 2014.
    """
    usable = [t for t in turns if _angle_deg(t.before, t.after) >= MIN_TURN_DEG]
    if len(usable) < MIN_TURNS:
        raise FitRefusedError(
            Reason.TOO_FEW,
            f"{len(usable)} turns of more than {MIN_TURN_DEG:.0f} degrees between poses, {MIN_TURNS} needed.",
            advice="Turn the pen further from one pose to the next.",
        )
    before = np.array([t.before / np.linalg.norm(t.before) for t in usable])
    after = np.array([t.after / np.linalg.norm(t.after) for t in usable])
    steps = _padded([_steps(t.rate - offset, rate_hz) for t in usable])

    def residual(gain: Array) -> Array:
        return np.asarray((_carried(before, steps @ gain.reshape(3, 3).T) - after).ravel())

    plain = residual(np.eye(3).ravel())
    found = least_squares(residual, np.eye(3).ravel(), loss="soft_l1", f_scale=0.02, max_nfev=12, xtol=1e-7)
    jacobian = np.asarray(found.jac, dtype=np.float64)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    if singular[0] > MAX_CONDITION * singular[-1]:
        raise FitRefusedError(
            Reason.NOT_SPREAD,
            "the turns between the poses do not tell the gyroscope's axes apart.",
            advice="Turn the pen about its long axis as well as end over end, to either side.",
        )
    off_deg = _rms_deg(residual(found.x))
    if off_deg > MAX_RESIDUAL_DEG:
        raise FitRefusedError(
            Reason.DISTURBED,
            f"after a turn gravity is {off_deg:.1f} degrees off, at most {MAX_RESIDUAL_DEG:.0f} expected.",
            advice="Turn the pen more slowly, without knocks, and let it lie still in every pose.",
        )
    gain = np.asarray(found.x, dtype=np.float64).reshape(3, 3)
    correction = Correction(as_vector(offset), as_matrix(gain))
    return GyroGain(correction, _rms_deg(plain), off_deg, len(usable))


def _steps(rate: Array, rate_hz: float) -> Array:
    """(n, 3) rad/s to (m, 3) small rotations, each over at most 10 ms: trapezoids, summed."""
    small = 0.5 * (rate[1:] + rate[:-1]) / rate_hz
    together = max(1, round(STEP_S * rate_hz))
    return np.asarray(np.add.reduceat(small, np.arange(0, len(small), together), axis=0))


def _carried(start: Array, steps: Array) -> Array:
    """(k, 3) directions, fixed in space, as a pen that turns by (k, n, 3) rad sees them at the end."""
    k, n = steps.shape[:2]
    turned = Rotation.from_rotvec(-steps.reshape(-1, 3)).as_matrix().reshape(k, n, 3, 3)
    seen = start
    for i in range(n):
        seen = np.einsum("kij,kj->ki", turned[:, i], seen)
    return seen


def _padded(turns: list[Array]) -> Array:
    """(k, n, 3) with zeros behind the shorter ones: no more turning."""
    out = np.zeros((len(turns), max(map(len, turns)), 3))
    for row, steps in zip(out, turns, strict=True):
        row[: len(steps)] = steps
    return out


def _angle_deg(a: Array, b: Array) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def _rms_deg(residual: Array) -> float:
    return float(np.degrees(np.sqrt((residual.reshape(-1, 3) ** 2).sum(axis=1).mean())))
