"""Frames to SampleBlocks: counts to SI, clocks unwrapped, losses counted exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import FrameError, ProtocolError
from firmware_protocol.framing import Flag, Frame, FrameType
from firmware_protocol.messages import samples
from penapp.stream.block import SampleBlock
from penapp.stream.layout import ChannelLayout
from penapp.stream.moment import Moment
from penapp.stream.place import FramePlacer, Placed


@dataclass(frozen=True, slots=True)
class StreamCounters:
    """What went through an assembler.

    lost:      samples that the pen took and we never saw (exact, from the sample index)
    repeated:  frames that came twice or too late, dropped
    malformed: undamaged frames that do not fit the descriptor, dropped
    overruns:  frames before which the pen's own queue was full
    clipped:   frames in which a sensor stood at its limit
    segments:  stretches of one clock; a new one begins when the pen restarts
    """

    samples: int = 0
    lost: int = 0
    repeated: int = 0
    malformed: int = 0
    overruns: int = 0
    clipped: int = 0
    segments: int = 0

    @property
    def loss_percent(self) -> float:
        taken = self.samples + self.lost
        return 100.0 * self.lost / taken if taken else 0.0


class StreamAssembler:
    """push(frame) -> at most one SampleBlock; one block per frame, so reads may be split anyhow.

    `t` is seconds on the pen's clock since the first sample; a new segment continues after the last sample
    by one period, whatever lay between: text must not depend on when frames arrived. `counters.segments`
    tells that one began, `newest` where the last placed frame stands on the pen's clock.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._first_descriptor = descriptor
        self.reset()

    @property
    def rate_hz(self) -> float:
        """Nominal rate of the stream that is read."""
        return self._layout.stream.rate_hz

    def reset(self) -> None:
        self._placer = FramePlacer(self._first_descriptor)
        self.counters = StreamCounters()
        self.newest: Moment | None = None
        self._origin_s = 0.0
        self._end_s = -np.inf

    def push(self, frame: Frame) -> list[SampleBlock]:
        """DATA frames become blocks; a recorded answer to HELLO with another boot id begins a segment."""
        if frame.type is FrameType.RSP:
            self._meet(frame)
            return []
        stream = self._layout.stream
        if frame.type is not FrameType.DATA or frame.stream != stream.id:
            return []
        try:
            counts = samples(frame, len(stream.channels))
        except FrameError:
            self._count(malformed=1)
            return []
        return self._place(frame, counts)

    def finish(self) -> list[SampleBlock]:
        """Nothing is held back."""
        return []

    @property
    def _layout(self) -> ChannelLayout:
        return self._placer.layout

    def _place(self, frame: Frame, counts: NDArray[np.int16]) -> list[SampleBlock]:
        placed = self._placer.place(frame)
        if placed is None:
            self._count(repeated=1)
            return []
        if placed.begins:
            self._begin_segment(placed.period_s)
        self._remember(frame, placed)
        return [self._block(frame, counts, placed)]

    def _remember(self, frame: Frame, placed: Placed) -> None:
        last_s = placed.t0_s + (frame.n - 1) * placed.period_s
        segment = self.counters.segments
        self.newest = Moment(segment, frame.t_us, placed.t0_s, last_s, placed.period_s, placed.lost)

    def _block(self, frame: Frame, counts: NDArray[np.int16], placed: Placed) -> SampleBlock:
        self._count(
            samples=frame.n,
            lost=placed.lost or 0,
            overruns=bool(frame.flags & Flag.OVERRUN),
            clipped=bool(frame.flags & Flag.CLIPPED),
        )
        t = self._times(self._origin_s + placed.t0_s, frame.n, placed.period_s)
        lost = 0 if placed.begins else placed.lost or 0
        return SampleBlock(t, self._layout.to_si(counts), lost, self._layout.valid)

    def _times(self, first_s: float, n: int, period_s: float) -> NDArray[np.float64]:
        """Strictly after what was given out, even when the pen's clock trembles."""
        first_s = max(first_s, self._end_s + 0.1 * period_s)
        t = first_s + period_s * np.arange(n, dtype=np.float64)
        self._end_s = float(t[-1])
        return t

    def _begin_segment(self, period_s: float) -> None:
        if self.counters.segments:
            self._origin_s = self._end_s + period_s
        self._count(segments=1)

    def _meet(self, frame: Frame) -> None:
        try:
            self._placer.meet(frame)
        except ProtocolError:
            self._count(malformed=1)

    def _count(self, **more: int) -> None:
        seen = self.counters
        self.counters = replace(seen, **{name: getattr(seen, name) + n for name, n in more.items()})
