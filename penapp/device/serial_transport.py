"""Frames over a byte stream: COBS between zero bytes, on a serial device or a `socket://` address."""

from __future__ import annotations

import asyncio
import contextlib

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.framing import DELIMITER, Frame, FrameDecoder, encode_frame, to_serial
from penapp.device.diagnosis import lost, no_answer
from penapp.device.errors import PenLostError, PortError
from penapp.device.port import Port, open_port
from penapp.device.reader import PortReader
from penapp.device.source import LinkCounters
from penapp.device.transport import LinkStage, Sink
from penapp.errors import DeviceError

KEPT_FIRST_BYTES = 24


class SerialTransport:
    """`Transport` over one port; a reader thread of its own."""

    def __init__(self, port: str) -> None:
        self.name = port
        self._decoder = FrameDecoder()
        self._port: Port | None = None
        self._opening: asyncio.Task[Port] | None = None
        self._reader: PortReader | None = None
        self._sink: Sink | None = None
        self._received = 0
        self._first_bytes = b""

    @property
    def counters(self) -> LinkCounters:
        seen = self._decoder.counters
        return LinkCounters(self._received, seen.accepted, seen.damaged, seen.foreign_version)

    async def open(self, sink: Sink) -> None:
        """Open the port, start reading, end whatever stands in the pen's buffer."""
        loop = asyncio.get_running_loop()
        self._sink = sink
        sink.stage(LinkStage.CONNECTING)
        self._opening = loop.create_task(asyncio.to_thread(open_port, self.name))
        self._port = await asyncio.shield(self._opening)
        self._reader = PortReader(self._port, loop, self._arrived, sink.gone)
        self._reader.start()
        sink.stage(LinkStage.DISCOVERING)
        try:
            self._write(DELIMITER)
        except OSError as error:
            raise self.lost() from error

    async def descriptor(self) -> Descriptor | None:
        """A byte stream knows nothing of the pen: ask with HELLO."""
        return None

    async def send(self, frame: Frame) -> None:
        self._write(to_serial(encode_frame(frame)))

    def release(self) -> None:
        if self._reader is not None:
            self._reader.release()

    async def close(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await asyncio.to_thread(reader.stop)
        if self._opening is not None:
            opening, self._opening, self._port = self._opening, None, None
            with contextlib.suppress(PortError):  # open() has raised it already
                (await opening).close()

    def no_answer(self) -> DeviceError:
        foreign = self._decoder.counters.last_foreign_version
        return no_answer(self.name, self.counters, foreign, self._first_bytes)

    def lost(self) -> PenLostError:
        return lost(self.name)

    def _arrived(self, raw: bytes, arrival_ns: int) -> None:
        self._received += len(raw)
        if len(self._first_bytes) < KEPT_FIRST_BYTES:
            self._first_bytes = (self._first_bytes + raw)[:KEPT_FIRST_BYTES]
        frames = list(self._decoder.feed(raw))
        if self._sink is not None:
            self._sink.deliver(frames, arrival_ns)

    def _write(self, raw: bytes) -> None:
        if self._port is None:
            raise ConnectionResetError(f"{self.name} is not open")
        self._port.write(raw)
