"""A source that survives its links: whatever breaks, it looks for the same pen until the user stops it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.messages import Op, Response, Status, response_frame
from penapp.device.diagnosis import fell_silent
from penapp.device.errors import CommandRefusedError, PenLostError, PenSilentError, PortAbsentError
from penapp.device.identity import check_same_pen
from penapp.device.keep_time import AwayError, TimeSource
from penapp.device.link_report import LinkReport
from penapp.device.patience import Patience
from penapp.device.requests import NoAnswerError
from penapp.device.source import ArrivedFrame, LinkCounters, PenSource
from penapp.device.transport import LinkStage
from penapp.device.watch import SilentError, watched
from penapp.errors import DeviceError

MakeLink = Callable[[Callable[[LinkStage], None]], PenSource]
"""A new link to the same place; it is told whom to call as it advances. Making one opens nothing."""

COMES_BACK = "Bring it back: the session goes on by itself, and what was recorded so far is kept."

log = logging.getLogger(__name__)


class SupervisedSource:
    """`PenSource` over links that come and go.

    open() and start() raise what they find, as a single link does; with `wait` they go on until the pen can
    be reached. Once samples have come, frames() goes on through every fault: after each loss it looks for
    the same pen (device id) with growing pauses, and yields the pen's answer to HELLO before its new
    samples, so that recordings know. It raises only what waiting cannot heal (`DeviceError.lasting`).
    `name` is how the last link that came about called itself.
    """

    def __init__(
        self, make_link: MakeLink, *, name: str, wait: bool = False, patience: Patience | None = None
    ) -> None:
        self.name = name
        self._make_link = make_link
        self._wait = wait
        self._patience = patience or Patience()
        self._link: PenSource | None = None
        self._pen: Descriptor | None = None
        self._hello: list[ArrivedFrame] = []
        self._past = LinkCounters()
        self._heard = False
        self._refused_s: float | None = None
        self._on_report: Callable[[LinkReport], None] = _nobody
        self._report = LinkReport(LinkStage.LOST, 0.0)

    @property
    def counters(self) -> LinkCounters:
        """Of all links so far."""
        return self._past if self._link is None else _sum(self._past, self._link.counters)

    @property
    def report(self) -> LinkReport:
        """The newest one."""
        return self._report

    def follow(self, on_report: Callable[[LinkReport], None]) -> None:
        """Call this with each report, on the loop."""
        self._on_report = on_report

    async def open(self) -> Descriptor:
        """The pen's description. Raises what the first attempt finds, unless told to wait."""
        self._tell(replace(self._report, stage=LinkStage.SCANNING, attempt=1))
        while self._pen is None:
            try:
                self._pen = await self._opened()
            except (DeviceError, ProtocolError) as error:
                await self._first_failed(error)
        return self._pen

    async def start(self) -> None:
        """START; with `wait`, a pen that goes away in between is waited for."""
        if self._link is None:
            raise DeviceError("start() before open().")
        try:
            await self._link.start()
        except DeviceError as error:
            if not self._wait or error.lasting:
                raise
            self._hello = [await self._found_again(error)]

    async def frames(self) -> AsyncGenerator[list[ArrivedFrame]]:
        """Batches of frames; the first of a later link is the pen's answer to HELLO."""
        if self._hello:
            yield self._taken_hello()
        while True:
            try:
                async with aclosing(self._watched()) as batches:
                    async for batch in batches:
                        self._arrived()
                        yield batch
            except (DeviceError, OSError) as error:
                if not self._may_try_again(error):
                    raise
                self._hello = [await self._found_again(error)]
                yield self._taken_hello()
            else:
                return

    async def time_sync(self) -> ArrivedFrame:
        """See `TimeSource`; a pen that is away is asked again when it is back."""
        link = self._link
        if link is None or self._report.stage is not LinkStage.STREAMING:
            raise AwayError
        if not isinstance(link, TimeSource):
            raise NoAnswerError("TIME_SYNC")
        try:
            return await link.time_sync()
        except CommandRefusedError:
            raise
        except DeviceError as error:
            raise AwayError from error

    async def stop(self) -> None:
        if self._link is not None:
            await self._link.stop()

    async def close(self) -> None:
        if self._link is not None:
            link, self._link = self._link, None
            self._past = _sum(self._past, link.counters)
            await _to_its_end(self._closed(link))

    async def _watched(self) -> AsyncGenerator[list[ArrivedFrame]]:
        if self._link is None:
            raise DeviceError("frames() before start().")
        silence_s = self._patience.silence_s
        try:
            async with aclosing(watched(self._link.frames(), silence_s)) as batches:
                async for batch in batches:
                    yield batch
        except SilentError:
            raise fell_silent(self.name, silence_s or 0.0) from None

    async def _opened(self) -> Descriptor:
        """One attempt; a link that fails is taken down again."""
        link = self._link = self._make_link(self._advanced)
        try:
            descriptor = await link.open()
        except BaseException:
            await self.close()
            raise
        self.name = link.name
        return descriptor

    async def _first_failed(self, error: DeviceError | ProtocolError) -> None:
        """The pen has never been reached: the error is told, unless we are to wait."""
        if not self._wait or _lasting(error):
            raise error
        await self._pause(error)

    async def _found_again(self, error: Exception) -> ArrivedFrame:
        """Look for the pen until it streams; its answer to HELLO."""
        await self.close()
        if self._report.out_s is None:
            self._begin_outage(error)
        while True:
            await self._pause(error)
            try:
                descriptor = await self._reached()
            except Exception as found:
                await self.close()
                self._note_unforeseen(found, before=error)
                error = found
                if self._final(found):
                    raise
                continue
            self._refused_s = None
            hello = Response(Op.HELLO, 0, Status.OK, descriptor.encode())
            return ArrivedFrame(response_frame(hello))

    async def _reached(self) -> Descriptor:
        descriptor = await self._opened()
        if self._pen is not None:
            check_same_pen(self._pen, descriptor, self.name)
        self._pen = descriptor
        if self._link is not None:
            await self._link.start()
        return descriptor

    def _note_unforeseen(self, found: Exception, *, before: Exception) -> None:
        """A session outlives what nobody thought of, too: shown like any other reason, logged once."""
        foreseen = isinstance(found, DeviceError | ProtocolError | OSError)
        if not foreseen and type(found) is not type(before):
            log.error("attempt to reach pen=%s failed unexpectedly", self.name, exc_info=found)

    def _begin_outage(self, error: Exception) -> None:
        now_s = asyncio.get_running_loop().time()
        losses = self._report.losses + 1
        self._report = replace(self._report, attempt=0, out_s=now_s, losses=losses)
        log.info("lost pen=%s because=%s", self.name, error)

    async def _pause(self, error: Exception) -> None:
        """Tell what was found and when the next attempt comes, and wait for it."""
        attempt = self._report.attempt + 1
        seconds = self._patience.before(attempt)
        if attempt == 1 and isinstance(error, PenSilentError):
            seconds = 0.0  # the time of silence was the pause
        next_s = asyncio.get_running_loop().time() + seconds
        problem, advice = _told(error, searching=self._report.out_s is not None)
        lost = replace(self._report, stage=LinkStage.LOST, next_s=next_s, problem=problem, advice=advice)
        self._tell(lost)
        await asyncio.sleep(seconds)
        self._tell(replace(self._report, stage=LinkStage.SCANNING, attempt=attempt, next_s=None))

    def _may_try_again(self, error: Exception) -> bool:
        """A pen that was never heard is refused like one that cannot be opened."""
        if isinstance(error, PenSilentError) and not (self._heard or self._wait):
            return False
        return not _lasting(error)

    def _final(self, error: Exception) -> bool:
        """Whether a refusal has lasted long enough to be believed."""
        now_s = asyncio.get_running_loop().time()
        if not _lasting(error):
            self._refused_s = None
            return False
        if self._refused_s is None:
            self._refused_s = now_s
        return now_s - self._refused_s >= self._patience.settle_s

    def _arrived(self) -> None:
        self._heard = True
        before = self._report
        if before.stage is LinkStage.STREAMING:
            return
        self._tell(LinkReport(LinkStage.STREAMING, before.since_s, losses=before.losses))
        if before.out_s is not None:
            out_s = self._report.since_s - before.out_s
            log.info("back pen=%s after=%.2f s tries=%d", self.name, out_s, before.attempt)

    def _advanced(self, stage: LinkStage) -> None:
        """What the link itself says on its way; the ends are ours to tell."""
        if stage is LinkStage.DISCOVERING:  # what the last attempt found is no longer so
            self._tell(replace(self._report, stage=stage, problem="", advice=""))
        elif stage not in {LinkStage.STREAMING, LinkStage.LOST}:
            self._tell(replace(self._report, stage=stage))

    def _tell(self, report: LinkReport) -> None:
        if report.stage is not self._report.stage:
            report = replace(report, since_s=asyncio.get_running_loop().time())
        self._report = report
        self._on_report(report)

    def _taken_hello(self) -> list[ArrivedFrame]:
        hello, self._hello = self._hello, []
        return hello

    async def _closed(self, link: PenSource) -> None:
        try:
            async with asyncio.timeout(self._patience.close_s):
                await link.close()
        except TimeoutError:
            log.warning("link to pen=%s did not close within %.1f s", self.name, self._patience.close_s)


async def _to_its_end(taking_down: Coroutine[None, None, None]) -> None:
    """Also when we are cancelled meanwhile: nobody comes back for what was given back by half."""
    task = asyncio.ensure_future(taking_down)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _lasting(error: Exception) -> bool:
    return isinstance(error, DeviceError) and error.lasting


def _told(error: Exception, *, searching: bool) -> tuple[str, str]:
    """What was found and what to do; a pen that is merely away comes back by itself."""
    if isinstance(error, OSError):
        return f"the link broke: {error}.", COMES_BACK
    if not isinstance(error, DeviceError | ProtocolError):
        return f"unexpected error: {type(error).__name__}: {error}.", "Please report it with the log."
    away = searching and isinstance(error, PenLostError | PortAbsentError)
    return str(error.args[0]), COMES_BACK if away else error.advice


def _sum(a: LinkCounters, b: LinkCounters) -> LinkCounters:
    return LinkCounters(
        a.received_bytes + b.received_bytes,
        a.frames + b.frames,
        a.damaged_frames + b.damaged_frames,
        a.foreign_frames + b.foreign_frames,
    )


def _nobody(_report: LinkReport) -> None:
    """Nobody follows."""
