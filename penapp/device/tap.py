"""A source that somebody else listens to as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from firmware_protocol.descriptor import Descriptor
from penapp.device.source import ArrivedFrame, LinkCounters, PenSource


class FrameSink(Protocol):
    """begin: the pen is known; push: frames as they arrived. Both from the device thread, both quick."""

    def begin(self, descriptor: Descriptor) -> None: ...

    def push(self, batch: Sequence[ArrivedFrame]) -> None: ...


FURTHER = ("follow", "time_sync")
"""What only some sources can do, and whoever uses them looks for by name."""


class TappedSource:
    """`source`, unchanged in all it can do; the sink gets every batch before it is handed on."""

    def __init__(self, source: PenSource, sink: FrameSink) -> None:
        self._source, self._sink = source, sink
        for name in FURTHER:
            if hasattr(source, name):
                setattr(self, name, getattr(source, name))

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def counters(self) -> LinkCounters:
        return self._source.counters

    async def open(self) -> Descriptor:
        descriptor = await self._source.open()
        self._sink.begin(descriptor)
        return descriptor

    async def start(self) -> None:
        await self._source.start()

    async def frames(self) -> AsyncIterator[list[ArrivedFrame]]:
        """See `PenSource`."""
        async for batch in self._source.frames():
            self._sink.push(batch)
            yield batch

    async def stop(self) -> None:
        await self._source.stop()

    async def close(self) -> None:
        await self._source.close()
