"""A rigid pen with thirteen sensors: path, pose and force become what the chips would report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from penapp.simulation.attitude import Pose
from penapp.simulation.contact import sensed_force
from penapp.simulation.parameters import GRAVITY, Device, Touch
from penapp.simulation.path import TipPath

_UP = np.array([0.0, 0.0, 1.0])

_SHAKE_TO_RATE = np.array([[0.0, 0.07, 0.03], [-0.07, 0.0, 0.03], [0.16, 0.16, 0.1]])
"""rad/s per m/s2: texture and taps turn the pen a little as well; fitted to the measured gyro band above 10 Hz."""


def sense(
    path: TipPath,
    pose: Pose,
    force: NDArray[np.float64],
    touch: Touch,
    device: Device,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """(n, 13) float32 in SI units and field order, at the path's rate, with every error of the device."""
    rate, n = path.rate_hz, len(force)
    axes = pose.axes()
    tip = _second_derivative(path.position * 1e-3, rate)
    swing = _second_derivative(axes[:, 2], rate)
    shake = _shake(path, force, touch, rng)
    out = np.empty((n, 13), dtype=np.float64)
    for i in range(2):
        site = (device.site_mm[i] + device.site_error_mm[i]) * 1e-3
        world = tip + site * swing + GRAVITY * _UP
        body = np.einsum("nij,nj->ni", axes, world) + shake * (1.0 if i == 0 else 0.8)
        columns = slice(3 * i, 3 * i + 3)
        body = (
            body @ _small_rotation(device.misalign_deg[i]) * device.acc_gain[columns]
            + device.acc_bias[columns]
        )
        out[:, columns] = body + rng.standard_normal((n, 3)) * device.acc_noise * np.sqrt(rate / 100.0)
    body_rate = pose.angular_velocity() + shake @ _SHAKE_TO_RATE
    gyro = body_rate @ _small_rotation(device.misalign_deg[2]) * device.gyro_gain
    noise = rng.standard_normal((n, 3)) * device.gyro_noise * np.sqrt(rate / 100.0)
    out[:, 6:9] = gyro + device.gyro_bias + noise
    out[:, 9:12] = _magnetometer(axes, device, rng)
    out[:, 12] = sensed_force(force, rate, device, rng)
    return out.astype(np.float32)


def _second_derivative(x: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    out = np.zeros_like(x)
    out[1:-1] = (x[2:] - 2.0 * x[1:-1] + x[:-2]) * rate_hz**2
    return out


def _shake(
    path: TipPath, force: NDArray[np.float64], touch: Touch, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(n, 3) m/s2 in pen axes: paper texture while moving in contact, and a ringing tap at each touchdown."""
    rate, n = path.rate_hz, len(force)
    step = np.diff(path.position[:, :2], axis=0, prepend=path.position[:1, :2])
    speed = np.hypot(step[:, 0], step[:, 1]) * rate
    drive = touch.friction * np.sqrt(np.maximum(force, 0.0)) * np.minimum(speed / 30.0, 2.5)
    texture = rng.standard_normal((n, 3)) * (0.24 * np.sqrt(rate / 100.0) * drive)[:, None]
    texture = texture - 0.6 * gaussian_filter1d(texture, 0.02 * rate, axis=0)
    taps = np.zeros(n)
    for word in path.words:
        for start, end in word.stroke_t:
            a, b = min(int(np.ceil(start * rate)), n - 1), min(int(end * rate), n - 1)
            taps[a] += touch.tap * rng.lognormal(0.0, 0.4)
            taps[b] -= 0.35 * touch.tap * rng.lognormal(0.0, 0.4)
    ring_hz, decay_s = rng.uniform(18.0, 45.0), rng.uniform(0.008, 0.02)
    pole = np.exp(-1.0 / (decay_s * rate) + 2j * np.pi * min(ring_hz / rate, 0.4))
    ringing = lfilter([1.0], [1.0, -2.0 * pole.real, abs(pole) ** 2], taps * min(100.0 / rate, 1.0))
    return np.asarray(texture + ringing[:, None] * np.array([0.3, 0.3, 1.0]))


def _magnetometer(axes: NDArray[np.float64], device: Device, rng: np.random.Generator) -> NDArray[np.float64]:
    heading, dip = rng.uniform(0.0, 2.0 * np.pi), np.deg2rad(device.dip_deg)
    level = np.cos(dip)
    north = device.field_ut * np.array([level * np.cos(heading), level * np.sin(heading), -np.sin(dip)])
    body = axes @ north @ _small_rotation(device.misalign_deg[3])
    return np.asarray(body + device.hard_iron_ut + rng.standard_normal(body.shape) * device.mag_noise)


def _small_rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    x, y, z = np.deg2rad(degrees)
    return np.array([[1.0, -z, y], [z, 1.0, -x], [-y, x, 1.0]])
