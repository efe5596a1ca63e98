"""Counts of a session, kept while it is written or read: as `StreamAssembler` counts, but cheaper."""

from __future__ import annotations

from dataclasses import dataclass, replace

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import Flag, Frame, FrameType
from firmware_protocol.messages import Op, parse_response
from penapp.record.types import EventKind, PromptAction, PromptEvent, SessionEvent, SessionRecord
from penapp.stream.layout import ChannelLayout
from penapp.stream.unwrap import Place, Unwrapper


@dataclass(frozen=True, slots=True)
class SessionCounts:
    """lost: samples that the pen took and nobody saw, in `gaps` stretches; segments: stretches of one clock
    seconds: of samples, on the pen's clock, lost ones included; first_ns, last_ns: arrival, ns since 1970
    """

    frames: int = 0
    samples: int = 0
    lost: int = 0
    gaps: int = 0
    clipped: int = 0
    segments: int = 0
    seconds: float = 0.0
    words: int = 0
    markers: int = 0
    prompts: int = 0
    first_ns: int = 0
    last_ns: int = 0

    @property
    def loss_percent(self) -> float:
        taken = self.samples + self.lost
        return 100.0 * self.lost / taken if taken else 0.0


class Tally:
    """Follows the frames and records of one session in the order in which they are in the file."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._use(descriptor)
        self._frames = self._samples = self._lost = self._gaps = self._clipped = self._segments = 0
        self._seconds = 0.0
        self._first_ns = self._last_ns = 0
        self._records = SessionCounts()

    @property
    def counts(self) -> SessionCounts:
        return replace(
            self._records,
            frames=self._frames, samples=self._samples, lost=self._lost, gaps=self._gaps,
            clipped=self._clipped, segments=self._segments, seconds=self._seconds,
            first_ns=self._first_ns, last_ns=self._last_ns,
        )  # fmt: skip

    def frame(self, frame: Frame, log_ns: int) -> int:
        """Count one frame; gives the samples that are missing before it."""
        self._frames += 1
        self._first_ns = self._first_ns or log_ns
        self._last_ns = log_ns
        if frame.type is FrameType.RSP:
            self._meet(frame)
        if frame.type is not FrameType.DATA or frame.stream != self._stream:
            return 0
        return self._place(frame)

    def record(self, record: SessionRecord) -> None:
        """Count one record."""
        seen = self._records
        if isinstance(record, SessionEvent):
            words, markers = record.kind == EventKind.TEXT, record.kind == EventKind.MARKER
            self._records = replace(seen, words=seen.words + words, markers=seen.markers + markers)
        elif isinstance(record, PromptEvent) and record.action == PromptAction.DONE:
            self._records = replace(seen, prompts=seen.prompts + 1)

    def _place(self, frame: Frame) -> int:
        if frame.flags & Flag.DISCONTINUITY:
            self._unwrapper.reset()
        position = self._unwrapper.place(frame.index, frame.t_us)
        if position.place is Place.OLD:
            return 0
        if position.place is Place.RESTART:
            self._unwrapper.reset()
            position = self._unwrapper.place(frame.index, frame.t_us)
        self._unwrapper.accept(frame.index, frame.t_us, frame.n, position)
        self._segments += position.place is Place.FIRST
        self._samples += frame.n
        self._lost += position.lost
        self._gaps += position.lost > 0
        self._clipped += bool(frame.flags & Flag.CLIPPED)
        self._seconds += (frame.n + position.lost) * self._unwrapper.period_s
        return position.lost

    def _meet(self, frame: Frame) -> None:
        try:
            response = parse_response(frame)
            if response.op == Op.HELLO and response.ok:
                descriptor = Descriptor.decode(response.data)
                if descriptor != self._descriptor:
                    self._use(descriptor)
        except ProtocolError:
            return

    def _use(self, descriptor: Descriptor) -> None:
        stream = ChannelLayout.of(descriptor).stream
        self._descriptor, self._stream = descriptor, stream.id
        self._unwrapper = Unwrapper(stream.rate_hz)


def gap_event(frame: Frame, lost: int) -> SessionEvent:
    return SessionEvent(EventKind.GAP, sample=frame.index, lost=lost)
