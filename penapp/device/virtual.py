"""The virtual pen as a `PenSource`: the ordinary serial link, with the far end played by this program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.messages import Op, Response
from firmware_protocol.virtual_pen import Faults, PenFirmware
from penapp.device.far_end import VirtualPen
from penapp.device.requests import LinkTiming
from penapp.device.serial_source import SerialSource
from penapp.device.source import ArrivedFrame, CountSource, LinkCounters
from penapp.errors import DeviceError

__all__ = ["CountSource", "Faults", "VirtualPenSource"]


class VirtualPenSource:
    """A pen that writes what `ink` holds, over a pseudo-terminal (or a loopback connection).

    The pen is plugged in at open() and unplugged at close(). When the ink is over, frames() ends after the
    last sample. An ink source may have nothing to say for a while, so silence is no error here.
    """

    def __init__(
        self,
        ink: CountSource,
        *,
        speed: float | None = 1.0,
        faults: Faults | None = None,
        timing: LinkTiming | None = None,
    ) -> None:
        self.name = ink.descriptor.name or "virtual pen"
        self._ink = ink
        self._speed = speed
        self._faults = faults
        self._timing = replace(timing or LinkTiming(), silence_s=None)
        self._pen: VirtualPen | None = None
        self._link: SerialSource | None = None
        self._draining: asyncio.Task[None] | None = None

    @property
    def counters(self) -> LinkCounters:
        return self._link.counters if self._link is not None else LinkCounters()

    async def open(self) -> Descriptor:
        """Plug the pen in and open its port."""
        loop = asyncio.get_running_loop()
        firmware = PenFirmware(self._ink.descriptor, faults=self._faults)
        self._pen = VirtualPen(
            self._ink,
            speed=self._speed,
            firmware=firmware,
            on_ink_over=partial(_later, loop, self._drain),
        )
        self._link = SerialSource(self._pen.address, timing=self._timing)
        return await self._link.open()

    async def start(self) -> None:
        await self._opened().start()

    async def ask(self, op: Op, args: bytes = b"") -> Response:
        """See `PenLink.ask`."""
        return await self._opened().ask(op, args)

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
        if self._pen is not None:
            await asyncio.to_thread(self._pen.unplug)

    def _opened(self) -> SerialSource:
        if self._link is None:
            raise DeviceError("the virtual pen is not open.")
        return self._link

    def _drain(self) -> None:
        self._draining = asyncio.get_running_loop().create_task(self._opened().drain())


def _later(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)
