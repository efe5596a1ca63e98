"""A pen whose errors are known: what a calibration has to find, and how it distorts what is true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from calibration.force_curve import ForceCurve
from calibration.sensor import Correction, PenCalibration, as_matrix, as_vector
from penapp.simulation.parameters import Device

Array = NDArray[np.float64]

KNOTS_N = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 4.8)
HYSTERESIS = 0.015
"""The force sensor shows this share more while the load goes."""


@dataclass(frozen=True, slots=True)
class Imperfections:
    """truth: the calibration that undoes this pen's errors exactly (its date and id mean nothing).

    device: what stays when they are undone: noise, field, where the accelerometers sit
    """

    truth: PenCalibration
    device: Device

    @staticmethod
    def draw(seed: int) -> Imperfections:
        """Errors as large as cheap parts have them: raw accelerometers about 0.5 m/s2 off, soft iron 10 %,
        hard iron stronger than half the field, a force sensor that is no straight line.
        """
        rng = np.random.default_rng(seed)
        usual = Device.draw(rng)
        device = replace(
            usual,
            acc_bias=(0.0,) * 6,
            acc_gain=(1.0,) * 6,
            misalign_deg=((0.0, 0.0, 0.0),) * 4,
            gyro_bias=(0.0,) * 3,
            gyro_gain=(1.0,) * 3,
            hard_iron_ut=(0.0,) * 3,
            field_ut=float(np.clip(usual.field_ut, 35.0, 60.0)),
            force_noise=0.006,
        )
        turn = Rotation.from_rotvec(np.deg2rad(rng.normal(0.0, 1.5, 3)))
        rear_gain = turn.as_matrix() @ _symmetric(rng, 0.02)
        soft = _symmetric(rng, 0.08)
        truth = PenCalibration(
            "",
            datetime.fromtimestamp(0, UTC),
            front=_correction(rng.normal(0.0, 0.25, 3), _symmetric(rng, 0.02)),
            rear=_correction(rng.normal(0.0, 0.25, 3), rear_gain),
            gyro=_correction(rng.normal(0.0, 0.03, 3), np.eye(3) + rng.normal(0.0, 0.02, (3, 3))),
            mag=_correction(rng.normal(0.0, 30.0, 3), soft / np.cbrt(np.linalg.det(soft))),
            force_curve=_curve(rng),
            lever_arm_mm=(0.0, 0.0, _apart_mm(device)),
            rotation_deg=as_vector(np.rad2deg(turn.as_rotvec())),
        )
        return Imperfections(truth, device)

    def distorted(self, true: Array, unloading: NDArray[np.bool_], rng: np.random.Generator) -> Array:
        """(n, 13) true values to what the sensors read, noise included; white: as the device states it."""
        out = np.empty_like(true)
        truth, device = self.truth, self.device
        sensors = (truth.front, truth.rear, truth.gyro, truth.mag)
        noises = (device.acc_noise, device.acc_noise, device.gyro_noise, device.mag_noise)
        for i, (sensor, noise) in enumerate(zip(sensors, noises, strict=True)):
            columns = slice(3 * i, 3 * i + 3)
            back = np.linalg.inv(np.asarray(sensor.gain))
            clean = true[:, columns] @ back.T + sensor.offset
            out[:, columns] = clean + rng.standard_normal((len(true), 3)) * noise
        shown = self._shown(true[:, 12] * np.where(unloading, 1.0 + HYSTERESIS, 1.0))
        out[:, 12] = shown + rng.standard_normal(len(true)) * device.force_noise
        return out

    def _shown(self, force_n: Array) -> Array:
        curve = self.truth.force_curve
        if curve is None:
            return force_n
        # The curve upside down, from a table: it rises, so that it can be read the other way.
        table = np.linspace(curve.shown_n[0], curve.shown_n[-1], 4001)
        return np.asarray(np.interp(force_n, curve.apply(table), table))


def _correction(offset: Array, gain: Array) -> Correction:
    return Correction(as_vector(offset), as_matrix(gain))


def _symmetric(rng: np.random.Generator, size: float) -> Array:
    noise = rng.normal(0.0, size, (3, 3))
    return np.asarray(np.eye(3) + (noise + noise.T) / 2.0)


def _apart_mm(device: Device) -> float:
    (front, rear), (front_error, rear_error) = device.site_mm, device.site_error_mm
    return rear + rear_error - front - front_error


def _curve(rng: np.random.Generator) -> ForceCurve:
    """A power law with an offset, as force-sensitive resistors have it."""
    zero, gain, exponent = rng.uniform(0.02, 0.1), rng.uniform(0.85, 1.15), rng.uniform(0.85, 0.97)
    true = np.array(KNOTS_N)
    shown = zero + gain * true**exponent
    return ForceCurve(tuple(float(v) for v in shown), tuple(float(v) for v in true))
