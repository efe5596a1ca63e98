"""What the strip chart says: its groups, units, scales and numbers. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penapp.stream.block import ACC_FRONT, ACC_REAR, CHANNEL_COUNT, FORCE, GYRO, MAG

LABEL_PX = 40
WINDOW_CHOICES_S = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0)


class Samples(Protocol):
    """What the strips read: the newest samples of the pen."""

    @property
    def total(self) -> int: ...

    def latest(self, n: int, /) -> tuple[NDArray[np.float64], NDArray[np.float32]]: ...


@dataclass(frozen=True, slots=True)
class StripGroup:
    """Channels of one sensor: they share a unit and a scale.

    columns:  channel numbers;  axes: their short names
    least:    the scale never becomes smaller than this, in `unit`
    factor:   SI value times `factor` is shown
    centred:  traces are drawn around their own mean (a sensor with a large constant part)
    from_zero: the strip starts at zero at its bottom instead of being symmetric
    """

    name: str
    unit: str
    columns: tuple[int, ...]
    axes: tuple[str, ...]
    least: float
    factor: float = 1.0
    centred: bool = False
    from_zero: bool = False


_XYZ = ("x", "y", "z")
_COLUMNS = tuple(range(CHANNEL_COUNT))

STRIP_GROUPS = (
    StripGroup("Front accelerometer", "m/s²", _COLUMNS[ACC_FRONT], _XYZ, 1.0, centred=True),
    StripGroup("Rear accelerometer", "m/s²", _COLUMNS[ACC_REAR], _XYZ, 1.0, centred=True),
    StripGroup("Gyroscope", "°/s", _COLUMNS[GYRO], _XYZ, 20.0, factor=180.0 / math.pi),
    StripGroup("Magnetometer", "µT", _COLUMNS[MAG], _XYZ, 5.0, centred=True),
    StripGroup("Force", "N", (FORCE,), ("tip",), 1.0, from_zero=True),
)

CENTRED = np.array([group.centred for group in STRIP_GROUPS for _ in group.columns])
"""(13,) bool: which channels are drawn around their own mean."""


def scale_text(group: StripGroup, scale: float) -> str:
    """The range of a strip as its group title shows it."""
    if group.from_zero:
        return f"0 … {scale:g} {group.unit}"
    around = "mean " if group.centred else ""
    return f"{around}± {scale:g} {group.unit}"


def value_text(group: StripGroup, value: float) -> str:
    """A last value in the unit of its group, always the same width for the same digits."""
    if not math.isfinite(value):
        return "–"
    digits = 1 if abs(value) >= 9.995 or group.factor != 1.0 else 2
    return f"{value:.{digits}f}"


def step_window(current_s: float, by: int) -> float:
    """The next longer (`by` > 0) or shorter time window."""
    nearest = min(range(len(WINDOW_CHOICES_S)), key=lambda i: abs(WINDOW_CHOICES_S[i] - current_s))
    return WINDOW_CHOICES_S[min(max(nearest + by, 0), len(WINDOW_CHOICES_S) - 1)]


def tick_seconds(window_s: float) -> float:
    """Distance of the time marks."""
    return next(step for step in (0.5, 1.0, 2.0, 5.0, 10.0) if window_s / step <= 10 or step == 10.0)


def label_every(tick_px: float) -> int:
    """Every which time mark is labelled, so that labels do not run into each other."""
    return max(1, math.ceil(LABEL_PX / max(tick_px, 1.0)))
