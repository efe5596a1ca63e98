"""What a hand does to calibrate a pen: rest, poses, a tumble, loads on a scale. Every piece begins and ends
at rest, so that pieces follow each other without a jerk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation, Slerp

Array = NDArray[np.float64]

POSE_S, MOVE_S, TUMBLE_S, LEVEL_S, PRESS_S = 2.6, 1.1, 12.0, 2.8, 0.7
TUMBLE_RATE, TUMBLE_HZ = 3.2, 0.55
"""rad/s rms for each axis and how fast it changes: a brisk hand."""
SHAKE, SHAKE_HZ = 1.5, 1.2
"""m/s2 rms of the tip while tumbling."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Motion at one rate. turn: pen to room; tip: (n, 3) m/s2, room; force_n: (n,); unloading: (n,) bool."""

    turn: Rotation
    tip: Array
    force_n: Array
    unloading: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.force_n)


class Hand:
    """Endless motion of each kind, at `rate_hz`, starting from how the pen lies now."""

    def __init__(self, rate_hz: float, seed: int) -> None:
        self._rate_hz = rate_hz
        self._rng = np.random.default_rng(seed)
        self._turn = Rotation.from_euler("yx", [80.0, 10.0], degrees=True)

    def rest(self) -> Iterator[Piece]:
        """Lies on the table."""
        while True:
            yield self._hold(0.5)

    def poses(self) -> Iterator[Piece]:
        """One pose after the other, spread over the sphere."""
        while True:
            for up in self._spread(26):
                yield self._move(_upwards(up, self._rng))
                yield self._hold(POSE_S)

    def tumble(self) -> Iterator[Piece]:
        """Turns every way, with short rests."""
        while True:
            yield self._tumble()

    def levels(self, masses_g: tuple[float, ...]) -> Iterator[Piece]:
        """Stands upright on a scale and presses each mass in turn."""
        yield self._move(Rotation.from_euler("x", 8.0, degrees=True))
        yield self._hold(0.5)
        before, unloading = 0.0, False
        while True:
            for mass in masses_g:
                force = mass * 9.81e-3
                unloading = force < before or (unloading and force == before)
                yield self._press(before, force, PRESS_S, unloading)
                yield self._press(force, force, LEVEL_S, unloading)
                before = force

    def _n(self, seconds: float) -> int:
        return round(seconds * self._rate_hz)

    def _hold(self, seconds: float) -> Piece:
        n = self._n(seconds)
        turn = Rotation.from_quat(np.tile(self._turn.as_quat(), (n, 1)))
        return Piece(turn, np.zeros((n, 3)), np.zeros(n), np.zeros(n, dtype=np.bool_))

    def _move(self, to: Rotation) -> Piece:
        """Minimum jerk along the shortest turn."""
        n = self._n(MOVE_S)
        s = (np.arange(n) + 1.0) / n
        share = s**3 * (10.0 - 15.0 * s + 6.0 * s * s)
        ends = Rotation.from_quat(np.stack([self._turn.as_quat(), to.as_quat()]))
        turn = Slerp([0.0, 1.0], ends)(share)
        tip = self._smooth(n, SHAKE_HZ) * 0.3 * np.sin(np.pi * s)[:, None] ** 2
        self._turn = to
        return Piece(turn, tip, np.zeros(n), np.zeros(n, dtype=np.bool_))

    def _tumble(self) -> Piece:
        n = self._n(TUMBLE_S)
        window = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / self._n(0.6), 0.0, 1.0)
        window = (window**2 * (3.0 - 2.0 * window))[:, None]
        rate = self._smooth(n, TUMBLE_HZ) * TUMBLE_RATE * window
        steps = Rotation.from_rotvec(rate / self._rate_hz)
        quats = np.empty((n, 4))
        turn = self._turn
        for i, step in enumerate(steps.as_quat()):
            turn = turn * Rotation.from_quat(step)
            quats[i] = turn.as_quat()
        self._turn = turn
        tip = self._smooth(n, SHAKE_HZ) * SHAKE * window
        return Piece(Rotation.from_quat(quats), tip, np.zeros(n), np.zeros(n, dtype=np.bool_))

    def _press(self, start_n: float, end_n: float, seconds: float, unloading: bool) -> Piece:
        n = self._n(seconds)
        s = (np.arange(n) + 1.0) / n
        force = start_n + (end_n - start_n) * s * s * (3.0 - 2.0 * s)
        force = force * (1.0 + 0.01 * self._smooth(n, 1.0)[:, 0])
        held = self._hold(seconds)
        return Piece(held.turn, held.tip, force, np.full(n, unloading))

    def _smooth(self, n: int, hz: float) -> Array:
        """(n, 3) noise of unit spread without anything much above hz."""
        sigma = self._rate_hz / (2.0 * np.pi * hz)
        noise = gaussian_filter1d(self._rng.standard_normal((n, 3)), sigma, axis=0, mode="wrap")
        return np.asarray(noise * np.sqrt(2.0 * np.sqrt(np.pi) * sigma))

    def _spread(self, count: int) -> Array:
        """(count, 3) unit vectors, even over the sphere (Fibonacci), turned and shuffled."""
        k = np.arange(count) + 0.5
        z, turn = 1.0 - 2.0 * k / count, np.pi * (1.0 + np.sqrt(5.0)) * k
        level = np.sqrt(1.0 - z * z)
        even = np.stack([level * np.cos(turn), level * np.sin(turn), z], axis=1)
        return np.asarray(self._rng.permutation(even))


def _upwards(up: Array, rng: np.random.Generator) -> Rotation:
    """A turn that brings the pen-frame direction `up` to the room's up, with any heading."""
    found, _ = Rotation.align_vectors(np.array([[0.0, 0.0, 1.0]]), up[None])
    return Rotation.from_euler("z", rng.uniform(0.0, 2.0 * np.pi)) * found
