"""The virtual pen as a `PenSource`: the ordinary serial link, with the far end played by this program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.virtual_pen import Faults, PenFirmware
from penapp.device.far_end import VirtualPen
from penapp.device.own_pen import OwnPenSource
from penapp.device.requests import LinkTiming
from penapp.device.serial_source import SerialSource
from penapp.device.source import CountSource

__all__ = ["CountSource", "Faults", "VirtualPenSource"]


class VirtualPenSource(OwnPenSource):
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

    async def close(self) -> None:
        await super().close()
        if self._pen is not None:
            await asyncio.to_thread(self._pen.unplug)


def _later(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)
