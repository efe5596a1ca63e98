"""Names and units of channels in LSL streams: those that we write, and those of others that we understand."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from firmware_protocol.channels import G_M_S2, Quantity, Unit

LABELS = (*(f"{name}_{axis}" for name in ("acc1", "acc2", "gyro", "mag") for axis in "xyz"), "force")
"""What our own streams call the 13 channels, in field order."""
UNITS = ("m/s2",) * 6 + ("rad/s",) * 3 + ("uT",) * 3 + ("N",)
TYPES = ("Acceleration",) * 6 + ("AngularVelocity",) * 3 + ("MagneticField",) * 3 + ("Force",)

_ACC = {
    "m/s2": 1.0, "m/s/s": 1.0, "ms-2": 1.0, "meters/second2": 1.0, "metres/second2": 1.0, "mm/s2": 1e-3,
    "g": G_M_S2, "mg": 1e-3 * G_M_S2,
}  # fmt: skip
_GYRO = {
    "rad/s": 1.0, "rads/s": 1.0, "radians/second": 1.0, "deg/s": math.radians(1.0), "dps": math.radians(1.0),
    "degrees/second": math.radians(1.0), "mdps": math.radians(1e-3),
}  # fmt: skip
_MAG = {
    "ut": 1.0, "microtesla": 1.0, "microteslas": 1.0, "nt": 1e-3, "mt": 1e3, "t": 1e6, "tesla": 1e6,
    "g": 100.0, "gauss": 100.0, "mg": 0.1, "mgauss": 0.1,
}  # fmt: skip
_FORCE = {"n": 1.0, "newton": 1.0, "newtons": 1.0, "mn": 1e-3}
FACTORS = {
    Quantity.ACC1: _ACC, Quantity.ACC2: _ACC, Quantity.GYRO: _GYRO, Quantity.MAG: _MAG,
    Quantity.FORCE: _FORCE,
}  # fmt: skip
"""Quantity -> unit as written (plain letters) -> how many of our unit it is."""
OUR_UNIT = {
    Quantity.ACC1: Unit.M_S2, Quantity.ACC2: Unit.M_S2, Quantity.GYRO: Unit.RAD_S,
    Quantity.MAG: Unit.MICROTESLA, Quantity.FORCE: Unit.NEWTON,
}  # fmt: skip
FULL_SCALE = {
    Quantity.ACC1: 8 * G_M_S2, Quantity.ACC2: 8 * G_M_S2, Quantity.GYRO: math.radians(2000.0),
    Quantity.MAG: 2400.0, Quantity.FORCE: 20.0,
}  # fmt: skip
"""What 15 bits are spread over where a stream does not state the range of its sensor."""

_NAMES = {
    Quantity.ACC2: ("acc2", "accrear", "rearacc", "accback", "acctail"),
    Quantity.ACC1: ("acc1", "accfront", "frontacc", "acctip", "acc"),
    Quantity.GYRO: ("gyro", "gyr", "gyroscope", "gyro1", "angularvelocity"),
    Quantity.MAG: ("mag", "magnetometer", "magneticfield", "magnet", "mag1"),
    Quantity.FORCE: ("force", "tipforce", "penforce", "pressure"),
}
_LONG = re.compile(r"acceleration|accelerometer|accel")


@dataclass(frozen=True, slots=True)
class Place:
    """Which of our channels a name means; axis 0 for the force."""

    quantity: Quantity
    axis: int


def place_of(label: str) -> Place | None:
    """`acc1_x`, `AccFront X`, `Gyro-Z`, `Force` ...; None for a name that is not one of ours.

    An accelerometer without a number is the front one: nothing is known of a second.
    """
    plain = _LONG.sub("acc", re.sub(r"[^a-z0-9]", "", label.lower()))
    if plain in _NAMES[Quantity.FORCE]:
        return Place(Quantity.FORCE, 0)
    name, axis = plain[:-1], "xyz".find(plain[-1:] or "?")
    if axis < 0:
        return None
    found = (q for q, names in _NAMES.items() if q is not Quantity.FORCE and name in names)
    quantity = next(found, None)
    return Place(quantity, axis) if quantity is not None else None


def factor_of(quantity: Quantity, unit: str) -> float | None:
    """How many of our unit one of `unit` is; None for a unit that does not fit the quantity."""
    plain = unit.strip().lower().replace("²", "2").replace("µ", "u").replace("μ", "u").replace("°", "deg")
    plain = re.sub(r"[\s^*·]|\*\*", "", plain).replace("sec", "s") if "second" not in plain else plain
    return FACTORS[quantity].get(re.sub(r"[\s^]", "", plain))
