"""What a step says of itself while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calibration.coverage import CELLS
from calibration.steps import Way


def no_points() -> NDArray[np.float64]:
    return np.empty((0, 3))


def no_cells() -> NDArray[np.bool_]:
    return np.zeros(CELLS, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class LevelAsked:
    """The mass wanted on the scale, which way it comes, and what the sensor shows now (N, uncorrected)."""

    number: int
    mass_g: float
    way: Way
    shown_n: float
    waiting: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """share: 0..1 of what is needed; line: the same in words; problem: what to do better now, often empty.

    enough:  the step can be fitted
    resting: the pen lies still now
    cells:   (48,) directions seen; points: (k, 3) unit vectors, poses taken; now: (3,) where it points
    """

    share: float
    line: str
    problem: str = ""
    enough: bool = False
    resting: bool = False
    cells: NDArray[np.bool_] = field(default_factory=no_cells)
    points: NDArray[np.float64] = field(default_factory=no_points)
    now: NDArray[np.float64] | None = None
    level: LevelAsked | None = None
