"""Which column of a pen's stream is which of our thirteen channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.channels import Quantity
from firmware_protocol.descriptor import Descriptor
from firmware_protocol.streams import StreamSpec, counts_to_si
from penapp.errors import BadInputError
from penapp.stream.block import ACC_FRONT, ACC_REAR, CHANNEL_COUNT, FORCE, GYRO, MAG

_TRIADS = {Quantity.ACC1: ACC_FRONT, Quantity.ACC2: ACC_REAR, Quantity.GYRO: GYRO, Quantity.MAG: MAG}
_SQUARE = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


@dataclass(frozen=True, slots=True)
class ChannelLayout:
    """From the counts of one stream to SI values in field order, in the pen's frame.

    source: (k,)  int    column in the stream of each channel that the pen has
    target: (k,)  int    its column among our 13
    sign:   (k,)  float32 -1 where the sensor is mounted the other way round
    valid:  (13,) bool   which of our channels the pen has
    """

    stream: StreamSpec
    source: NDArray[np.intp]
    target: NDArray[np.intp]
    sign: NDArray[np.float32]
    valid: NDArray[np.bool_]

    @staticmethod
    def of(descriptor: Descriptor) -> ChannelLayout:
        """The layout of the pen's main stream: the one with the most channels we know."""
        candidates = [_layout(descriptor, stream) for stream in descriptor.streams]
        best = max(candidates, key=lambda layout: len(layout.target), default=None)
        if best is None or not len(best.target):
            raise BadInputError(
                f"the pen {descriptor.name!r} describes no channel that we can use, "
                "expected accelerometer, gyroscope, magnetometer or force.",
                advice="Update the pen's firmware or penapp.",
            )
        return best

    def to_si(self, counts: NDArray[np.int16]) -> NDArray[np.float32]:
        """(n, C) counts -> (n, 13) float32; columns that the pen lacks are 0."""
        values = np.zeros((len(counts), CHANNEL_COUNT), dtype=np.float32)
        values[:, self.target] = counts_to_si(counts, self.stream)[:, self.source] * self.sign
        return values


def _layout(descriptor: Descriptor, stream: StreamSpec) -> ChannelLayout:
    columns = {(int(c.quantity), c.axis): i for i, c in enumerate(stream.channels)}
    found: list[tuple[int, int, int]] = []
    for quantity, columns_of in _TRIADS.items():
        for axis, (sensor_axis, sign) in enumerate(_signed_axes(descriptor, quantity)):
            if (column := columns.get((int(quantity), sensor_axis))) is not None:
                found.append((column, columns_of.start + axis, sign))
    if (column := columns.get((int(Quantity.FORCE), 0))) is not None:
        found.append((column, FORCE, 1))
    table = np.array(found, dtype=np.intp).reshape(-1, 3)
    source, target, signs = table[:, 0], table[:, 1], table[:, 2]
    valid = np.zeros(CHANNEL_COUNT, dtype=np.bool_)
    valid[target] = True
    return ChannelLayout(stream, source, target, signs.astype(np.float32), valid)


def _signed_axes(descriptor: Descriptor, quantity: Quantity) -> list[tuple[int, int]]:
    """For each axis of the pen's frame: which axis of the sensor, and its sign."""
    axis_map = next((m.axis_map for m in descriptor.mounts if m.quantity == quantity), _SQUARE)
    axes = [_signed_axis(row) for row in axis_map]
    if None in axes or len({a[0] for a in axes if a}) < 3:
        raise BadInputError(
            f"the pen {descriptor.name!r} states the mount {axis_map} for {quantity.name}, "
            "expected each sensor axis once, with 1 or -1.",
            advice="Correct the mount in the pen's firmware.",
        )
    return [axis for axis in axes if axis is not None]


def _signed_axis(row: tuple[int, int, int]) -> tuple[int, int] | None:
    used = [(i, v) for i, v in enumerate(row) if v]
    return used[0] if len(used) == 1 and abs(used[0][1]) == 1 else None
