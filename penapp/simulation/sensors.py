"""A rigid pen with thirteen sensors: path, pose and force become what the chips would report."""

from __future__ import annotations

from dataclasses import dataclass

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
"""rad/s per m/s2: texture and taps turn the pen as well; fitted to the measured gyro band above 10 Hz."""


@dataclass(frozen=True, slots=True)
class RigidMotion:
    """What a pen does over n instants at one rate.

    axes:  (n, 3, 3) rows are the pen's axes in paper coordinates
    tip:   (n, 3) m/s2 acceleration of the tip, paper coordinates
    swing: (n, 3) 1/s2 second derivative of the pen's long axis
    rate:  (n, 3) rad/s about the pen's axes
    shake: (n, 3) m/s2 texture and taps, pen axes
    force: (n,) N on the tip
    """

    rate_hz: float
    axes: NDArray[np.float64]
    tip: NDArray[np.float64]
    swing: NDArray[np.float64]
    rate: NDArray[np.float64]
    shake: NDArray[np.float64]
    force: NDArray[np.float64]


def sense(
    path: TipPath,
    pose: Pose,
    force: NDArray[np.float64],
    touch: Touch,
    device: Device,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """(n, 13) float32 in SI units and field order, at the path's rate, with every error of the device."""
    axes = pose.axes()
    motion = RigidMotion(
        path.rate_hz,
        axes,
        second_derivative(path.position * 1e-3, path.rate_hz),
        second_derivative(axes[:, 2], path.rate_hz),
        pose.angular_velocity(),
        _shake(path, force, touch, rng),
        force,
    )
    seen = sensed_force(force, path.rate_hz, device, rng)
    return report(motion, seen, device, field_vector(device, rng), rng)


def report(
    motion: RigidMotion,
    seen_force: NDArray[np.float64],
    device: Device,
    field_ut: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """The thirteen channels of a moving pen in the magnetic field (3,) uT."""
    n, white = len(seen_force), np.sqrt(motion.rate_hz / 100.0)
    out = np.empty((n, 13), dtype=np.float64)
    for i in range(2):
        site = (device.site_mm[i] + device.site_error_mm[i]) * 1e-3
        world = motion.tip + site * motion.swing + GRAVITY * _UP
        body = np.einsum("nij,nj->ni", motion.axes, world) + motion.shake * (1.0 if i == 0 else 0.8)
        columns = slice(3 * i, 3 * i + 3)
        body = (
            body @ _small_rotation(device.misalign_deg[i]) * device.acc_gain[columns]
            + device.acc_bias[columns]
        )
        out[:, columns] = body + rng.standard_normal((n, 3)) * device.acc_noise * white
    gyro = (motion.rate + motion.shake @ _SHAKE_TO_RATE) @ _small_rotation(device.misalign_deg[2])
    noise = rng.standard_normal((n, 3)) * device.gyro_noise * white
    out[:, 6:9] = gyro * device.gyro_gain + device.gyro_bias + noise
    field = motion.axes @ field_ut @ _small_rotation(device.misalign_deg[3])
    out[:, 9:12] = field + device.hard_iron_ut + rng.standard_normal((n, 3)) * device.mag_noise * white
    out[:, 12] = seen_force
    return out.astype(np.float32)


def field_vector(device: Device, rng: np.random.Generator) -> NDArray[np.float64]:
    """The local magnetic field, (3,) uT in paper coordinates; the paper lies any way round."""
    heading, dip = rng.uniform(0.0, 2.0 * np.pi), np.deg2rad(device.dip_deg)
    level = np.cos(dip)
    return device.field_ut * np.array([level * np.cos(heading), level * np.sin(heading), -np.sin(dip)])


def second_derivative(x: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
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
    texture = rng.standard_normal((n, 3)) * (0.21 * np.sqrt(rate / 100.0) * drive)[:, None]
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


def _small_rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    x, y, z = np.deg2rad(degrees)
    return np.array([[1.0, -z, y], [z, 1.0, -x], [-y, x, 1.0]])
