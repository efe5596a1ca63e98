"""Variations of a word's feature rows, drawn anew at every presentation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.config import AugmentConfig

_Rows = NDArray[np.float32]


def augmented(rows: _Rows, config: AugmentConfig, rng: np.random.Generator) -> _Rows:
    """One varied copy of (T, F) rows."""
    rows, tempo = _retimed(rows, config, rng)
    _reshape(rows, config, rng)
    _blur(rows, config, rng)
    scale = float(np.exp(config.size * rng.standard_normal()))
    rows[:, 0:3] *= scale * tempo * tempo
    rows[:, 3:6] *= scale * tempo
    rows[:, 6:9] *= scale
    rows[:, 9:12] *= tempo * float(np.exp(config.size * rng.standard_normal()))
    rows[:, 12] *= float(np.exp(config.force * rng.standard_normal()))
    if config.noise:
        rows += config.noise * rng.standard_normal(rows.shape, dtype=np.float32)
    while rng.random() < config.mask:
        width = int(rng.integers(3, 16))
        start = int(rng.integers(0, max(len(rows) - width, 1)))
        rows[start : start + width] = 0.0
    if rng.random() < config.channel:
        group = int(rng.integers(0, 4))
        rows[:, 3 * group : 3 * group + 3] = 0.0
    return rows


def joined(first: _Rows, second: _Rows) -> _Rows:
    """Two words of one session as one, without the pause between them."""
    return np.concatenate([first, second])


def _retimed(rows: _Rows, config: AugmentConfig, rng: np.random.Generator) -> tuple[_Rows, float]:
    """Resample at another tempo with a smooth local warp; returns the tempo (> 1 = faster)."""
    n = len(rows)
    tempo = float(np.exp(rng.uniform(-1.0, 1.0) * np.log1p(config.stretch)))
    count = max(round(n / tempo), 4)
    knots = max(n // 40, 2) + 1
    pace = np.exp(config.warp * rng.standard_normal(knots))
    flow = np.interp(np.linspace(0, knots - 1, count), np.arange(knots), pace)
    where = np.concatenate([[0.0], np.cumsum(flow)[:-1]])
    where *= (n - 1) / max(where[-1], 1e-9)
    low = np.minimum(where.astype(np.int64), n - 2) if n > 1 else np.zeros(count, dtype=np.int64)
    share = (where - low)[:, None].astype(np.float32)
    return rows[low] * (1.0 - share) + rows[np.minimum(low + 1, n - 1)] * share, tempo


def _reshape(rows: _Rows, config: AugmentConfig, rng: np.random.Generator) -> None:
    """Another heading, slant and aspect: one linear map of forward and side, the same for all vector groups.

    The turning rates take part in the rotation alone; how fingers turn the pen is the grip's own affair.
    """
    angle = np.deg2rad(config.turn_deg) * rng.standard_normal()
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]], dtype=np.float32)
    bend = (np.eye(2) + config.shear * rng.standard_normal((2, 2))).astype(np.float32)
    for group, matrix in ((0, turn @ bend), (3, turn @ bend), (6, turn @ bend), (9, turn)):
        rows[:, group : group + 2] = rows[:, group : group + 2] @ matrix.T


def _blur(rows: _Rows, config: AugmentConfig, rng: np.random.Generator) -> None:
    """Smoother or edgier writing: motion at 8-16 Hz is weakened or strengthened (three taps, 30 ms apart)."""
    if config.blur == 0.0 or len(rows) < 7:
        return
    amount = np.float32(np.clip(config.blur * rng.standard_normal(), -0.2, 0.24))
    motion = rows[:, :12].copy()
    motion[3:-3] += amount * (rows[6:, :12] + rows[:-6, :12] - 2.0 * rows[3:-3, :12])
    rows[:, :12] = motion
