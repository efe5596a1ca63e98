"""One word through the network several times: as it came, and as if it were written a little differently.

The network reads eight rows at a step: the same ink at another tempo or phase meets other steps, and its
mistakes are partly others. The decoder weighs the outputs together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from penapp.decode.types import LogProbs
from penapp.dsp.features import Features
from penapp.dsp.params import ROW_NAMES
from penapp.dsp.style import STYLE_NAMES

_STYLE = len(ROW_NAMES)
"""First column of the style."""


@dataclass(frozen=True, slots=True)
class Look:
    """tempo: in times of the real one (below 1: slower, more rows); delay: rows of rest before the word."""

    tempo: float = 1.0
    delay: int = 0

    def __call__(self, features: Features) -> Features:
        """The same word seen so; times stay those of the pen."""
        return _delayed(_retimed(features, self.tempo), self.delay)


FURTHER_LOOKS = (Look(tempo=0.8), Look(delay=2), Look(delay=4), Look(delay=6))
"""Beside the word as it came: slower, and one, two and three quarters of a step later."""


def further_looks(recogniser: Callable[[Features], LogProbs], features: Features) -> list[LogProbs]:
    """What `WordDecoder` takes as `further` when it commits the word."""
    return [recogniser(look(features)) for look in FURTHER_LOOKS]


def _retimed(features: Features, tempo: float) -> Features:
    """Resampled by straight lines; velocities, accelerations, turning rates and style follow the tempo."""
    count = round(len(features.values) / tempo)
    if tempo == 1.0 or count < 2 or len(features.values) < 2:
        return features
    old = np.arange(len(features.values), dtype=np.float64)
    where = np.linspace(0.0, old[-1], count)
    low = np.minimum(where.astype(np.intp), len(old) - 2)
    share = (where - low)[:, None]
    values = features.values * _row_gains(tempo)
    values[:, _STYLE:] += _style_shift(features.values[0, _STYLE:], tempo)
    between = values[low] * (1.0 - share) + values[low + 1] * share
    return replace(features, t=np.interp(where, old, features.t), values=between.astype(np.float32))


def _row_gains(tempo: float) -> NDArray[np.float32]:
    """(F,) what every column is multiplied by; style is shifted instead."""
    powers = {"acc": 2, "vel": 1, "rate": 1}
    gains = [tempo ** powers.get(name.split("_")[0], 0) for name in ROW_NAMES]
    return np.array([*gains, *[1.0] * len(STYLE_NAMES)], dtype=np.float32)


def _style_shift(style: NDArray[np.float32], tempo: float) -> NDArray[np.float32]:
    """(S,) what is added to the style: logs of spreads shift, the mean velocity is scaled."""
    shift = dict.fromkeys(STYLE_NAMES, 0.0)
    step = float(np.log(tempo))
    for axis in ("forward", "side"):
        shift[f"style_acc_{axis}"] = 2.0 * step
        shift[f"style_vel_{axis}"] = step
        drift = f"style_drift_{axis}"
        shift[drift] = (tempo - 1.0) * float(style[STYLE_NAMES.index(drift)])
    shift["style_rate"] = step
    shift["style_stroke"] = -step
    return np.array(list(shift.values()), dtype=np.float32)


def _delayed(features: Features, rows: int) -> Features:
    """The first row repeated before the word, at the first row's time."""
    if not rows or not len(features.values):
        return features
    values = np.concatenate([np.repeat(features.values[:1], rows, axis=0), features.values])
    return replace(features, t=np.concatenate([np.repeat(features.t[:1], rows), features.t]), values=values)
