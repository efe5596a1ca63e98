"""What goes wrong with a virtual BLE pen from the start; more happens on demand (see `VirtualBlePen`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_protocol.faults import Faults

LARGEST_MTU = 517
DEFAULT_MTU = 247
SMALLEST_MTU = 23


@dataclass(frozen=True, slots=True)
class BleFaults:
    """Faults of one pen.

    refused_connects:  how many attempts to connect fail before one succeeds
    discovery_delay_s: seconds before each answer to a question about services
    max_mtu:           largest ATT MTU the pen agrees to, 23 to 517
    denied:            reading, writing and subscribing need a pairing that this pen does not grant
    wire:              damage to notifications, probabilities for each
    """

    refused_connects: int = 0
    discovery_delay_s: float = 0.0
    max_mtu: int = DEFAULT_MTU
    denied: bool = False
    wire: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        if not SMALLEST_MTU <= self.max_mtu <= LARGEST_MTU:
            raise ValueError(
                f"max_mtu is {self.max_mtu}, expected {SMALLEST_MTU} to {LARGEST_MTU}, the limits of ATT."
            )
