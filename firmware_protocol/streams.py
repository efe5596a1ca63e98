"""Channels, streams and sensor mounts of a pen, and counts to physical units."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.errors import DescriptorError

G_M_S2 = 9.80665
_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Quantity(IntEnum):
    """What a channel measures; a number that is not listed stays a plain int and is ignored by hosts."""

    ACC1 = 1
    ACC2 = 2
    GYRO = 3
    MAG = 4
    FORCE = 5
    TEMP = 6
    BATTERY = 7


class Unit(IntEnum):
    M_S2 = 1
    RAD_S = 2
    MICROTESLA = 3
    NEWTON = 4
    CELSIUS = 5
    PERCENT = 6


class SensorModel(IntEnum):
    """Sensor parts by number; 0 = not stated."""

    UNSTATED = 0
    LSM6DSL = 1
    MMA8451Q = 2
    HSCDTD008A = 3
    HSFPAR003A = 4
    LSM6DS3TR_C = 5
    BMI270 = 6
    BMM150 = 7
    LIS3MDL = 8


def _as_float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _as_millihertz(rate_hz: float) -> float:
    return round(rate_hz * 1000) / 1000


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One int16 column of a stream: value = counts * scale + offset, in `unit`.

    axis:       0, 1, 2 = x, y, z; 0 for a quantity without direction
    scale:      unit per count (held at float32 precision, as on the wire)
    full_scale: largest magnitude the sensor reports, in `unit`
    model:      sensor part number, see SensorModel
    """

    quantity: Quantity | int
    axis: int
    unit: Unit | int
    scale: float
    offset: float
    full_scale: float
    model: int = SensorModel.UNSTATED

    def __post_init__(self) -> None:
        for name in ("scale", "offset", "full_scale"):
            value = getattr(self, name)
            if not math.isfinite(value) or abs(value) > _FLOAT32_MAX:
                raise DescriptorError(f"channel {name} is {value}, expected a finite 32-bit number.")
            object.__setattr__(self, name, _as_float32(value))
        if self.scale <= 0:
            raise DescriptorError(f"channel scale is {self.scale}, expected more than 0 units per count.")

    @property
    def limit_counts(self) -> int:
        """Largest count magnitude before the sensor saturates (at most 32767)."""
        return max(1, min(32767, math.ceil(self.full_scale / self.scale) - 1))


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a sensor sits: pen frame, origin = tip, z along the pen's axis towards the tail.

    axis_map:     3x3 of -127..127; v_pen = axis_map @ v_sensor (-1, 0, 1 for a sensor mounted square)
    lever_arm_mm: sensor position (x, y, z) in millimetres, steps of 0.1 mm
    """

    quantity: Quantity | int
    axis_map: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
    lever_arm_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        x, y, z = (round(v * 10) / 10 for v in self.lever_arm_mm)
        object.__setattr__(self, "lever_arm_mm", (x, y, z))


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """Channels that are sampled together; rates in hertz, steps of 0.001 Hz.

    scale_row, offset_row: (C,) float32, derived from the channels
    limit_row:             (C,) int32, largest count magnitude of each channel
    """

    id: int
    rate_hz: float
    min_rate_hz: float
    max_rate_hz: float
    channels: tuple[ChannelSpec, ...]
    scale_row: NDArray[np.float32] = field(init=False, repr=False, compare=False)
    offset_row: NDArray[np.float32] = field(init=False, repr=False, compare=False)
    limit_row: NDArray[np.int32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("rate_hz", "min_rate_hz", "max_rate_hz"):
            object.__setattr__(self, name, _as_millihertz(getattr(self, name)))
        if not 0 < self.min_rate_hz <= self.rate_hz <= self.max_rate_hz:
            raise DescriptorError(
                f"stream {self.id} states {self.rate_hz} Hz, expected a rate above 0 within its own range "
                f"{self.min_rate_hz} to {self.max_rate_hz} Hz."
            )
        if not self.channels:
            raise DescriptorError(f"stream {self.id} has no channels, expected at least one.")
        self._fill_rows()

    def _fill_rows(self) -> None:
        scale = np.array([c.scale for c in self.channels], dtype=np.float32)
        offset = np.array([c.offset for c in self.channels], dtype=np.float32)
        limit = np.array([c.limit_counts for c in self.channels], dtype=np.int32)
        for name, row in (("scale_row", scale), ("offset_row", offset), ("limit_row", limit)):
            row.flags.writeable = False
            object.__setattr__(self, name, row)

    @property
    def sample_bytes(self) -> int:
        return 2 * len(self.channels)

    @property
    def period_us(self) -> float:
        return 1e6 / self.rate_hz


def counts_to_si(counts: NDArray[np.int16], stream: StreamSpec) -> NDArray[np.float32]:
    """Counts (n, C) int16 -> values (n, C) float32 in the units of the channels."""
    values: NDArray[np.float32] = np.multiply(counts, stream.scale_row, dtype=np.float32)
    if stream.offset_row.any():
        values += stream.offset_row
    return values


def si_to_counts(values: NDArray[np.floating], stream: StreamSpec) -> tuple[NDArray[np.int16], bool]:
    """Values (n, C) -> counts (n, C) int16 as the sensors would give them; True if one was clipped."""
    scaled = (np.asarray(values, dtype=np.float64) - stream.offset_row) / stream.scale_row
    rounded = np.rint(scaled)
    kept = np.clip(rounded, -stream.limit_row, stream.limit_row)
    return kept.astype(np.int16), bool(np.any(kept != rounded))


def clipped_rows(counts: NDArray[np.int16], stream: StreamSpec) -> NDArray[np.bool_]:
    """(n,) True where any channel of the sample stands at its limit."""
    magnitude = np.abs(counts.astype(np.int32))
    return np.asarray((magnitude >= stream.limit_row).any(axis=1))
