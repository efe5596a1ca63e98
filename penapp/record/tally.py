"""Counts of a session, kept while it is written or read: as `StreamAssembler` counts, but cheaper."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import Flag, Frame, FrameType
from penapp.record.types import EventKind, PromptAction, PromptEvent, SessionEvent, SessionRecord
from penapp.stream.place import FramePlacer


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
        self._placer = FramePlacer(descriptor)
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
            with suppress(ProtocolError):
                self._placer.meet(frame)
        if frame.type is not FrameType.DATA or frame.stream != self._placer.layout.stream.id:
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
        placed = self._placer.place(frame)
        if placed is None:
            return 0
        lost = placed.lost or 0
        self._segments += placed.begins
        self._samples += frame.n
        self._lost += lost
        self._gaps += lost > 0
        self._clipped += bool(frame.flags & Flag.CLIPPED)
        self._seconds += (frame.n + lost) * placed.period_s
        return lost


def gap_event(frame: Frame, lost: int) -> SessionEvent:
    return SessionEvent(EventKind.GAP, sample=frame.index, lost=lost)
