"""Motion to the rows that the network reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.dsp.motion import MotionBlock
from penapp.dsp.params import FeatureParams


@dataclass(frozen=True, slots=True)
class Features:
    """Network input of one word.

    t:           (T,) s on the pen's clock
    values:      (T, F) float32 in FEATURE_NAMES order
    fingerprint: of the parameters that made them
    """

    t: NDArray[np.float64]
    values: NDArray[np.float32]
    fingerprint: str


def feature_rows(motion: MotionBlock, params: FeatureParams) -> NDArray[np.float32]:
    """(n, R) float32, ROW_NAMES; each row depends on its own motion row alone."""
    acc, vel, pos, rate = params.scales
    force = np.maximum(motion.force_n, 0.0)
    columns = [
        motion.acceleration / acc,
        motion.velocity / vel,
        motion.position / pos,
        motion.rate / rate,
        np.log1p(force / 0.3)[:, None],
        (force / (force + params.contact_n))[:, None],
    ]
    return squash(np.concatenate(columns, axis=1)).astype(np.float32)


def squash(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear up to about 3, logarithmic beyond: a knock on the table must not drown a word."""
    return np.asarray(3.0 * np.arcsinh(x / 3.0))


def word_features(
    t: NDArray[np.float64], rows: NDArray[np.float32], style: NDArray[np.float32], params: FeatureParams
) -> Features:
    """Network input of one word: rows (T, R), normalised as the parameters say, beside the style (S,)."""
    return Features(t, with_style(normalised(rows, params), style), params.fingerprint())


def normalised(rows: NDArray[np.float32], params: FeatureParams) -> NDArray[np.float32]:
    """Rows (T, R) of one word, divided by its own spread if the parameters say so."""
    if params.normalisation != "per-segment" or not len(rows):
        return rows
    motion = rows[:, :12].reshape(len(rows), 4, 3)
    spread = np.sqrt((motion.astype(np.float64) ** 2).mean(axis=(0, 2), keepdims=True)) + 0.05
    turned = (motion / spread).reshape(len(rows), 12)
    return np.concatenate([turned, rows[:, 12:]], axis=1).astype(np.float32)


def with_style(rows: NDArray[np.float32], style: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, R + S): the style (S,) repeated in every row."""
    return np.concatenate([rows, np.broadcast_to(style, (len(rows), len(style)))], axis=1)
