"""Counts of the field's pen to SI units, with what its calibration file says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.training.archives.signals import Signal, SignalSet, Units
from penapp.device.stabilo_units import MAX_COUNTS, MAX_SI, PenCounts, read_calibration

__all__ = ["PenCounts", "in_si", "read_calibration", "to_si"]


def to_si(counts: Signal, pen: PenCounts | None = None) -> Signal:
    """(T, 13) counts to m/s2, rad/s, microtesla and newton: ((raw - bias) / (max_raw / max_si)) / scaling."""
    pen = pen or PenCounts()
    scaled = (counts.astype(np.float64) - pen.bias) / (MAX_COUNTS / MAX_SI)
    return np.asarray(scaled / pen.scaling, dtype=np.float32)


def in_si(signals: SignalSet, pen: PenCounts | None = None) -> SignalSet:
    """The same recordings in SI units; those that are already stay as they are."""
    if signals.units == Units.SI:
        return signals
    return replace(signals, signals=tuple(to_si(s, pen) for s in signals.signals), units=Units.SI)
