"""The sample counter of a STABILO recording as indices that never wrap, and the pen's mean rate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.device.stabilo_table import SensorTable
from penapp.errors import BadInputError

NOMINAL_HZ = 100.0
LOWEST_HZ, HIGHEST_HZ = 50.0, 400.0
SETTLED_SAMPLES = 500
"""Receive times are coarse: fewer samples than this say nothing about the rate."""
WRAP_TOLERANCE_MS = 500.0
MIN_STEADY = 0.5
"""The share of samples before which the counter must have moved on by exactly one."""


@dataclass(frozen=True)
class Counter:
    """Samples in the order of the file.

    rows:     (m,) their rows in the table; index: (m,) int64, counts on within one boot from its first sample
    boot:     (m,) int64, 0 for the first; grows where the counter began anew
    repeated: rows left out, their counter stood still
    """

    rows: NDArray[np.intp]
    index: NDArray[np.int64]
    boot: NDArray[np.int64]
    repeated: int


def follow_counter(table: SensorTable, path: Path) -> Counter:
    """Unwrap the counter; raises BadInputError when it does not count samples."""
    steps = np.diff(table.counter)
    _check_steady(steps, path)
    kept = np.concatenate([[True], steps != 0])
    rows = np.flatnonzero(kept)
    counter, millis = table.counter[rows], table.millis[rows]
    steps, passed_ms = np.diff(counter), np.diff(millis)
    size = _counter_size(counter)
    wrapped = (steps < 0) & (
        np.abs((steps + size) * 1000.0 / NOMINAL_HZ - passed_ms)
        < WRAP_TOLERANCE_MS + 0.5 * np.maximum(passed_ms, 0.0)
    )
    steps = np.where(wrapped, steps + size, steps)
    anew = steps < 0
    boot = np.concatenate([[0], np.cumsum(anew)])
    total = np.concatenate([[0], np.cumsum(np.where(anew, 0, steps))])
    first_of_boot = np.concatenate([[0], np.flatnonzero(anew) + 1])
    index = total - total[first_of_boot][boot]
    return Counter(rows, index, boot, len(table.counter) - len(rows))


def mean_rate_hz(table: SensorTable, counter: Counter, path: Path) -> float:
    """Samples per second of the longest boot by the tablet's clock; 100 Hz where it is too short to tell."""
    longest = int(np.argmax(np.bincount(counter.boot)))
    inside = counter.boot == longest
    index = counter.index[inside].astype(np.float64)
    millis = table.millis[counter.rows[inside]]
    if len(index) < SETTLED_SAMPLES:
        return NOMINAL_HZ
    seconds = float(np.polyfit(index - index.mean(), millis - millis.mean(), 1)[0]) / 1000.0
    rate_hz = 1.0 / seconds if seconds > 0.0 else float("inf")
    if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        raise BadInputError(
            f"{path} holds {rate_hz:g} samples a second by its column Millis, "
            f"expected {LOWEST_HZ:g} to {HIGHEST_HZ:g} (the Digipen: about {NOMINAL_HZ:g}).",
            advice="Millis must be milliseconds, and Time must count the pen's samples.",
        )
    return rate_hz


def _counter_size(counter: NDArray[np.int64]) -> int:
    """The smallest usual width that holds every value: 8, 16, 24 or 32 bits."""
    highest = int(counter.max())
    return next((1 << bits for bits in (8, 16, 24, 32) if highest < 1 << bits), 1 << 53)


def _check_steady(steps: NDArray[np.int64], path: Path) -> None:
    if not len(steps):
        return
    share = float(np.mean(steps == 1))
    if share < MIN_STEADY:
        values, counts = np.unique(steps, return_counts=True)
        usual = int(values[np.argmax(counts)])
        raise BadInputError(
            f"{path}: the sample counter (Time) moves on by 1 at only {100.0 * share:.0f} % of the samples "
            f"(most often by {usual}), expected 1 at each sample and more where samples were lost.",
            advice="Take the column in which the pen counts its samples, not a time.",
        )
