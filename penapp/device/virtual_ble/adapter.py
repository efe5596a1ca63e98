"""The computer's Bluetooth adapter: one host stack that scans and connects, on any chip."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason
from bumble import hci
from bumble.device import Device, DeviceConfiguration
from bumble.transport.common import TransportSink, TransportSource

from penapp.device.virtual_ble.chips import RadioHost


class Adapter:
    """What scanners and clients share. Belongs to one asyncio loop.

    device:     Bumble's host stack
    connecting: held while a connection is being made; a chip makes one at a time
    rssi_dbm:   made-up signal strength of a pen by its address; None = believe the chip
    """

    def __init__(
        self,
        source: TransportSource,
        sink: TransportSink,
        rssi_dbm: Callable[[str], int] | None = None,
    ) -> None:
        config = DeviceConfiguration(name="penapp host", address=hci.Address.generate_static_address())
        self.device = Device(config=config, host=RadioHost(source, sink))
        self.connecting = asyncio.Lock()
        self.rssi_dbm = rssi_dbm
        self.powered = True

    async def start(self) -> None:
        await self.device.power_on()

    async def stop(self) -> None:
        await self.device.power_off()

    def power(self, *, on: bool) -> None:
        """What the system tells of Bluetooth switched on or off; its chip has to be told by itself."""
        self.powered = on
        if not on:
            self.device.scanning = False

    def require_power(self) -> None:
        """Raises bleak's error for "Bluetooth is off"."""
        if not self.powered:
            raise BleakBluetoothNotAvailableError(
                "the Bluetooth adapter is switched off", BleakBluetoothNotAvailableReason.POWERED_OFF
            )
