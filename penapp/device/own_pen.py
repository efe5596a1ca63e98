"""What every virtual pen has in common as a source: a link to a far end that this program plays itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from firmware_protocol.messages import Op, Response
from penapp.device.link import PenLink
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.errors import DeviceError


class OwnPenSource:
    """The part of `PenSource` behind open(), which makes the far end and sets `_link`.

    When the ink is over the far end calls `_drain` on the loop, and frames() ends after the last sample.
    """

    _link: PenLink | None = None
    _draining: asyncio.Task[None] | None = None

    @property
    def counters(self) -> LinkCounters:
        return self._link.counters if self._link is not None else LinkCounters()

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
        """The link; then what plays the far end is to be put away."""
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.wait([self._draining])
        if self._link is not None:
            await self._link.close()

    def _opened(self) -> PenLink:
        if self._link is None:
            raise DeviceError("the virtual pen is not open.")
        return self._link

    def _drain(self) -> None:
        self._draining = asyncio.get_running_loop().create_task(self._opened().drain())
