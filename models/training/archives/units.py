"""Counts of the field's pen to SI units, with what its calibration file says."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from models.training.archives.signals import Signal, SignalSet, Units
from penapp.errors import BadInputError

_G_M_S2 = 9.80665
_MAX_COUNTS = np.repeat([32768.0, 8192.0, 32768.0, 8192.0, 4096.0], [3, 3, 3, 3, 1])
_MAX_SI = np.repeat([2.0 * _G_M_S2, 2.0 * _G_M_S2, np.deg2rad(1000.0), 2400.0, 5.32], [3, 3, 3, 3, 1])
"""2 g, 2 g, 1000 deg/s (maker's pages); 2.4 mT and 5.32 N are taken from sensor tables, not confirmed."""

_ENTRY = re.compile(r"\b([a-z]{3})\b[\s\"']*[:=;,\s]\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)", re.IGNORECASE)
_NEEDED = ("bgx", "bgy", "bgz", "bmx", "bmy", "bmz", "smx", "smy", "smz")


@dataclass(frozen=True, slots=True)
class PenCounts:
    """What one pen's counts need before they are scaled.

    bias: (13,) counts; scaling: (13,) divides the physical value, without unit
    """

    bias: tuple[float, ...] = (0.0,) * 13
    scaling: tuple[float, ...] = (1.0,) * 13


def read_calibration(text: str, place: str) -> PenCounts:
    """Biases bgx … (gyroscope), bmx … and scales smx … (magnetometer); the rest stays at its default."""
    found = {key.lower(): float(value) for key, value in _ENTRY.findall(text)}
    missing = [key for key in _NEEDED if key not in found]
    if missing:
        raise BadInputError(
            f"{place} is no calibration: it lacks {', '.join(missing)}.",
            advice="Expected lines such as `bgx: 12.5`; without the file counts are scaled without a bias.",
        )
    bias, scaling = [0.0] * 13, [1.0] * 13
    bias[6:12] = [found[key] for key in _NEEDED[:6]]
    scaling[9:12] = [found[key] for key in _NEEDED[6:]]
    if min(scaling) <= 0.0:
        raise BadInputError(f"{place}: a magnetometer scale is {min(scaling):g}, expected more than 0.")
    return PenCounts(tuple(bias), tuple(scaling))


def to_si(counts: Signal, pen: PenCounts | None = None) -> Signal:
    """(T, 13) counts to m/s2, rad/s, microtesla and newton: ((raw - bias) / (max_raw / max_si)) / scaling."""
    pen = pen or PenCounts()
    scaled = (counts.astype(np.float64) - pen.bias) / (_MAX_COUNTS / _MAX_SI)
    return np.asarray(scaled / pen.scaling, dtype=np.float32)


def in_si(signals: SignalSet, pen: PenCounts | None = None) -> SignalSet:
    """The same recordings in SI units; those that are already stay as they are."""
    if signals.units == Units.SI:
        return signals
    return replace(signals, signals=tuple(to_si(s, pen) for s in signals.signals), units=Units.SI)
