"""Mouse, finger or stylus move a virtual pen: points in, sensor counts out, as time goes by."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from firmware_protocol.channels import Descriptor, si_to_counts, standard_descriptor
from penapp.simulation.attitude import Pose
from penapp.simulation.parameters import Device, Grip, Touch
from penapp.simulation.pen import OVERSAMPLING
from penapp.simulation.sensors import RigidMotion, field_vector, report, second_derivative

DELAY_S = 0.05
"""The pen follows the hand this much later, so that points arrive before they are needed."""

SMOOTHING_S = 0.006
"""Each of four cascaded low-passes that turn mouse steps into a movement with an acceleration."""

AIR_MM = 2.0
_EDGE = 2


class PadPen:
    """A CountSource fed by `move`; both may be called from different threads.

    Time is counted in samples: the pen has its own clock, and the k-th read sample shows the hand at
    k / rate - DELAY_S after the first read. Points carry their own times (s, any origin).
    """

    def __init__(self, descriptor: Descriptor | None = None, *, seed: int = 1) -> None:
        self._descriptor = descriptor or standard_descriptor(100.0)
        rng = np.random.default_rng(seed)
        self._rng = rng
        self._grip, self._touch, self._device = Grip.draw(rng, "R"), Touch.draw(rng), Device.draw(rng)
        self._field = field_vector(self._device, rng)
        self._lock = threading.Lock()
        self._points: deque[tuple[float, float, float, bool]] = deque()
        self._held = (0.0, 0.0, 0.0, False)
        self._origin: float | None = None
        self._fine_hz = OVERSAMPLING * self._descriptor.streams[0].rate_hz
        self._count = 0
        self._states = {
            name: np.zeros((1, width)) for name, width in (("s0", 3), ("s1", 3), ("s2", 3), ("s3", 3))
        }
        self._slow = np.zeros((1, 3))
        self._force = 0.0
        self._waves = rng.uniform(0.15, 3.0, (3, 8)), rng.uniform(0.0, 2.0 * np.pi, (3, 8))
        self._tail: NDArray[np.float64] = np.zeros((0, 7))

    @property
    def descriptor(self) -> Descriptor:
        return self._descriptor

    def move(self, x_mm: float, y_mm: float, down: bool, t_s: float) -> None:
        """The hand is at (x, y) mm (y away from the writer) at t_s, touching or not."""
        with self._lock:
            if self._origin is None:
                self._origin = t_s - self._count / self._fine_hz
                self._held = (t_s, x_mm, y_mm, False)
            self._points.append((t_s, x_mm, y_mm, down))

    def read(self, n: int) -> NDArray[np.int16] | None:
        fine = self._path(n * OVERSAMPLING + (_EDGE if len(self._tail) == 0 else 0))
        joined = np.concatenate([self._tail, fine])
        self._tail = joined[-_EDGE:]
        values = self._sensed(joined)
        usable = len(values) // OVERSAMPLING * OVERSAMPLING
        mean = values[:usable].reshape(-1, OVERSAMPLING, 13).mean(axis=1)
        return si_to_counts(mean.astype(np.float32), self._descriptor.streams[0])[0]

    def _path(self, n: int) -> NDArray[np.float64]:
        """(n, 7): smoothed xyz mm, altitude, azimuth, roll rad, force N."""
        raw, down = self._followed(n)
        keep = float(np.exp(-1.0 / (SMOOTHING_S * self._fine_hz)))
        xyz = raw
        for name, state in self._states.items():
            xyz, self._states[name] = lfilter([1.0 - keep], [1.0, -keep], xyz, axis=0, zi=state)
        slow_keep = float(np.exp(-1.0 / (0.3 * self._fine_hz)))
        slow, self._slow = lfilter([1.0 - slow_keep], [1.0, -slow_keep], xyz, axis=0, zi=self._slow)
        finger = xyz - slow
        grip = self._grip
        means = (grip.altitude_deg, grip.azimuth_deg, grip.roll_deg)
        slopes = (grip.altitude_per_mm, grip.azimuth_per_mm, grip.roll_per_mm)
        t = (self._count - n + np.arange(n)) / self._fine_hz
        angles = [
            np.deg2rad(mean + finger[:, 0] * slope[0] + finger[:, 1] * slope[1] + self._wander(k, t))
            for k, (mean, slope) in enumerate(zip(means, slopes, strict=True))
        ]
        return np.column_stack([xyz, *angles, self._pressed(down)])

    def _followed(self, n: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Where the hand was at the next n instants, holding the newest point that has come due."""
        raw, down = np.empty((n, 3)), np.empty(n, dtype=np.bool_)
        with self._lock:
            for k in range(n):
                now = (self._origin or 0.0) + self._count / self._fine_hz - DELAY_S
                self._count += 1
                while self._points and self._points[0][0] <= now:
                    self._held = self._points.popleft()
                raw[k], down[k] = self._between(now), self._held[3]
        return raw, down

    def _between(self, now: float) -> tuple[float, float, float]:
        t0, x, y, down = self._held
        if self._points:
            t1, x1, y1, _ = self._points[0]
            share = float(np.clip((now - t0) / max(t1 - t0, 1e-6), 0.0, 1.0)) if t1 - t0 < 0.3 else 0.0
            x, y = x + share * (x1 - x), y + share * (y1 - y)
        return x, y, 0.0 if down else AIR_MM

    def _pressed(self, down: NDArray[np.bool_]) -> NDArray[np.float64]:
        force = np.empty(len(down))
        rise = np.exp(-1.0 / (self._touch.rise_s * self._fine_hz))
        fall = np.exp(-1.0 / (self._touch.fall_s * self._fine_hz))
        for k, touching in enumerate(down):
            target, keep = (self._touch.force_n, rise) if touching else (0.0, fall)
            self._force = target + keep * (self._force - target)
            force[k] = self._force if self._force > 0.01 else 0.0
        return force

    def _wander(self, k: int, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Slow smooth wander of an angle, degrees: sinusoids of random frequency need no state."""
        hz, phase = self._waves[0][k], self._waves[1][k]
        return np.asarray((np.sin(2 * np.pi * hz * t[:, None] + phase) / (0.6 + hz)).sum(axis=1) * 0.5)

    def _sensed(self, joined: NDArray[np.float64]) -> NDArray[np.float32]:
        rate = self._fine_hz
        pose = Pose(rate, joined[:, 3], joined[:, 4], joined[:, 5])
        axes, inner = pose.axes(), slice(1, -1)
        motion = RigidMotion(
            rate,
            axes[inner],
            second_derivative(joined[:, :3] * 1e-3, rate)[inner],
            second_derivative(axes[:, 2], rate)[inner],
            pose.angular_velocity()[inner],
            self._texture(joined)[inner],
            joined[inner, 6],
        )
        device = self._device
        seen = motion.force * device.force_gain + device.force_zero_n
        seen = seen + self._rng.standard_normal(len(seen)) * device.force_noise
        return report(motion, seen, device, self._field, self._rng)

    def _texture(self, joined: NDArray[np.float64]) -> NDArray[np.float64]:
        step = np.diff(joined[:, :2], axis=0, prepend=joined[:1, :2])
        speed = np.hypot(step[:, 0], step[:, 1]) * self._fine_hz
        drive = self._touch.friction * np.sqrt(joined[:, 6]) * np.minimum(speed / 30.0, 2.5)
        return np.asarray(self._rng.standard_normal((len(joined), 3)) * (0.2 * drive)[:, None])
