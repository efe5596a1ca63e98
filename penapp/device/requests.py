"""Commands to the pen and the answers that come back: one second, three retries, the same tag each time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from firmware_protocol.commands import ANSWER_RETRIES, ANSWER_TIMEOUT_S
from firmware_protocol.errors import FrameError
from firmware_protocol.framing import Frame
from firmware_protocol.messages import Command, Op, Response, Status, command_frame, parse_response
from penapp.device.errors import CommandRefusedError
from penapp.device.source import ArrivedFrame


@dataclass(frozen=True, slots=True)
class LinkTiming:
    """Patience with a pen.

    answer_s:  seconds for one answer
    retries:   further attempts with the same tag
    silence_s: seconds without a single sample after START before we say so; None = wait for ever
    """

    answer_s: float = ANSWER_TIMEOUT_S
    retries: int = ANSWER_RETRIES
    silence_s: float | None = 2.0


class NoAnswerError(Exception):
    """Internal to the device layer: every attempt ran out; the source says what that means."""


class Requests:
    """Pairs answers with commands by operation and tag. Lives in one asyncio loop."""

    def __init__(self, send: Callable[[Frame], Awaitable[None]], timing: LinkTiming) -> None:
        self._send = send
        self._timing = timing
        self._waiting: dict[tuple[int, int], asyncio.Future[ArrivedFrame]] = {}
        self._tag = 0
        self._seq = 0

    async def ask(self, op: Op, args: bytes = b"", *, retries: int | None = None) -> Response:
        """The pen's answer; raises `CommandRefusedError`, `NoAnswerError` or what `fail` was given."""
        return parse_response((await self.ask_arrived(op, args, retries=retries)).frame)

    async def ask_arrived(self, op: Op, args: bytes = b"", *, retries: int | None = None) -> ArrivedFrame:
        """The same, with the frame and when it arrived."""
        self._tag = self._tag % 255 + 1
        command = Command(op, self._tag, args)
        for _ in range(1 + (self._timing.retries if retries is None else retries)):
            try:
                arrived = await self._attempt(command)
            except TimeoutError:
                continue
            _check_granted(command, parse_response(arrived.frame))
            return arrived
        raise NoAnswerError(op.name)

    async def _attempt(self, command: Command) -> ArrivedFrame:
        key = (int(command.op), command.tag)
        future: asyncio.Future[ArrivedFrame] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        frame = command_frame(command, self._seq)
        self._seq += 1
        try:
            async with asyncio.timeout(self._timing.answer_s):
                await self._send(frame)
                return await future
        finally:
            del self._waiting[key]
            if future.done() and not future.cancelled():
                future.exception()  # sending itself may have failed: then nobody else asks for it

    def answer(self, frame: Frame, arrival_ns: int = 0) -> None:
        """Take a RSP frame; one that nobody waits for (a late duplicate) or that says nothing is dropped."""
        try:
            response = parse_response(frame)
        except FrameError:
            return
        future = self._waiting.get((int(response.op), response.tag))
        if future is not None and not future.done():
            future.set_result(ArrivedFrame(frame, arrival_ns))

    def fail(self, error: Exception) -> None:
        """The link is gone: whoever waits for an answer learns it now."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)


def _check_granted(command: Command, response: Response) -> None:
    if response.ok:
        return
    status = response.status.name if isinstance(response.status, Status) else f"status {response.status}"
    op = command.op.name if isinstance(command.op, Op) else str(command.op)
    advice = _ADVICE.get(response.status, "Switch the pen off and on, then connect again.")
    raise CommandRefusedError(f"the pen refused {op}: {status}.", advice=advice)


_ADVICE: dict[int, str] = {
    Status.MTU_TOO_SMALL: "The pen's firmware and this computer's Bluetooth must agree to a larger MTU; "
    "another adapter may, a cable always does."
}
