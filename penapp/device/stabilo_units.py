"""Counts of the STABILO Digipen to SI units, with what its calibration file says.

value = (raw - bias) / (max_raw / max_si) / scaling, as on the maker's pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from firmware_protocol.channels import G_M_S2, ChannelSpec, Quantity, SensorModel, Unit
from penapp.errors import BadInputError

MAX_COUNTS = np.repeat([32768.0, 8192.0, 32768.0, 8192.0, 4096.0], [3, 3, 3, 3, 1])
MAX_SI = np.repeat([2.0 * G_M_S2, 2.0 * G_M_S2, np.deg2rad(1000.0), 2400.0, 5.32], [3, 3, 3, 3, 1])
"""2 g, 2 g and 1000 deg/s stand on the maker's pages."""
UNCONFIRMED = (
    "magnetometer: 8192 counts taken for 2.4 mT, not confirmed by the maker",
    "force: 4096 counts taken for 5.32 N, not confirmed by the maker",
)

_ENTRY = re.compile(r"\b([a-z]{3})\b[\s\"']*[:=;,\s]\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)", re.IGNORECASE)
_NEEDED = ("bgx", "bgy", "bgz", "bmx", "bmy", "bmz", "smx", "smy", "smz")
_SENSORS = (
    (Quantity.ACC1, Unit.M_S2, SensorModel.LSM6DSL),
    (Quantity.ACC2, Unit.M_S2, SensorModel.MMA8451Q),
    (Quantity.GYRO, Unit.RAD_S, SensorModel.LSM6DSL),
    (Quantity.MAG, Unit.MICROTESLA, SensorModel.HSCDTD008A),
    (Quantity.FORCE, Unit.NEWTON, SensorModel.HSFPAR003A),
)


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


def channels(pen: PenCounts) -> tuple[ChannelSpec, ...]:
    """The 13 channels of the pen: what the calibration says is in their scale and offset."""
    return tuple(_channel(column, pen) for column in range(13))


def _channel(column: int, pen: PenCounts) -> ChannelSpec:
    quantity, unit, model = _SENSORS[column // 3]
    scale = float(MAX_SI[column] / MAX_COUNTS[column]) / pen.scaling[column]
    full_scale = scale * float(MAX_COUNTS[column])
    return ChannelSpec(quantity, column % 3, unit, scale, -pen.bias[column] * scale, full_scale, model)
