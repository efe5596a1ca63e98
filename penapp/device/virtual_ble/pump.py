"""From the sensors of a virtual pen through its firmware to the radio, at a pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
from numpy.typing import NDArray

from penapp.device.source import CountSource
from penapp.device.virtual_ble.firmware import BleFirmware
from penapp.device.virtual_ble.pace import SampleClock

NOTHING_YET_S = 0.005
"""Pause before a source of ink that has nothing to say is asked again."""


class SamplePump:
    """Takes samples while the pen is awake: from START to STOP, also while the link is lost if it has a pace.

    send: wire items to the host; dropped by the radio when nobody is connected
    room: returns when the radio has room for more (only asked without a pace)
    on_ink_over: called once when the count source has nothing more
    """

    def __init__(
        self,
        ink: CountSource,
        firmware: BleFirmware,
        clock: SampleClock,
        *,
        send: Callable[[list[bytes]], None],
        room: Callable[[], Awaitable[None]],
        on_ink_over: Callable[[], None] | None = None,
    ) -> None:
        self._ink = ink
        self._firmware = firmware
        self._clock = clock
        self._send = send
        self._room = room
        self._on_ink_over = on_ink_over
        self._rate_hz = ink.descriptor.streams[0].rate_hz
        self._taken = 0
        self._awake = asyncio.Event()

    @property
    def now_us(self) -> int:
        """The pen's clock."""
        return round((self._taken + self._clock.ahead()) * 1e6 / self._rate_hz)

    def wake(self) -> None:
        self._clock.start()
        self._awake.set()

    def sleep(self) -> None:
        self._clock.stop()
        self._awake.clear()

    def link_lost(self) -> None:
        """Time goes on for a pen with a pace; without one nothing happens until somebody listens again."""
        if not self._clock.paced:
            self.sleep()

    def reboot(self) -> None:
        self.sleep()
        self._taken = 0

    def take(self, counts: NDArray[np.int16]) -> None:
        """The sensors measured this; it is sent if somebody listens."""
        t_us = round(self._taken * 1e6 / self._rate_hz)
        self._taken += len(counts)
        self._clock.took(len(counts))
        self._send(self._firmware.take(counts, t_us))

    def take_now(self, n: int) -> int:
        """Up to n samples at once, whether awake or not; how many the ink had."""
        counts = self._ink.read(n)
        if counts is None:
            return 0
        if len(counts):
            self.take(counts)
        return len(counts)

    async def run(self) -> None:
        """Until the ink is over or the task is cancelled."""
        while True:
            await self._awake.wait()
            due = self._clock.due()
            if not due:
                await asyncio.sleep(self._clock.seconds_until(max(1, self._firmware.batch)))
                continue
            counts = await self._measure(due)
            if counts is None:
                break
            if len(counts):
                self.take(counts)
                await self._pause()
            else:
                await self._nothing_yet(due)
        if self._on_ink_over is not None:
            self._on_ink_over()

    async def _measure(self, due: int) -> NDArray[np.int16] | None:
        """A source of ink may think for a while about its next sentence: not in the radio's loop."""
        if self._clock.paced:
            return await asyncio.to_thread(self._ink.read, due)
        return self._ink.read(due)

    async def _pause(self) -> None:
        if not self._clock.paced:
            await self._room()

    async def _nothing_yet(self, due: int) -> None:
        """Sensors that have nothing to say take no samples; the time is not made up for."""
        if self._clock.paced:
            self._clock.took(due)
        await asyncio.sleep(NOTHING_YET_S)
