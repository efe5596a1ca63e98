"""Which directions have been seen: the sphere in 48 cells of equal area."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BANDS, SECTORS = 6, 8
CELLS = BANDS * SECTORS
"""Six bands of equal height along z, eight sectors each: equal areas (Archimedes)."""


def cells_of(vectors: NDArray[np.float64]) -> NDArray[np.intp]:
    """(n, 3) directions of any length to (n,) cell numbers: band (from z = -1 up) * 8 + sector (from +x)."""
    length = np.maximum(np.linalg.norm(vectors, axis=1), 1e-30)
    band = np.clip(np.floor((vectors[:, 2] / length + 1.0) / 2.0 * BANDS), 0, BANDS - 1)
    turn = np.arctan2(vectors[:, 1], vectors[:, 0]) / (2.0 * np.pi) % 1.0
    sector = np.minimum(np.floor(turn * SECTORS), SECTORS - 1)
    return np.asarray(band * SECTORS + sector, dtype=np.intp)


def occupied(vectors: NDArray[np.float64], at_least: int = 1) -> NDArray[np.bool_]:
    """(48,) True for cells that hold at least so many of the (n, 3) directions."""
    return np.bincount(cells_of(vectors), minlength=CELLS) >= at_least


def centres() -> NDArray[np.float64]:
    """(48, 3) unit vectors in the middle of the cells."""
    z = (np.arange(BANDS) + 0.5) * 2.0 / BANDS - 1.0
    turn = (np.arange(SECTORS) + 0.5) * 2.0 * np.pi / SECTORS
    zz, tt = np.repeat(z, SECTORS), np.tile(turn, BANDS)
    level = np.sqrt(1.0 - zz * zz)
    return np.stack([level * np.cos(tt), level * np.sin(tt), zz], axis=1)
