"""Tip motion on the paper from accelerometers and gyroscope, whatever the grip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.signal import bilinear, lfilter
from vqf import VQF

from penapp.dsp.params import FeatureParams, PenGeometry
from penapp.stream.block import ACC_FRONT, ACC_REAR, FORCE, GYRO, SampleBlock

GRAVITY = 9.81


@dataclass(frozen=True, slots=True)
class MotionBlock:
    """Motion of the tip at the row rate, in the frame (forward, side, up) of the pen's mean heading.

    t: (n,) s; acceleration m/s2, velocity m/s, position m, rate rad/s: (n, 3) float64, high-passed where
    integrated; force_n: (n,) newton above the tracked zero of the sensor
    """

    t: NDArray[np.float64]
    acceleration: NDArray[np.float64]
    velocity: NDArray[np.float64]
    position: NDArray[np.float64]
    rate: NDArray[np.float64]
    force_n: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.t)

    def pieces(self, rows: int) -> Iterator[MotionBlock]:
        """The same motion in blocks of at most so many rows."""
        if len(self) <= rows:
            yield self
            return
        columns = [getattr(self, field.name) for field in fields(self)]
        for a in range(0, len(self), rows):
            yield MotionBlock(*(column[a : a + rows] for column in columns))


class MotionEstimator:
    """Rows of the Resampler in, MotionBlocks out.

    The acceleration of the tip is extrapolated from the two accelerometers (accelerations are linear along a
    line of a rigid body), turned upright by VQF (Laidig & Seel, Information Fusion 2023), relieved of gravity
    and given in the direction of the pen's own heading, so that roll and tilt of the grip drop out.
    With one accelerometer the gyroscope tells how much of it comes from the pen's turning. No magnetometer is
    needed.
    """

    def __init__(self, params: FeatureParams, geometry: PenGeometry) -> None:
        self._params, self._geometry = params, geometry
        self._reach = geometry.front_mm / (geometry.rear_mm - geometry.front_mm)
        w = 2.0 * np.pi * params.highpass_hz
        self._to_velocity = bilinear([1.0, 0.0], np.poly([-w, -w]), params.rate_hz)
        self._to_position = bilinear([1.0, 0.0], np.poly([-w, -w, -w]), params.rate_hz)
        self._keep = float(np.exp(-1.0 / (params.heading_s * params.rate_hz)))
        self.reset()

    def reset(self) -> None:
        self._filter = VQF(1.0 / self._params.rate_hz)
        self._velocity_state = np.zeros((2, 3))
        self._position_state = np.zeros((3, 3))
        self._heading_state: NDArray[np.float64] | None = None
        self._last_gyro: NDArray[np.float64] | None = None
        self._rows = 0
        self._lowest = np.inf

    def push(self, block: SampleBlock) -> list[MotionBlock]:
        n = len(block)
        if n == 0:
            return []
        values = block.values.astype(np.float64)
        front = np.ascontiguousarray(values[:, _foremost(block.valid)])
        gyro = np.ascontiguousarray(values[:, GYRO])
        tip = self._tip_acceleration(values, front, block.valid)
        turn = _matrices(self._filter.updateBatch(gyro, front)["quat6D"])
        frame = self._frame(turn[:, :, 2])
        level = np.einsum("nij,nj->ni", turn, tip) - [0.0, 0.0, GRAVITY]
        acceleration = np.einsum("nij,nj->ni", frame, level)
        rate = np.einsum("nij,nj->ni", frame, np.einsum("nij,nj->ni", turn, gyro))
        velocity, self._velocity_state = lfilter(
            *self._to_velocity, acceleration, axis=0, zi=self._velocity_state
        )
        position, self._position_state = lfilter(
            *self._to_position, acceleration, axis=0, zi=self._position_state
        )
        force = self._above_zero(values[:, FORCE])
        self._rows += n
        return [MotionBlock(block.t, acceleration, velocity, position, rate, force)]

    def finish(self) -> list[MotionBlock]:
        return []

    def _tip_acceleration(
        self, values: NDArray[np.float64], front: NDArray[np.float64], valid: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        if valid[ACC_FRONT].all() and valid[ACC_REAR].all():
            rear = values[:, ACC_REAR]
            return front + self._reach * (front - rear)
        site_mm = self._geometry.front_mm if _foremost(valid) is ACC_FRONT else self._geometry.rear_mm
        return front - self._from_turning(values[:, GYRO], site_mm * 1e-3)

    def _from_turning(self, gyro: NDArray[np.float64], site_m: float) -> NDArray[np.float64]:
        """(n, 3) m/s2 that turning about the tip makes at a site on the pen's axis, in the pen's frame.

        The Euler and centripetal terms of a rigid body; turning rates (n, 3) rad/s, derived backward.
        """
        before = gyro[:1] if self._last_gyro is None else self._last_gyro
        self._last_gyro = gyro[-1:].copy()
        growth = np.diff(np.concatenate([before, gyro]), axis=0) * self._params.rate_hz
        x, y, z = gyro.T
        terms = [growth[:, 1] + x * z, y * z - growth[:, 0], -(x * x + y * y)]
        return site_m * np.stack(terms, axis=-1)

    def _frame(self, axis: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3, 3) rows forward, side, up: the pen's horizontal heading, averaged over heading_s."""
        level = axis[:, :2]
        if self._heading_state is None:
            self._heading_state = self._keep * level[:1].copy()
        mean, self._heading_state = lfilter(
            [1.0 - self._keep], [1.0, -self._keep], level, axis=0, zi=self._heading_state
        )
        length = np.maximum(np.hypot(mean[:, 0], mean[:, 1]), 1e-6)
        c, s = mean[:, 0] / length, mean[:, 1] / length
        zero, one = np.zeros_like(c), np.ones_like(c)
        rows = [np.stack([c, s, zero], -1), np.stack([-s, c, zero], -1), np.stack([zero, zero, one], -1)]
        return np.stack(rows, axis=1)

    def _above_zero(self, force: NDArray[np.float64]) -> NDArray[np.float64]:
        """Force above the sensor's zero: the lowest value so far, allowed to rise slowly."""
        rise = self._params.zero_rise_n_s / self._params.rate_hz
        ramp = rise * (self._rows + np.arange(len(force)))
        lowest = np.minimum(np.minimum.accumulate(force - ramp), self._lowest)
        self._lowest = float(lowest[-1])
        return np.asarray(force - (lowest + ramp))


def _foremost(valid: NDArray[np.bool_]) -> slice:
    """Columns of the accelerometer nearest the tip that the pen has; those of the front one without any."""
    return ACC_REAR if valid[ACC_REAR].all() and not valid[ACC_FRONT].all() else ACC_FRONT


def _matrices(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit quaternions (n, 4), scalar first, to rotation matrices (n, 3, 3)."""
    w, x, y, z = q.T
    rows = [
        np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], -1),
        np.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], -1),
        np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1),
    ]
    return np.stack(rows, axis=1)
