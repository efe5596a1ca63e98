"""The virtual pen: words in, thirteen channels out, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.simulation.attitude import pose_of
from penapp.simulation.contact import contact_force
from penapp.simulation.ink import WordInk
from penapp.simulation.parameters import Device, Grip, Pace, Touch
from penapp.simulation.path import TipPath, WordTruth, session_path
from penapp.simulation.sensors import sense

SIMULATOR_VERSION = "2"
"""Raised whenever the same seed would give other samples; test figures name it."""

OVERSAMPLING = 2
"""The physics runs this many times faster than the pen; a reported sample is the mean (the chip's filter)."""


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """What a pen reported while words were written.

    t:      (n,)    float64 s on the pen's clock
    values: (n, 13) float32 SI units, field order
    down:   (n,)    bool, truth: tip on paper
    words:  truth: what was written when
    """

    rate_hz: float
    t: NDArray[np.float64]
    values: NDArray[np.float32]
    down: NDArray[np.bool_]
    words: tuple[WordTruth, ...]


@dataclass(frozen=True, slots=True)
class VirtualWriter:
    """One person with one pen: everything that stays the same over a session."""

    grip: Grip
    touch: Touch
    device: Device
    pace: Pace

    @staticmethod
    def draw(seed: int | Sequence[int], *, hand: str = "?", pace: Pace | None = None) -> VirtualWriter:
        rng = np.random.default_rng(seed)
        return VirtualWriter(Grip.draw(rng, hand), Touch.draw(rng), Device.draw(rng), pace or Pace())

    def write(
        self, words: Sequence[WordInk], seed: int | Sequence[int], *, rate_hz: float = 100.0
    ) -> SimulatedSession:
        """Write the words one after the other and return what the pen reports at rate_hz."""
        rng = np.random.default_rng(seed)
        path = session_path(words, self.touch, self.pace, rng, OVERSAMPLING * rate_hz)
        return self.sense(path, rng)

    def sense(self, path: TipPath, rng: np.random.Generator) -> SimulatedSession:
        """What the pen reports while its tip follows the path."""
        pose = pose_of(path, self.grip, rng)
        force = contact_force(path, self.touch, rng)
        fine = sense(path, pose, force, self.touch, self.device, rng)
        n = len(fine) // OVERSAMPLING
        shape = (n, OVERSAMPLING, fine.shape[1])
        values = fine[: n * OVERSAMPLING].reshape(shape).mean(axis=1, dtype=np.float32)
        rate = path.rate_hz / OVERSAMPLING
        return SimulatedSession(
            rate_hz=rate,
            t=np.arange(n) / rate * (1.0 + self.device.clock_ppm * 1e-6),
            values=values,
            down=np.asarray(path.down[: n * OVERSAMPLING].reshape(n, OVERSAMPLING).any(axis=1)),
            words=path.words,
        )
