"""Pens that lack a sensor: which channels of a session are absent, as their blocks would say it live."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError
from penapp.stream.block import ACC_FRONT, ACC_REAR, GYRO, MAG, SampleBlock, all_valid

SENSORS = {"front": ACC_FRONT, "rear": ACC_REAR, "gyro": GYRO, "magnetometer": MAG}
"""What a pen can lack and still be read; without a force sensor nothing tells where words begin."""

OFTEN_MISSING = ("rear", "magnetometer")
"""What simpler pens leave out."""


def sensor_names(text: str) -> tuple[str, ...]:
    """Names separated by commas, none for an empty text; BadInputError names what is no sensor."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = sorted(set(names) - set(SENSORS))
    if unknown:
        raise BadInputError(
            f"{', '.join(unknown)} is no sensor that a pen can lack.",
            advice=f"Known here: {', '.join(SENSORS)}.",
        )
    if {"front", "rear"} <= set(names):
        raise BadInputError(
            "a pen without front and rear accelerometer has no motion to read.", advice="Leave one of them."
        )
    return names


def absent_sensors(
    always: Sequence[str], share: float, seed: Sequence[int], kinds: Sequence[str] = OFTEN_MISSING
) -> tuple[str, ...]:
    """What one session's pen lacks: `always`, and in a share of the sessions one more of `kinds`.

    A stream of random numbers of its own: who leaves the share at 0 gets the corpus that always was.
    """
    rng = np.random.default_rng([*seed, 13])
    left = [name for name in kinds if name not in always and not {"front", "rear"} <= {*always, name}]
    if left and rng.random() < share:
        return (*always, left[int(rng.integers(len(left)))])
    return tuple(always)


def valid_without(absent: Sequence[str]) -> NDArray[np.bool_]:
    """(13,) True for the channels that such a pen has."""
    valid = all_valid()
    for name in absent:
        valid[SENSORS[name]] = False
    return valid


def block_without(
    t: NDArray[np.float64], values: NDArray[np.float32], absent: Sequence[str] = ()
) -> SampleBlock:
    """The samples as a pen without these sensors sends them: columns of 0, marked as not valid."""
    valid = valid_without(absent)
    return SampleBlock(t, np.where(valid, values, np.float32(0.0)) if absent else values, 0, valid)
