"""How the pen leans while it writes: pose angles, their rotation matrices and angular velocity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from penapp.simulation.parameters import Grip
from penapp.simulation.path import TipPath


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles in rad, (n,) each: altitude above paper, azimuth of the tail (clockwise from +y), roll."""

    rate_hz: float
    altitude: NDArray[np.float64]
    azimuth: NDArray[np.float64]
    roll: NDArray[np.float64]

    def axes(self) -> NDArray[np.float64]:
        """(n, 3, 3): row i is the pen's axis i (x, y, z = tip to tail) in paper coordinates."""
        sa, ca = np.sin(self.altitude), np.cos(self.altitude)
        sz, cz = np.sin(self.azimuth), np.cos(self.azimuth)
        sr, cr = np.sin(self.roll), np.cos(self.roll)
        zero = np.zeros_like(sa)
        u = np.stack([ca * sz, ca * cz, sa], axis=-1)
        h = np.stack([cz, -sz, zero], axis=-1)
        e = np.stack([sa * sz, sa * cz, -ca], axis=-1)
        x = cr[:, None] * h + sr[:, None] * e
        y = -sr[:, None] * h + cr[:, None] * e
        return np.stack([x, y, u], axis=1)

    def angular_velocity(self) -> NDArray[np.float64]:
        """(n, 3) rad/s about the pen's own axes."""
        d_alt, d_azi, d_roll = (
            np.gradient(a, 1.0 / self.rate_hz) for a in (self.altitude, self.azimuth, self.roll)
        )
        sa, ca = np.sin(self.altitude), np.cos(self.altitude)
        sr, cr = np.sin(self.roll), np.cos(self.roll)
        return np.stack(
            [d_azi * ca * sr + d_alt * cr, d_azi * ca * cr - d_alt * sr, -d_azi * sa + d_roll], axis=-1
        )


_REST = 0.25
"""Wobble of a resting hand, as a share of the wobble of a writing one."""

_BURST_SD, _BURST_S = 0.65, 0.12
"""The wobble comes in bursts: lognormal spread of its strength, and how long one lasts (s)."""


def pose_of(path: TipPath, grip: Grip, rng: np.random.Generator) -> Pose:
    """Angles that follow the fingers (coupled to the tip), wobble and wander."""
    rate = path.rate_hz
    unrest = _unrest(rng, path)

    def wander(fast_sd: float, slow_factor: float) -> NDArray[np.float64]:
        """Degrees: fast wobble of about 3 Hz plus slow drift, both smooth enough to have an acceleration."""
        fast = _smooth_noise(rng, len(unrest), 0.04 * rate) * unrest * fast_sd
        slow = _smooth_noise(rng, len(unrest), grip.drift_s * rate / 1.5) * grip.drift_sd * slow_factor
        return fast + slow

    finger = path.position - gaussian_filter1d(path.position, 0.3 * rate, axis=0, mode="nearest")
    lift = np.deg2rad(0.5) * np.tanh(gaussian_filter1d(path.position[:, 2], 0.03 * rate) / 2.0)
    altitude = grip.altitude_deg + _coupled(finger, grip.altitude_per_mm) + wander(grip.altitude_sd, 1.0)
    azimuth = grip.azimuth_deg + _coupled(finger, grip.azimuth_per_mm) + wander(grip.azimuth_sd, 2.0)
    roll = grip.roll_deg + _coupled(finger, grip.roll_per_mm) + wander(grip.roll_sd, 1.0)
    return Pose(rate, np.deg2rad(altitude) + lift, np.deg2rad(azimuth), np.deg2rad(roll))


def _coupled(finger: NDArray[np.float64], per_mm: tuple[float, float]) -> NDArray[np.float64]:
    return np.asarray(finger[:, 0] * per_mm[0] + finger[:, 1] * per_mm[1])


def _unrest(rng: np.random.Generator, path: TipPath) -> NDArray[np.float64]:
    """(n,) strength of the wobble, rms 1 on paper: it rests with the hand and comes in bursts."""
    rate = path.rate_hz
    step = np.diff(path.position[:, :2], axis=0, prepend=path.position[:1, :2])
    speed = gaussian_filter1d(np.hypot(step[:, 0], step[:, 1]) * rate, 0.08 * rate)
    usual = max(float(speed[path.down].mean()), 1.0) if path.down.any() else 30.0
    bursts = np.exp(_BURST_SD * _smooth_noise(rng, len(speed), _BURST_S * rate))
    strength = (_REST + (1.0 - _REST) * np.minimum(speed / usual, 2.0)) * bursts
    on_paper = strength[path.down] if path.down.any() else strength
    return np.asarray(strength / np.sqrt(np.mean(on_paper**2)))


def _smooth_noise(rng: np.random.Generator, n: int, tau: float) -> NDArray[np.float64]:
    """Noise of unit standard deviation: white noise through three equal low-passes of tau samples."""
    keep = float(np.exp(-1.0 / tau))
    settle = int(6 * tau)
    white = rng.standard_normal(n + settle)
    b, a = [(1.0 - keep) ** 3], np.poly([keep] * 3)
    gain = np.sqrt((1.0 - keep) * 3.0 / 16.0)
    return np.asarray(lfilter(b, a, white)[settle:] / gain)
