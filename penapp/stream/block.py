"""Consecutive samples in physical units: what every stage behind the wire consumes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

CHANNEL_COUNT = 13
"""front accelerometer xyz, rear accelerometer xyz, gyroscope xyz, magnetometer xyz, force."""

ACC_FRONT = slice(0, 3)
ACC_REAR = slice(3, 6)
GYRO = slice(6, 9)
MAG = slice(9, 12)
FORCE = 12


def all_valid() -> NDArray[np.bool_]:
    return np.ones(CHANNEL_COUNT, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """Consecutive pen samples in physical units, field order of channels.

    t:      (n,)    float64  seconds on the pen's clock, strictly increasing
    values: (n, 13) float32  m/s2 (front, rear accelerometer), rad/s, microtesla, newton
    lost:   samples missing *before* this block (0 for the first block)
    valid:  (13,)   bool     False for a channel that this pen does not have (its column is 0)
    """

    t: NDArray[np.float64]
    values: NDArray[np.float32]
    lost: int = 0
    valid: NDArray[np.bool_] = field(default_factory=all_valid)

    def __len__(self) -> int:
        return len(self.t)
