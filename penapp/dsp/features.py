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
    """(n, F) float32 rows for n motion rows; each row depends on its own motion row alone."""
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


def word_features(t: NDArray[np.float64], rows: NDArray[np.float32], params: FeatureParams) -> Features:
    """Rows of one word, normalised as the parameters say."""
    if params.normalisation == "per-segment" and len(rows):
        motion = rows[:, :12].reshape(len(rows), 4, 3)
        spread = np.sqrt((motion.astype(np.float64) ** 2).mean(axis=(0, 2), keepdims=True)) + 0.05
        rows = np.concatenate([(motion / spread).reshape(len(rows), 12), rows[:, 12:]], axis=1).astype(
            np.float32
        )
    return Features(t, rows, params.fingerprint())
