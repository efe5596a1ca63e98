"""Recordings of an archive as the file that `penapp evaluate` reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.training.archives.signals import SignalSet, Written
from models.training.archives.units import in_si
from penapp.errors import BadInputError


def write_recordings(sets: Sequence[SignalSet], out: Path) -> Written:
    """Write a recordings file (SI units) under a temporary name, then rename.

    Counts are scaled without calibration, which the published archives do not carry in a documented form.
    """
    physical = [in_si(signals) for signals in sets]
    rates = sorted({signals.rate_hz for signals in physical})
    signals = [signal for one in physical for signal in one.signals]
    if len(rates) != 1 or not signals:
        raise BadInputError(f"{len(signals)} recordings at {rates} Hz, expected some at one rate.")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".tmp.npz")
    np.savez(
        temporary,
        x=np.concatenate(signals),
        n=np.array([len(signal) for signal in signals], dtype=np.int64),
        label=np.array([label for one in physical for label in one.labels]),
        writer=np.array([writer or "?" for one in physical for writer in one.writers]),
        rate_hz=np.array(rates[0]),
    )
    os.replace(temporary, out)  # noqa: PTH105 - one atomic call
    return Written.of(sets)
