"""The one place where bleak's objects are made: this machine's Bluetooth, or any other pair of back-ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from firmware_protocol.links import NORDIC_UART_UUID, SERVICE_UUID

if TYPE_CHECKING:
    from bleak import BleakClient, BleakScanner
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

    OnSeen = Callable[[BLEDevice, AdvertisementData], None]

PEN_SERVICES = (SERVICE_UUID, NORDIC_UART_UUID)
"""What a pen advertises: our service, or the Nordic UART alone."""


@dataclass(frozen=True, slots=True)
class Radio:
    """Where scanners and clients come from. The default is the operating system's Bluetooth.

    name:            how messages call it
    scanner_backend: bleak's documented hook (`BleakScanner(backend=...)`); None = the system's
    client_backend:  the same for `BleakClient`
    options:         further keyword arguments that both back-ends receive (a simulated radio, say)

    bleak is imported when it is used: a program that never looks for Bluetooth pens does not load it.
    All objects of one radio belong to one running asyncio loop.
    """

    name: str = "Bluetooth"
    scanner_backend: type[BaseBleakScanner] | None = None
    client_backend: type[BaseBleakClient] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def scan(self, on_seen: OnSeen, *, services: tuple[str, ...] | None = PEN_SERVICES) -> BleakScanner:
        """A scanner, not started: `on_seen` for every advertisement of `services` (None = of anything)."""
        from bleak import BleakScanner

        wanted = None if services is None else list(services)
        return BleakScanner(on_seen, wanted, backend=self.scanner_backend, **self.options)

    def client(self, place: BLEDevice | str, on_gone: Callable[[], None], *, timeout_s: float) -> BleakClient:
        """A client, not connected: `place` from a scan or an address; `on_gone` when the link has ended."""
        from bleak import BleakClient

        return BleakClient(
            place, lambda _client: on_gone(), timeout=timeout_s, backend=self.client_backend, **self.options
        )

    async def connected(self, address: str) -> BLEDevice | None:
        """A pen that the system holds connected already: it advertises no more, a scan would never hear it.

        Left over from a program that crashed, for one. None when there is none or the system cannot tell.
        """
        if self.scanner_backend is not None:
            return None
        from bleak import BleakAdapter

        try:
            adapter = await BleakAdapter.get()
            held = await adapter.get_connected_devices(list(PEN_SERVICES))
        except Exception:  # noqa: BLE001 -- the scan that follows says what is wrong
            return None
        return next((device for device in held if device.address.casefold() == address.casefold()), None)
