"""Whether the pen that answers is the one that a session belongs to."""

from __future__ import annotations

from firmware_protocol.descriptor import Descriptor
from penapp.device.errors import AnotherPenError, PenChangedError


def check_same_pen(known: Descriptor, found: Descriptor, name: str) -> None:
    """Raises `AnotherPenError`, or `PenChangedError` when the same pen now samples differently."""
    if found.device_id != known.device_id:
        raise AnotherPenError(
            f"another pen answers at {name}: {called(found)}; this session belongs to {called(known)}.",
            advice="Bring the first one back, or end the session and connect to this one.",
        )
    rates = [[stream.rate_hz for stream in pen.streams] for pen in (known, found)]
    if found.schema_hash != known.schema_hash or rates[0] != rates[1]:
        raise PenChangedError(
            f"the pen at {name} came back with other channels or another rate "
            f"({rates[1][0]:g} Hz instead of {rates[0][0]:g} Hz).",
            advice="End the session and connect again.",
        )


def called(pen: Descriptor) -> str:
    """Name and number, as a person tells pens apart."""
    return f"{pen.name or 'a pen without a name'} ({pen.device_id.hex()})"
