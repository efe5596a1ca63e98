"""Which pens could be there: the virtual one, and every serial port with what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from serial.tools import list_ports

VIRTUAL = "virtual"


class PenKind(Enum):
    VIRTUAL = "virtual"
    SERIAL = "serial"


@dataclass(frozen=True, slots=True)
class PenPlace:
    """Somewhere a pen may be. `address` is what `penapp live --pen` takes."""

    kind: PenKind
    address: str
    description: str


def list_pens() -> list[PenPlace]:
    """The virtual pen first, then serial ports by name. Nothing is opened."""
    virtual = PenPlace(PenKind.VIRTUAL, VIRTUAL, "a simulated pen that writes words of real people")
    ports = sorted(list_ports.comports(), key=lambda port: port.device)
    return [virtual, *(PenPlace(PenKind.SERIAL, port.device, _description(port)) for port in ports)]


def _description(port: object) -> str:
    parts = (getattr(port, name, None) for name in ("description", "manufacturer"))
    seen = [part for part in parts if part and part != "n/a"]
    return ", ".join(dict.fromkeys(seen)) or "serial port"
