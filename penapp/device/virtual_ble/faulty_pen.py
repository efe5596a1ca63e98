"""A virtual BLE pen to which things happen as planned: `FaultyPen` on the simulated radio."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from firmware_protocol.faulty_pen import FaultyPen
from penapp.device.source import CountSource
from penapp.device.virtual_ble.chips import Air
from penapp.device.virtual_ble.firmware import BleFirmware
from penapp.device.virtual_ble.pen import VirtualBlePen
from penapp.device.virtual_ble.peripheral import PenIdentity

TICK_S = 0.005
QUESTIONS = 40
"""Twice as many as are asked about services: a slow pen is half as late with them all as with one answer."""
_ALL = 1 << 30


class FaultyBlePen(VirtualBlePen):
    """A `VirtualBlePen` that follows a plan at the same address. The plan's seconds are of `time.monotonic`.

    `switch_adapter` is called with False when the plan switches the host's Bluetooth off, then with True.
    """

    def __init__(
        self, air: Air, identity: PenIdentity, ink: CountSource, pen: FaultyPen, *, speed: float = 1.0
    ) -> None:
        self.pen = pen
        self.switch_adapter: Callable[[bool], None] = _ignore
        self._cuts = 0
        self._adapter_off = False
        self._following: asyncio.Task[None] | None = None
        super().__init__(air, identity, ink, speed=speed)
        self.firmware = pen.firmware

    async def switch_on(self) -> None:
        await super().switch_on()
        self._following = asyncio.create_task(self._follow_plan(), name=f"plan of pen {self.address}")

    async def switch_off(self) -> None:
        if self._following is not None:
            following, self._following = self._following, None
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
        await super().switch_off()

    def _who_answers(self) -> BleFirmware:
        return self.pen

    async def _follow_plan(self) -> None:
        while True:
            self.peripheral.send(self.pen.tick(time.monotonic()))
            self._follow_link()
            await asyncio.sleep(TICK_S)

    def _follow_link(self) -> None:
        pen, chip = self.pen, self.peripheral.chip
        chip.in_range = pen.adapter_off or not pen.away
        chip.refuse_connects = _ALL if pen.refusing else 0
        self.peripheral.delay_discovery(pen.slow_s / QUESTIONS)
        if pen.cuts != self._cuts:
            self._cuts = pen.cuts
            self.peripheral.cut()
        if pen.adapter_off != self._adapter_off:
            self._adapter_off = pen.adapter_off
            self.switch_adapter(not self._adapter_off)


def _ignore(_on: bool) -> None:
    """Nobody has an adapter to be switched."""
