"""What a pen measures: the one door to its channels, its descriptor and the scaling of its counts."""

from __future__ import annotations

from firmware_protocol.descriptor import MAX_DESCRIPTOR_BYTES, Descriptor, standard_descriptor
from firmware_protocol.streams import (
    G_M_S2,
    ChannelSpec,
    Mount,
    Quantity,
    SensorModel,
    StreamSpec,
    Unit,
    clipped_rows,
    counts_to_si,
    si_to_counts,
)

__all__ = [
    "G_M_S2",
    "MAX_DESCRIPTOR_BYTES",
    "ChannelSpec",
    "Descriptor",
    "Mount",
    "Quantity",
    "SensorModel",
    "StreamSpec",
    "Unit",
    "clipped_rows",
    "counts_to_si",
    "si_to_counts",
    "standard_descriptor",
]
