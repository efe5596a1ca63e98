"""How the sensors of a pen sit, said by hand: `y,-x,z` = the pen's x is the sensor's y, and so on."""

from __future__ import annotations

import re

from firmware_protocol.channels import Mount, Quantity
from penapp.errors import BadInputError

FRONT_MM, REAR_MM = 25.0, 115.0
"""Where the accelerometers are taken to sit, from the tip along the pen, where nobody says."""

AxisMap = tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
_AXIS = re.compile(r"([-+]?)([xyz])")


def axis_map(text: str) -> AxisMap:
    """Three signed sensor axes for the pen's x, y, z (z along the pen to the tail).

    Raises:
        BadInputError: not each axis once, or a mirrored frame
    """
    found = [_AXIS.fullmatch(part.strip()) for part in text.lower().split(",")]
    if len(found) != 3 or not all(found) or {m[2] for m in found if m} != set("xyz"):
        raise BadInputError(
            f"axes {text!r} are not understood, expected each of x, y and z once with a sign, "
            "such as y,-x,z: the sensor axes that point along the pen's x, y and z."
        )
    a, b, c = (_row("xyz".index(m[2]), -1 if m[1] == "-" else 1) for m in found if m)
    turned: AxisMap = (a, b, c)
    if _determinant(turned) < 0:
        raise BadInputError(
            f"axes {text!r} mirror the sensor, no mounting does that.", advice="Change one of the signs."
        )
    return turned


def mounts(front: str, rear: str | None = None) -> tuple[Mount, ...]:
    """Mounts for the front chip (accelerometer, gyroscope), the magnetometer and the rear accelerometer."""
    front_map, rear_map = axis_map(front), axis_map(rear or front)
    return (
        Mount(Quantity.ACC1, front_map, (0.0, 0.0, FRONT_MM)),
        Mount(Quantity.ACC2, rear_map, (0.0, 0.0, REAR_MM)),
        Mount(Quantity.GYRO, front_map, (0.0, 0.0, FRONT_MM)),
        Mount(Quantity.MAG, front_map, (0.0, 0.0, FRONT_MM)),
    )


def _row(axis: int, sign: int) -> tuple[int, int, int]:
    row = [0, 0, 0]
    row[axis] = sign
    return (row[0], row[1], row[2])


def _determinant(m: AxisMap) -> int:
    (a, b, c), (d, e, f), (g, h, i) = m
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
