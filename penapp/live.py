"""A live session: a pen on one thread, the recogniser on another, text out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from penapp.device.diagnosis import fell_silent
from penapp.device.keep_time import keeping_time
from penapp.device.link_report import LinkReport, Supervised
from penapp.device.source import PenSource
from penapp.device.transport import LinkStage
from penapp.errors import PenappError
from penapp.live_errors import shown_error
from penapp.live_intake import Intake
from penapp.live_link import LinkTrack, OutageTimer
from penapp.live_recogniser import RecogniserThread
from penapp.live_recorder import Recorder, SessionPlan
from penapp.live_types import (
    Failed,
    GapSeen,
    LinkChanged,
    LinkState,
    LiveEvent,
    LiveStatus,
    MakePipeline,
    Pipeline,
    TextCommitted,
    TextTentative,
)
from penapp.stream.queue import BlockQueue
from penapp.stream.ring import SampleRing

__all__ = [
    "Failed",
    "GapSeen",
    "LinkChanged",
    "LinkState",
    "LiveEvent",
    "LiveSession",
    "LiveStatus",
    "MakePipeline",
    "Pipeline",
    "TextCommitted",
    "TextTentative",
]

QUEUE_S = 30.0
"""Samples that may wait for the recogniser, in seconds; beyond it the device thread waits too."""
SILENT_S = 2.0
BREAK_S = 0.5
"""A pen lost for so long leaves a gap that cannot be bridged (`penapp.dsp.resample.MAX_FILL_S`)."""
MAX_RATE_HZ = 400.0

log = logging.getLogger(__name__)


class LiveSession:
    """One use of one source, from start() to stop() or to the end of the source.

    Thread 1 (device): one asyncio loop; frames -> recorder -> assembler -> ring and bounded queue.
    Thread 2 (recogniser): every block through the pipeline; tentative text when nothing waits.
    on_event is called from those threads; a window must hand the event over to its own.
    """

    def __init__(
        self,
        source: PenSource,
        make_pipeline: MakePipeline,
        *,
        ring_seconds: float = 60.0,
        record_to: Path | SessionPlan | None = None,
        on_event: Callable[[LiveEvent], None],
    ) -> None:
        self.ring = SampleRing(max(1, round(ring_seconds * MAX_RATE_HZ)))
        self.error: PenappError | None = None
        self._source = source
        self._record_to = record_to
        self._on_event = on_event
        self._track = LinkTrack()
        self._outage = OutageTimer(BREAK_S)
        self._queue = BlockQueue(round(QUEUE_S * MAX_RATE_HZ))
        self._intake = Intake(self.ring, self._queue, self._tell)
        self._recogniser = RecogniserThread(self._queue, make_pipeline, self._tell, self._abort)
        self._device = threading.Thread(target=self._run_device, name="penapp-device", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[None] | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Returns at once; what happens is told by events."""
        self._recogniser.start()
        self._device.start()

    def stop(self) -> None:
        """Pen silenced, port closed, recording closed, both threads ended. Idempotent.

        From one of the two threads (inside `on_event`) it only asks for that: they end one after the other.
        """
        self._stopping.set()
        self._cancel_work()
        threads = (self._device, self._recogniser.thread)
        if threading.current_thread() in threads:
            return
        for thread in threads:
            if thread.ident is not None:
                thread.join()

    def wait(self, timeout: float | None = None) -> bool:
        """Until the source is over and all of its text is out; False if it is not after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for thread in (self._device, self._recogniser.thread):
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                return False
        return True

    @property
    def recorder(self) -> Recorder | None:
        """Where markers, prompts and labels go; None while nothing is being recorded."""
        return self._intake.recorder

    @property
    def recording_error(self) -> PenappError | None:
        """What has stopped the recording; the text goes on."""
        return self._intake.recording_error

    @property
    def descriptor(self) -> Descriptor | None:
        """The pen that is connected; None before it was met."""
        return self._intake.descriptor

    def status(self) -> LiveStatus:
        """A snapshot, from any thread."""
        error = self.error or self.recording_error or self._silence()
        status = LiveStatus(
            pen_name=self._source.name,
            damaged_frames=self._source.counters.damaged_frames,
            contact=self._recogniser.contact,
            backlog=self._queue.samples,
            message=error.args[0] if error is not None else "",
            advice=error.advice if error is not None else "",
            silent_s=self._silent_s(),
        )
        return self._track.into(self._intake.into(status))

    def _silence(self) -> PenappError | None:
        silent_s = self._silent_s()
        if self._track.state is not LinkState.STREAMING or self._intake.waits or silent_s < SILENT_S:
            return None
        return fell_silent(self._source.name, round(silent_s))

    def _silent_s(self) -> float:
        """Since the newest sample; a link that has just begun to stream is not blamed for what was before,
        nor a pen whose samples wait for a recogniser that is far behind.
        """
        if self._intake.waits:
            return 0.0
        silent_s = self._intake.rate.silent_s()
        return min(silent_s, self._track.for_s) if self._track.state is LinkState.STREAMING else silent_s

    def _run_device(self) -> None:
        try:
            asyncio.run(self._session())
        except Exception as error:  # noqa: BLE001 -- end of the thread: shown, never swallowed
            self._fail(error)
            self._change(LinkState.FAILED)
        finally:
            self._recogniser.meet(None)
            self._queue.close()
            self._close_recording()

    async def _session(self) -> None:
        """Work that can be cancelled, then clean-up that cannot."""
        self._loop = asyncio.get_running_loop()
        self._work = self._loop.create_task(self._acquire())
        if self._stopping.is_set():
            self._work.cancel()
        ended = LinkState.ENDED
        try:
            await asyncio.wait([self._work])
            if self._work.cancelled():
                ended = LinkState.CLOSED
            elif (error := self._work.exception()) is not None:
                raise error
        except (PenappError, ProtocolError) as error:
            self._fail(error)
            ended = LinkState.FAILED
        finally:
            await self._release()
        self._change(ended)

    async def _acquire(self) -> None:
        self._change(LinkState.OPENING)
        if isinstance(self._source, Supervised):
            self._source.follow(self._follow)
        started_s = time.monotonic()
        descriptor = await self._source.open()
        self._intake.meet(descriptor, self._record_to)
        self._recogniser.meet(descriptor)
        await self._source.start()
        log.info("streaming pen=%s after=%.2f s", self._source.name, time.monotonic() - started_s)
        if not isinstance(self._source, Supervised):
            self._change(LinkState.STREAMING)
        async with keeping_time(self._source, self._intake.note_time):
            async for batch in self._source.frames():
                await self._intake.take(batch)

    def _follow(self, report: LinkReport) -> None:
        """What a source says that looks after its link."""
        news = self._track.follow(report)
        if report.stage is LinkStage.STREAMING:
            self._outage.cancel()
        elif report.out_s is not None and self._outage.begin(self._intake.break_off):
            self._intake.link_lost()
        if news:
            self._tell(LinkChanged(self.status()))

    async def _release(self) -> None:
        try:
            await self._source.stop()
        finally:
            await self._source.close()

    def _close_recording(self) -> None:
        """Behind the recogniser: its last words belong in the file."""
        if self.recorder is not None:
            self._recogniser.thread.join()
            self.recorder.close()

    def _tell(self, event: LiveEvent) -> None:
        if self.recorder is not None:
            self.recorder.event(event)
        self._on_event(event)

    def _abort(self, error: Exception) -> None:
        """The recogniser is over: a pen without one is of no use to anybody."""
        self._fail(error)
        self._stopping.set()
        self._cancel_work()

    def _cancel_work(self) -> None:
        if self._loop is not None and self._work is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself in the meantime
                self._loop.call_soon_threadsafe(self._work.cancel)

    def _fail(self, error: Exception) -> None:
        """Keep the first error and tell it."""
        shown = shown_error(error)
        self.error = self.error or shown
        self._tell(Failed(shown.args[0], shown.advice))

    def _change(self, link: LinkState) -> None:
        self._track.change(link)
        self._tell(LinkChanged(self.status()))
