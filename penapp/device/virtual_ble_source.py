"""The virtual pen as a `PenSource` over a simulated radio: bleak's client here, a GATT server there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from firmware_protocol.descriptor import Descriptor
from penapp.device.ble_source import BleSource
from penapp.device.radio import Radio
from penapp.device.requests import LinkTiming
from penapp.device.source import ArrivedFrame, CountSource, LinkCounters
from penapp.device.virtual_ble import require_simulated_radio
from penapp.errors import DeviceError

if TYPE_CHECKING:
    from penapp.device.virtual_ble.radio import SimulatedRadio


class VirtualBleSource:
    """A pen that writes what `ink` holds, on a radio that exists in this process alone.

    Switched on at open(), off at close(). When the ink is over, frames() ends after the last sample.
    open() raises `SimulatedRadioMissingError` where Bumble is not installed.
    """

    def __init__(
        self, ink: CountSource, *, speed: float | None = 1.0, timing: LinkTiming | None = None
    ) -> None:
        self.name = ink.descriptor.name or "virtual pen"
        self._ink = ink
        self._speed = speed
        self._timing = replace(timing or LinkTiming(), silence_s=None)
        self._air: SimulatedRadio | None = None
        self._link: BleSource | None = None
        self._draining: asyncio.Task[None] | None = None

    @property
    def counters(self) -> LinkCounters:
        return self._link.counters if self._link is not None else LinkCounters()

    async def open(self) -> Descriptor:
        """Switch the simulated radio and the pen on, find it by its service, connect."""
        require_simulated_radio()
        from penapp.device.virtual_ble.client import RadioClient
        from penapp.device.virtual_ble.radio import SimulatedRadio
        from penapp.device.virtual_ble.scanner import RadioScanner

        self._air = await SimulatedRadio().__aenter__()
        pen = await self._air.add_pen(self._ink, speed=self._speed, on_ink_over=self._drain)
        radio = Radio("simulated radio", RadioScanner, RadioClient, {"radio": self._air.adapter})
        self._link = BleSource(pen.identity.address, radio=radio, timing=self._timing)
        return await self._link.open()

    async def start(self) -> None:
        await self._opened().start()

    async def frames(self) -> AsyncIterator[list[ArrivedFrame]]:
        """See `PenSource`; ends when the ink is over."""
        async for batch in self._opened().frames():
            yield batch

    async def stop(self) -> None:
        if self._draining is not None:
            await self._draining
        elif self._link is not None:
            await self._link.stop()

    async def close(self) -> None:
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.wait([self._draining])
        if self._link is not None:
            await self._link.close()
        if self._air is not None:
            air, self._air = self._air, None
            await air.__aexit__(None, None, None)

    def _opened(self) -> BleSource:
        if self._link is None:
            raise DeviceError("the virtual pen is not open.")
        return self._link

    def _drain(self) -> None:
        self._draining = asyncio.get_running_loop().create_task(self._opened().drain())
