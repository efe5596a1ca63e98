"""How the two accelerometers sit to each other: rotation from poses at rest, distance from a tumble.

Rotation: Kabsch, Acta Cryst. A32 (1976) 922. Lever arm: on a rigid body the difference of two accelerations
is (d omega / dt) x r + omega x (omega x r), linear in r; what is left of their zeros is fitted beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter
from scipy.spatial.transform import Rotation

from calibration.checks import checked
from calibration.errors import FitRefusedError, Reason

MIN_POSES = 6
MAX_ROTATION_DEG = 15.0
MAX_RESIDUAL_DEG = 1.0
SMOOTH_S = 0.07
MIN_TUMBLE_S = 8.0
MAX_ERROR_MM = 1.5
MODEL_SHARE = 0.01
ARM_MM = (5.0, 300.0)

Array = NDArray[np.float64]
_FASTER = "Turn the pen faster, to and fro as well as round and round, for ten seconds more."


@dataclass(frozen=True, slots=True)
class PairRotation:
    """rotation (3, 3): rear axes into the front's frame; angle_deg: its size; residual_deg: rms left over."""

    rotation: Array
    angle_deg: float
    residual_deg: float


@dataclass(frozen=True, slots=True)
class LeverArm:
    """arm_mm (3,): rear accelerometer minus front one, front's frame; error_mm: expected error; rms m/s2:
    difference of the accelerometers that the arm does not explain, and before: all of it.
    """

    arm_mm: Array
    error_mm: float
    before: float
    rms: float


def fit_rotation(front: NDArray[np.floating], rear: NDArray[np.floating]) -> PairRotation:
    """(k, 3) corrected gravity in the same poses, seen by both accelerometers."""
    advice = "Measure more poses at rest."
    a = checked(front, MIN_POSES, "poses seen by both accelerometers", advice)
    b = checked(rear, MIN_POSES, "poses seen by both accelerometers", advice)
    a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    if np.linalg.svd(a, compute_uv=False)[1] < 0.2 * np.sqrt(len(a)):
        raise FitRefusedError(Reason.NOT_SPREAD, "the poses lie along one line.", advice=advice)
    found, _ = Rotation.align_vectors(a, b)
    off = np.linalg.norm(a - found.apply(b), axis=1)
    residual = float(np.degrees(np.sqrt(np.mean(off**2))))
    angle = float(np.degrees(found.magnitude()))
    if residual > MAX_RESIDUAL_DEG or angle > MAX_ROTATION_DEG:
        raise FitRefusedError(
            Reason.IMPLAUSIBLE,
            f"the accelerometers disagree by {angle:.1f} degrees ({residual:.1f} left over), "
            f"expected at most {MAX_ROTATION_DEG:.0f} ({MAX_RESIDUAL_DEG:.0f}).",
            advice="Check the sensors' mounts in the pen's descriptor.",
        )
    return PairRotation(np.asarray(found.as_matrix()), angle, residual)


def fit_lever_arm(t: Array, front: Array, rear: Array, rate: Array, rate_hz: float) -> LeverArm:
    """Corrected samples of a tumble: t (n,) s; front, rear (n, 3) m/s2 in one frame; rate (n, 3) rad/s."""
    checked(
        np.column_stack([front, rear, rate]), round(MIN_TUMBLE_S * rate_hz), "samples of a tumble", _FASTER
    )
    parts = [_terms(front[a:b], rear[a:b], rate[a:b], rate_hz) for a, b in _unbroken(t, rate_hz)]
    if not parts:
        raise FitRefusedError(Reason.TOO_FEW, "the tumble is full of gaps.", advice="Improve the link first.")
    matrix = np.concatenate([part[0] for part in parts])
    difference = np.concatenate([part[1] for part in parts])
    constant = np.tile(np.eye(3), (len(matrix) // 3, 1))
    matrix = np.hstack([matrix, constant])
    found, _, rank, _ = np.linalg.lstsq(matrix, difference, rcond=None)
    arm, left = found[:3], difference - matrix @ found
    rms = float(np.sqrt(np.mean(left.reshape(-1, 3) ** 2) * 3.0))
    # Smoothing makes neighbours alike: one independent reading for each window.
    window = max(1.0, SMOOTH_S * rate_hz)
    normal = np.linalg.inv(matrix.T @ matrix / window) if rank == 6 else np.full((6, 6), np.inf)
    error_mm = 1000.0 * float(np.sqrt(np.mean(left**2) * np.trace(normal[:3, :3])))
    length_mm = 1000.0 * float(np.linalg.norm(arm))
    if not error_mm <= MAX_ERROR_MM + MODEL_SHARE * length_mm:
        raise FitRefusedError(
            Reason.NOT_SPREAD,
            f"the tumble was too calm: the lever arm is known to {error_mm:.1f} mm only.",
            advice=_FASTER,
        )
    if not ARM_MM[0] <= length_mm <= ARM_MM[1]:
        raise FitRefusedError(
            Reason.IMPLAUSIBLE,
            f"the accelerometers would be {length_mm:.0f} mm apart, "
            f"expected {ARM_MM[0]:.0f} to {ARM_MM[1]:.0f}.",
            advice="Check the gyroscope's and the accelerometers' scales in the pen's firmware.",
        )
    before = float(np.sqrt(np.mean(difference**2) * 3.0))
    return LeverArm(1000.0 * np.asarray(arm), error_mm, before, rms)


def _terms(front: Array, rear: Array, rate: Array, rate_hz: float) -> tuple[Array, Array]:
    """(3n, 3) and (3n,): what multiplies the arm, and the difference that it explains; equally smoothed."""
    window = max(5, 2 * round(SMOOTH_S * rate_hz / 2) + 1)
    difference = savgol_filter(rear - front, window, 3, axis=0)
    growth = savgol_filter(rate, window, 3, deriv=1, delta=1.0 / rate_hz, axis=0)
    # The mean of products is not the product of means: smooth omega x (omega x .) as a whole.
    outer = np.einsum("ni,nj->nij", rate, rate)
    square = (rate**2).sum(axis=1)[:, None, None] * np.eye(3)
    matrix = savgol_filter(outer - square, window, 3, axis=0) + _cross(growth)
    inner = slice(window, len(rate) - window)
    return matrix[inner].reshape(-1, 3), difference[inner].ravel()


def _cross(v: Array) -> Array:
    """(n, 3, 3) with out @ r = v x r."""
    zero = np.zeros(len(v))
    x, y, z = v.T
    rows = [np.stack([zero, -z, y], -1), np.stack([z, zero, -x], -1), np.stack([-y, x, zero], -1)]
    return np.stack(rows, axis=1)


def _unbroken(t: Array, rate_hz: float) -> list[tuple[int, int]]:
    """Stretches without a gap that are longer than half a second."""
    cuts = np.flatnonzero(np.abs(np.diff(t)) > 1.5 / rate_hz) + 1
    edges = [0, *(int(c) for c in cuts), len(t)]
    return [(a, b) for a, b in pairwise(edges) if b - a > 0.5 * rate_hz]
