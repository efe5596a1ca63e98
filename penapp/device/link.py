"""The pen's protocol over any carrier: who is there, START, samples, STOP."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

from firmware_protocol.commands import ALL_STREAMS, START_ARGS, TIME_SYNC_ARGS
from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import Frame, FrameType
from firmware_protocol.messages import Op, Response
from penapp.device.diagnosis import RESTART, no_samples
from penapp.device.errors import PenLostError, PenSilentError, WrongDeviceError
from penapp.device.requests import LinkTiming, NoAnswerError, Requests
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.device.transport import LinkStage, Sink, Transport
from penapp.errors import DeviceError


class PenLink:
    """`PenSource` over a `Transport`. on_stage: called on the loop as the link advances."""

    def __init__(
        self,
        transport: Transport,
        *,
        timing: LinkTiming | None = None,
        on_stage: Callable[[LinkStage], None] | None = None,
    ) -> None:
        self._transport = transport
        self._timing = timing or LinkTiming()
        self._on_stage = on_stage or _nobody
        self._requests = Requests(self._send, self._timing)
        self._descriptor: Descriptor | None = None
        self._inbox: deque[list[ArrivedFrame]] = deque()
        self._arrived = asyncio.Event()
        self._open = False
        self._lost: PenLostError | None = None
        self._streaming = False
        self._starting = False
        self._released = 0
        self._drained = False

    @property
    def name(self) -> str:
        return self._transport.name

    @property
    def counters(self) -> LinkCounters:
        return self._transport.counters

    @property
    def described(self) -> bool:
        """Whether the pen has said who it is."""
        return self._descriptor is not None

    @property
    def waiting(self) -> int:
        """Deliveries that nobody has taken from frames() yet."""
        return len(self._inbox)

    async def open(self) -> Descriptor:
        """Connect and learn who is there; raises the `DeviceError` that fits what was found."""
        await self._transport.open(Sink(self._deliver, self._gone, self._on_stage))
        self._open = True
        try:
            self._descriptor = await self._transport.descriptor()
            if self._descriptor is None:
                self._descriptor = self._told(await self.ask(Op.HELLO))
        except NoAnswerError:
            raise self._transport.no_answer() from None
        except OSError as error:
            self._gone(error)
            raise (self._lost or self._transport.lost()) from error
        except ProtocolError as error:
            raise WrongDeviceError(
                f"the pen at {self.name} describes itself in a way we cannot read: {error.args[0]}",
                advice=error.advice or RESTART,
            ) from error
        return self._descriptor

    async def ask(self, op: Op, args: bytes = b"", *, retries: int | None = None) -> Response:
        """Any command on the open link; raises `CommandRefusedError`, `NoAnswerError`, `PenLostError`."""
        return await self._requests.ask(op, args, retries=retries)

    async def time_sync(self) -> ArrivedFrame:
        """The pen's time, asked once; see `TimeSource`."""
        args = TIME_SYNC_ARGS.pack(time.perf_counter_ns() // 1000)
        return await self._requests.ask_arrived(Op.TIME_SYNC, args, retries=0)

    async def start(self) -> None:
        """START for all streams, bound to the channel layout that the pen stated."""
        if self._descriptor is None:
            raise DeviceError("start() before open().")
        self._drop_inbox()
        self._streaming = self._starting = True
        args = START_ARGS.pack(ALL_STREAMS, self._descriptor.schema_hash)
        try:
            await self.ask(Op.START, args)
        except NoAnswerError:
            if self.counters.foreign_frames:
                raise self._transport.no_answer() from None
            raise PenSilentError(
                f"the pen at {self.name} has said who it is, but does not answer START.",
                advice=RESTART,
            ) from None
        finally:
            self._starting = False
        self._on_stage(LinkStage.STREAMING)

    async def frames(self) -> AsyncIterator[list[ArrivedFrame]]:
        """DATA frames as they arrive; see `PenSource`."""
        patience = self._timing.silence_s
        while True:
            if not self._inbox and not await self._more(patience):
                return
            batch = self._inbox.popleft()
            self._consumed()
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
        if not self._open or self._lost is not None:
            return
        self._streaming = False
        self._drop_inbox()
        try:
            await self.ask(Op.STOP, retries=0)
        except (NoAnswerError, DeviceError):
            return

    async def close(self) -> None:
        self._streaming = self._open = False
        self._drop_inbox()
        await self._transport.close()

    async def drain(self) -> None:
        """Ask for silence but keep what is on its way: frames() ends after the last sample."""
        while self._lost is None and not self._drained:
            try:
                await self.ask(Op.STOP)
                self._drained = True
            except (NoAnswerError, PenLostError):
                continue
        self._arrived.set()

    def _deliver(self, frames: list[Frame], arrival_ns: int) -> None:
        batch: list[ArrivedFrame] = []
        for frame in frames:
            if frame.type is FrameType.DATA:
                batch.append(ArrivedFrame(frame, arrival_ns))
            elif frame.type is FrameType.RSP:
                self._requests.answer(frame, arrival_ns)
        if batch and self._streaming:
            self._inbox.append(batch)
            if self._starting:  # nobody reads yet: the answer to START must not wait behind its samples
                self._released += 1
                self._transport.release()
        else:
            self._transport.release()
        self._arrived.set()

    def _gone(self, error: Exception) -> None:
        if self._lost is not None:
            return
        self._lost = self._transport.lost()
        self._lost.__cause__ = error
        self._on_stage(LinkStage.LOST)
        self._requests.fail(self._lost)
        self._arrived.set()

    def _told(self, answer: Response) -> Descriptor:
        """The descriptor in an answer to HELLO; a pen leaves it out where it does not fit a notification."""
        if not answer.data:
            raise WrongDeviceError(
                f"the pen at {self.name} answers HELLO without its descriptor: it does not fit this link.",
                advice="Its firmware must offer the descriptor characteristic, or a larger MTU.",
            )
        return Descriptor.decode(answer.data)

    async def _send(self, frame: Frame) -> None:
        if not self._open:
            raise DeviceError(f"{self.name} is not open.")
        try:
            await self._transport.send(frame)
        except OSError as error:
            self._gone(error)
            raise (self._lost or self._transport.lost()) from error

    def _drop_inbox(self) -> None:
        for _ in self._inbox:
            self._consumed()
        self._inbox.clear()

    def _consumed(self) -> None:
        """The oldest delivery is done with."""
        if self._released:
            self._released -= 1
        else:
            self._transport.release()


def _nobody(_stage: LinkStage) -> None:
    """Nobody watches the link."""
