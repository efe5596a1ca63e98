"""Which pens could be there: virtual ones, serial ports, and Bluetooth pens with their signal strength."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from serial.tools import list_ports

from penapp.device.radio import Radio

if TYPE_CHECKING:
    from penapp.device.ble_scan import Sighting

VIRTUAL = "virtual"
VIRTUAL_BLE = "virtual-ble"
BLE_PREFIX = "ble:"
SCAN_S = 5.0


class PenKind(Enum):
    VIRTUAL = "virtual"
    SERIAL = "serial"
    BLE = "ble"


@dataclass(frozen=True, slots=True)
class PenPlace:
    """Somewhere a pen may be. `address` is what `penapp live --pen` takes.

    rssi_dbm: signal strength of the last advertisement; None for a cable, or where the system does not tell
    seen_s:   `time.monotonic` of the last advertisement; None for what is there without being heard
    """

    kind: PenKind
    address: str
    description: str
    rssi_dbm: int | None = None
    seen_s: float | None = None


def list_pens() -> list[PenPlace]:
    """The virtual pens first, then serial ports by name. Nothing is opened, nothing is scanned."""
    from penapp.device.virtual_ble import simulated_radio_installed

    virtual = [PenPlace(PenKind.VIRTUAL, VIRTUAL, "a simulated pen that writes words of real people")]
    if simulated_radio_installed():
        virtual.append(PenPlace(PenKind.VIRTUAL, VIRTUAL_BLE, "the same over a simulated Bluetooth radio"))
    ports = sorted(list_ports.comports(), key=lambda port: port.device)
    return [*virtual, *(PenPlace(PenKind.SERIAL, port.device, _description(port)) for port in ports)]


async def scan_pens(seconds: float = SCAN_S, *, radio: Radio | None = None) -> list[PenPlace]:
    """Bluetooth pens that were heard within `seconds`, the strongest first.

    Raises the `BluetoothError` that fits an adapter that is absent, off or denied.
    """
    from penapp.device.ble_scan import PenScanner

    async with PenScanner(radio or Radio()) as scanner:
        await scanner.wait_for(lambda: False, seconds)
        return ble_places(scanner.sightings())


def ble_places(sightings: Iterable[Sighting]) -> list[PenPlace]:
    """Sightings as places, in their order."""
    return [
        PenPlace(PenKind.BLE, BLE_PREFIX + s.address, ble_description(s.name, s.is_pen), s.rssi_dbm, s.seen_s)
        for s in sightings
    ]


def ble_description(name: str, is_pen: bool) -> str:
    """What is said of a device that was heard; one with the Nordic UART alone may be anything."""
    if is_pen:
        return name or "Pen without a name"
    return f"{name or 'Device without a name'}, perhaps a pen (Nordic UART)"


def ble_address(pen: str) -> str | None:
    """The address in `ble:ADDRESS` (empty = the only pen that is near); None for anything else."""
    return pen[len(BLE_PREFIX) :].strip() if pen.casefold().startswith(BLE_PREFIX) else None


def _description(port: object) -> str:
    parts = (getattr(port, name, None) for name in ("description", "manufacturer"))
    seen = [part for part in parts if part and part != "n/a"]
    return ", ".join(dict.fromkeys(seen)) or "serial port"
