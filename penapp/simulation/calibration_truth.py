"""What is left of a pen's known errors after a calibration: the figures that only a simulation can give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.coverage import centres
from calibration.sensor import Correction, Figure, PenCalibration
from penapp.simulation.imperfections import KNOTS_N
from penapp.simulation.parameters import GRAVITY

Array = NDArray[np.float64]


def remaining(truth: PenCalibration, found: PenCalibration) -> tuple[Figure, ...]:
    """Errors against the truth, before and after the correction, rms over 48 directions.

    What cannot be seen from outside is left out: how the front accelerometer is turned in the pen.
    """
    up = centres()
    return (
        Figure("gyroscope zero", "deg/s", *_zero_error(truth.gyro, found.gyro)),
        Figure(
            "gyroscope at 200 deg/s",
            "deg/s",
            *_rms(truth.gyro, found.gyro, np.deg2rad(200.0) * up, 180 / np.pi),
        ),
        Figure("front accelerometer", "mm/s2", *_rms(truth.front, found.front, GRAVITY * up, 1000.0)),
        Figure("rear accelerometer", "mm/s2", *_rms(truth.rear, found.rear, GRAVITY * up, 1000.0)),
        Figure("magnetometer, direction", "deg", *_direction(truth.mag, found.mag, up, _field_ut(found))),
        Figure("distance of the accelerometers", "mm", *_arm_error(truth, found)),
        Figure("force", "N", *_force_error(truth, found)),
    )


def _read(truth: Correction, true: Array) -> Array:
    """What the sensor reads where (n, 3) is true."""
    return np.asarray(true @ np.linalg.inv(np.asarray(truth.gain)).T + truth.offset)


def _rms(truth: Correction, found: Correction, true: Array, unit: float) -> tuple[float, float]:
    """(after, before) rms length of the error vector."""
    read = _read(truth, true)
    after, before = (np.sqrt(((v - true) ** 2).sum(axis=1).mean()) for v in (found.apply(read), read))
    return float(after) * unit, float(before) * unit


def _zero_error(truth: Correction, found: Correction) -> tuple[float, float]:
    before = np.asarray(truth.offset)
    after = found.apply(before[None])[0]
    return float(np.degrees(np.linalg.norm(after))), float(np.degrees(np.linalg.norm(before)))


def _direction(truth: Correction, found: Correction, true: Array, field_ut: float) -> tuple[float, float]:
    read = _read(truth, field_ut * true)
    after, before = (_angle_deg(v, true) for v in (found.apply(read), read))
    return after, before


def _angle_deg(a: Array, b: Array) -> float:
    across = np.linalg.norm(np.cross(a, b), axis=1)
    return float(np.degrees(np.sqrt(np.mean(np.arctan2(across, (a * b).sum(axis=1)) ** 2))))


def _field_ut(found: PenCalibration) -> float:
    return next((f.after for f in found.figures if f.name == "magnetic field"), 50.0)


def _arm_error(truth: PenCalibration, found: PenCalibration) -> tuple[float, float | None]:
    if truth.lever_arm_mm is None:
        return 0.0, None
    true = np.asarray(truth.lever_arm_mm)
    stated = np.array([0.0, 0.0, 90.0])
    arm = stated if found.lever_arm_mm is None else np.asarray(found.lever_arm_mm)
    return float(np.linalg.norm(arm - true)), float(np.linalg.norm(stated - true))


def _force_error(truth: PenCalibration, found: PenCalibration) -> tuple[float, float]:
    """Over 0.1 to 4 N, loading."""
    if truth.force_curve is None:
        return 0.0, 0.0
    table = np.linspace(truth.force_curve.shown_n[0], truth.force_curve.shown_n[-1], 4001)
    true = np.linspace(KNOTS_N[1], 4.0, 100)
    shown = np.interp(true, truth.force_curve.apply(table), table)
    samples = np.zeros((len(shown), 13), dtype=np.float32)
    samples[:, 12] = shown
    after = found.apply(samples)[:, 12].astype(np.float64)
    return float(np.sqrt(np.mean((after - true) ** 2))), float(np.sqrt(np.mean((shown - true) ** 2)))
