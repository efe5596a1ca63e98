"""A recorded stream as a `PenSource`, at any speed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.framing import Frame, FrameType
from penapp.device.recorded import RecordedStream, open_recorded
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.errors import DeviceError

MAX_PAUSE_S = 2.0
"""A longer hole in a recording is played as a pause of this length."""


class ReplaySource:
    """Plays what `open_recorded` opens; speed 1.0 = as recorded, None = as fast as it goes.

    Each frame has the arrival that was recorded with it, whatever the speed; 0 where that is not told.
    """

    def __init__(self, path: Path, speed: float | None = 1.0) -> None:
        self.name = path.name
        self._path = path
        self._speed = speed
        self._recording: RecordedStream | None = None
        self._stopped = False

    @property
    def counters(self) -> LinkCounters:
        if self._recording is None:
            return LinkCounters()
        return self._recording.counters

    @property
    def progress(self) -> float:
        """0..1 of the file's bytes read."""
        if self._recording is None:
            return 0.0
        return self._recording.read_bytes / max(1, self._recording.total_bytes)

    async def open(self) -> Descriptor:
        self._recording = await asyncio.to_thread(open_recorded, self._path)
        return self._recording.descriptor

    async def start(self) -> None:
        self._stopped = False

    async def frames(self) -> AsyncIterator[list[ArrivedFrame]]:
        """Ends with the file."""
        if self._recording is None:
            raise DeviceError("frames() before open().")
        if self._speed is None:
            for batch in self._recording.arrivals():
                yield batch
                await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        due_s, last = loop.time(), None
        for arrived in chain.from_iterable(self._recording.arrivals()):
            due_s += _pause_s(last, arrived.frame) / self._speed
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            if self._stopped:
                return
            if arrived.frame.type is FrameType.DATA:
                last = arrived.frame
            yield [arrived]

    async def stop(self) -> None:
        self._stopped = True

    async def close(self) -> None:
        if self._recording is not None:
            self._recording.close()


def _pause_s(last: Frame | None, frame: Frame) -> float:
    if last is None or last.type is not frame.type:
        return 0.0
    seconds = ((frame.t_us - last.t_us) & 0xFFFFFFFF) / 1e6
    return min(seconds, MAX_PAUSE_S)
