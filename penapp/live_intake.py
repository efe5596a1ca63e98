"""What a live session does with each frame that arrived: recorder, assembler, clock, gaps, ring, queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from firmware_protocol.descriptor import Descriptor
from penapp.device.errors import RecordingError
from penapp.device.source import ArrivedFrame
from penapp.errors import PenappError
from penapp.live_gaps import GapFinder
from penapp.live_rate import RateMeter
from penapp.live_recorder import Recorder, SessionPlan, open_recorder
from penapp.live_types import Failed, GapSeen, LiveEvent, LiveStatus
from penapp.stream.assemble import StreamAssembler, StreamCounters
from penapp.stream.block import FORCE
from penapp.stream.clock_follow import ClockFollower
from penapp.stream.merge import assembled
from penapp.stream.queue import Arrival, BlockQueue
from penapp.stream.ring import SampleRing

FULL_QUEUE_PAUSE_S = 0.002


class Intake:
    """Frames -> recorder -> assembler -> ring and bounded queue. Lives on the device thread.

    What is public may be read from any thread. `tell` gets gaps and the failure of a recording.

    waits: the recogniser is so far behind that what the pen sends is not taken now
    """

    def __init__(self, ring: SampleRing, queue: BlockQueue, tell: Callable[[LiveEvent], None]) -> None:
        self.rate = RateMeter()
        self.waits = False
        self.recorder: Recorder | None = None
        self.recording_error: PenappError | None = None
        self.descriptor: Descriptor | None = None
        self._ring, self._queue, self._tell = ring, queue, tell
        self._assembler: StreamAssembler | None = None
        self._clock = ClockFollower()
        self._gaps = GapFinder()

    def into(self, status: LiveStatus) -> LiveStatus:
        """The status with what is known here."""
        assembler, clock = self._assembler, self._clock.reading
        counters = assembler.counters if assembler is not None else StreamCounters()
        _, newest = self._ring.latest(1)
        return replace(
            status,
            rate_hz=self.rate.rate_hz(),
            nominal_hz=assembler.rate_hz if assembler is not None else 0.0,
            samples=counters.samples,
            lost=counters.lost,
            loss_percent=counters.loss_percent,
            force_n=float(newest[0, FORCE]) if len(newest) else 0.0,
            recorded_bytes=self.recorder.written_bytes if self.recorder is not None else 0,
            skew_ppm=clock.skew_ppm,
            clock_uncertainty_s=clock.uncertainty_s,
            gaps=self._gaps.tally,
        )

    def meet(self, descriptor: Descriptor, record_to: Path | SessionPlan | None) -> None:
        """The pen is known; raises what `open_recorder` raises."""
        self.descriptor = descriptor
        self._assembler = StreamAssembler(descriptor)
        if record_to is not None:
            self.recorder = open_recorder(record_to, descriptor, self._recording_failed)

    async def take(self, batch: list[ArrivedFrame]) -> None:
        """What arrived together; waits while the recogniser is far behind."""
        self._record(batch)
        assembler = self._assembler
        if assembler is None:
            return
        for segment, blocks in assembled(assembler, self._clock.following(assembler, batch)):
            for block in blocks:
                self._ring.push(block)
            arrival = Arrival(blocks, segment, batch[-1].arrival_ns)
            for gap in self._gaps.push(arrival, assembler.rate_hz, self._clock.breaks):
                self._tell(GapSeen(gap))
            self.rate.push(arrival.samples)
            while not self._queue.offer(arrival):
                self.waits = True
                await asyncio.sleep(FULL_QUEUE_PAUSE_S)
            self.waits = False

    def note_time(self, answer: ArrivedFrame) -> None:
        """The pen has told its time."""
        self._record([answer])
        self._clock.answer(answer)

    def link_lost(self) -> None:
        """The next gap is due to the link."""
        self._gaps.link_lost()

    def break_off(self) -> None:
        """The pen has been away for longer than can be bridged."""
        self._queue.offer(Arrival(()))

    def _record(self, batch: list[ArrivedFrame]) -> None:
        """Before any queue; a recording that fails is said at once, the text goes on."""
        if self.recorder is not None:
            self.recorder.append(batch)

    def _recording_failed(self, error: RecordingError) -> None:
        self.recording_error = error
        self._tell(Failed(error.args[0], error.advice))
