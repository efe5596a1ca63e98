"""Single sensors with known errors, and the figures that a fit has to reach on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.coverage import centres
from calibration.fit_accelerometer import GRAVITY
from calibration.sensor import Correction

Array = NDArray[np.float64]
FIELD_UT, MAG_NOISE_UT = 48.0, 0.6
ACC_NOISE, POSE_SAMPLES = 0.03, 150


@dataclass(frozen=True)
class Sensor:
    """read = inverse(gain) @ true + offset; symmetric gain, so that the truth can be found whole."""

    gain: Array
    offset: Array

    def read(self, true: Array) -> Array:
        return true @ np.linalg.inv(self.gain).T + self.offset

    def error(self, correction: Correction, true: Array) -> float:
        """rms length of what is left."""
        return float(np.sqrt(((correction.apply(self.read(true)) - true) ** 2).sum(axis=1).mean()))

    def angle_deg(self, correction: Correction, true: Array) -> float:
        """rms angle to the truth."""
        found = correction.apply(self.read(true))
        across = np.linalg.norm(np.cross(found, true), axis=1)
        return float(np.degrees(np.sqrt(np.mean(np.arctan2(across, (found * true).sum(axis=1)) ** 2))))


def symmetric(rng, size):
    noise = rng.normal(0.0, size, (3, 3))
    return np.eye(3) + (noise + noise.T) / 2.0


def magnetometer(rng):
    soft = symmetric(rng, 0.12)
    return Sensor(soft / np.cbrt(np.linalg.det(soft)), rng.normal(0.0, 45.0, 3))


def accelerometer(rng):
    return Sensor(symmetric(rng, 0.02), rng.normal(0.0, 0.25, 3))


def directions(rng, n):
    """(n, 3) unit vectors, even at random."""
    found = rng.standard_normal((n, 3))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def cone(rng, n, full_angle_deg):
    """(n, 3) unit vectors inside a cone of that opening about a random axis."""
    z = rng.uniform(np.cos(np.deg2rad(full_angle_deg / 2)), 1.0, n)
    turn, level = rng.uniform(0.0, 2.0 * np.pi, n), np.sqrt(1.0 - z * z)
    found = np.stack([level * np.cos(turn), level * np.sin(turn), z], axis=1)
    return found @ np.linalg.qr(rng.standard_normal((3, 3)))[0]


def mag_readings(rng, sensor, true, outliers=0.0):
    """A tumble: noise, and a share of readings that are anywhere within 100 uT."""
    read = sensor.read(true * FIELD_UT) + rng.normal(0.0, MAG_NOISE_UT, true.shape)
    wrong = rng.random(len(true)) < outliers
    read[wrong] += rng.uniform(-100.0, 100.0, (int(wrong.sum()), 3))
    return read


def poses(rng, sensor, count):
    """Means of `count` rests, spread as a careful hand spreads them: even, 15 degrees off."""
    k = np.arange(count) + 0.5
    z, turn = 1.0 - 2.0 * k / count, np.pi * (1.0 + np.sqrt(5.0)) * k
    even = np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], axis=1)
    off = even + np.deg2rad(15.0) * rng.standard_normal((count, 3)) / np.sqrt(2.0)
    up = off / np.linalg.norm(off, axis=1, keepdims=True)
    return sensor.read(GRAVITY * up) + rng.normal(0.0, ACC_NOISE / np.sqrt(POSE_SAMPLES), (count, 3))


def sphere(radius):
    return radius * centres()
