"""A pen on a byte stream: serial port, pseudo-terminal or socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from firmware_protocol.commands import ALL_STREAMS, START_ARGS
from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import DELIMITER, FrameDecoder, FrameType
from firmware_protocol.messages import Op
from penapp.device.diagnosis import RESTART, lost, no_answer, no_samples
from penapp.device.errors import (
    CommandRefusedError,
    PenLostError,
    PenSilentError,
    PortError,
    WrongDeviceError,
)
from penapp.device.port import Port, open_port
from penapp.device.reader import PortReader
from penapp.device.requests import LinkTiming, NoAnswerError, Requests
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.errors import DeviceError

KEPT_FIRST_BYTES = 24


class SerialSource:
    """`PenSource` over a serial device name or a `socket://host:port` address."""

    def __init__(self, port: str, *, timing: LinkTiming | None = None) -> None:
        self.name = port
        self._timing = timing or LinkTiming()
        self._decoder = FrameDecoder()
        self._port: Port | None = None
        self._opening: asyncio.Task[Port] | None = None
        self._reader: PortReader | None = None
        self._requests = Requests(self._write, self._timing)
        self._descriptor: Descriptor | None = None
        self._inbox: list[list[ArrivedFrame]] = []
        self._arrived = asyncio.Event()
        self._lost: PenLostError | None = None
        self._streaming = False
        self._received = 0
        self._drained = False
        self._first_bytes = b""

    @property
    def counters(self) -> LinkCounters:
        seen = self._decoder.counters
        return LinkCounters(self._received, seen.accepted, seen.damaged, seen.foreign_version)

    async def open(self) -> Descriptor:
        """Connect and HELLO; raises the `DeviceError` that fits what was found."""
        loop = asyncio.get_running_loop()
        self._opening = loop.create_task(asyncio.to_thread(open_port, self.name))
        self._port = await asyncio.shield(self._opening)
        self._reader = PortReader(self._port, loop, self._deliver, self._gone)
        self._reader.start()
        try:
            self._write(DELIMITER)
            answer = await self._requests.ask(Op.HELLO)
            self._descriptor = Descriptor.decode(answer.data)
        except NoAnswerError:
            foreign = self._decoder.counters.last_foreign_version
            raise no_answer(self.name, self.counters, foreign, self._first_bytes) from None
        except ProtocolError as error:
            raise WrongDeviceError(
                f"the pen at {self.name} describes itself in a way we cannot read: {error.args[0]}",
                advice=error.advice,
            ) from error
        return self._descriptor

    async def start(self) -> None:
        """START for all streams, bound to the channel layout that HELLO stated."""
        if self._descriptor is None:
            raise DeviceError("start() before open().")
        self._drop_inbox()
        self._streaming = True
        args = START_ARGS.pack(ALL_STREAMS, self._descriptor.schema_hash)
        try:
            await self._requests.ask(Op.START, args)
        except NoAnswerError:
            raise PenSilentError(
                f"the pen at {self.name} answered HELLO but not START.",
                advice=RESTART,
            ) from None

    async def frames(self) -> AsyncIterator[list[ArrivedFrame]]:
        """DATA frames as they arrive; see `PenSource`."""
        patience = self._timing.silence_s
        while True:
            if not self._inbox and not await self._more(patience):
                return
            batch = self._inbox.pop(0)
            self._release()
            patience = None
            yield batch

    async def _more(self, patience_s: float | None) -> bool:
        """Wait for the next batch; False at the known end of the stream."""
        while not self._inbox:
            if self._lost is not None:
                raise self._lost
            if self._drained:
                return False
            self._arrived.clear()
            try:
                async with asyncio.timeout(patience_s):
                    await self._arrived.wait()
            except TimeoutError:
                raise no_samples(self.name, patience_s or 0.0) from None
        return True

    async def stop(self) -> None:
        """STOP; a pen that is gone or does not answer is left alone."""
        if self._port is None or self._lost is not None:
            return
        self._streaming = False
        self._drop_inbox()
        try:
            await self._requests.ask(Op.STOP, retries=0)
        except (NoAnswerError, PenLostError, CommandRefusedError):
            return

    async def close(self) -> None:
        self._streaming = False
        self._drop_inbox()
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await asyncio.to_thread(reader.stop)
        if self._opening is not None:
            opening, self._opening, self._port = self._opening, None, None
            with contextlib.suppress(PortError):  # open() has raised it already
                (await opening).close()

    async def drain(self) -> None:
        """Ask for silence but keep what is on its way: frames() ends after the last sample."""
        while self._lost is None and not self._drained:
            with contextlib.suppress(NoAnswerError, PenLostError):
                await self._requests.ask(Op.STOP)
                self._drained = True
        self._arrived.set()

    def _deliver(self, raw: bytes, arrival_ns: int) -> None:
        self._received += len(raw)
        if len(self._first_bytes) < KEPT_FIRST_BYTES:
            self._first_bytes = (self._first_bytes + raw)[:KEPT_FIRST_BYTES]
        batch: list[ArrivedFrame] = []
        for frame in self._decoder.feed(raw):
            if frame.type is FrameType.DATA:
                batch.append(ArrivedFrame(frame, arrival_ns))
            elif frame.type is FrameType.RSP:
                self._requests.answer(frame)
        if batch and self._streaming:
            self._inbox.append(batch)
        else:
            self._release()
        self._arrived.set()

    def _gone(self, error: OSError) -> None:
        self._lost = lost(self.name)
        self._lost.__cause__ = error
        self._requests.fail(self._lost)
        self._arrived.set()

    def _write(self, raw: bytes) -> None:
        if self._port is None:
            raise DeviceError(f"{self.name} is not open.")
        try:
            self._port.write(raw)
        except OSError as error:
            self._gone(error)
            raise lost(self.name) from error

    def _drop_inbox(self) -> None:
        for _ in self._inbox:
            self._release()
        self._inbox.clear()

    def _release(self) -> None:
        if self._reader is not None:
            self._reader.release()
