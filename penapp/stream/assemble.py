"""Frames to SampleBlocks: counts to SI, clocks unwrapped, losses counted exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import FrameError, ProtocolError
from firmware_protocol.framing import Flag, Frame, FrameType
from firmware_protocol.messages import Op, parse_response, samples
from penapp.stream.block import SampleBlock
from penapp.stream.layout import ChannelLayout
from penapp.stream.moment import Moment
from penapp.stream.unwrap import WRAP, Place, Position, Unwrapper, signed


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
        self._use(self._first_descriptor)
        self.counters = StreamCounters()
        self.newest: Moment | None = None
        self._next_index: int | None = None
        self._origin_s = 0.0
        self._end_s = -np.inf

    def push(self, frame: Frame) -> list[SampleBlock]:
        """DATA frames become blocks; a recorded answer to HELLO with another boot id begins a segment."""
        if frame.type is FrameType.RSP:
            self._meet(frame)
            return []
        if frame.type is not FrameType.DATA or frame.stream != self._layout.stream.id:
            return []
        try:
            counts = samples(frame, len(self._layout.stream.channels))
        except FrameError:
            self._count(malformed=1)
            return []
        return self._place(frame, counts)

    def finish(self) -> list[SampleBlock]:
        """Nothing is held back."""
        return []

    def _place(self, frame: Frame, counts: NDArray[np.int16]) -> list[SampleBlock]:
        if frame.flags & Flag.DISCONTINUITY:
            self._unwrapper.reset()
        position = self._unwrapper.place(frame.index, frame.t_us)
        if position.place is Place.OLD:
            self._count(repeated=1)
            return []
        if position.place is Place.RESTART:
            self._next_index = None
            self._unwrapper.reset()
            position = self._unwrapper.place(frame.index, frame.t_us)
        first = position.place is Place.FIRST
        lost = self._missing_before(frame.index) if first else position.lost
        if first:
            self._begin_segment()
        self._unwrapper.accept(frame.index, frame.t_us, frame.n, position)
        self._next_index = (frame.index + frame.n) % WRAP
        self._remember(frame, position, lost)
        return [self._block(frame, counts, position)]

    def _missing_before(self, index: int) -> int | None:
        """The index goes on through all but a restart of the pen; None there, and at the very first frame."""
        ahead = -1 if self._next_index is None else signed(index - self._next_index)
        return ahead if ahead >= 0 else None

    def _remember(self, frame: Frame, position: Position, lost: int | None) -> None:
        period_s = self._unwrapper.period_s
        last_s = position.t0_s + (frame.n - 1) * period_s
        self.newest = Moment(self.counters.segments, frame.t_us, position.t0_s, last_s, period_s, lost)

    def _block(self, frame: Frame, counts: NDArray[np.int16], position: Position) -> SampleBlock:
        self._count(
            samples=frame.n,
            lost=position.lost,
            overruns=bool(frame.flags & Flag.OVERRUN),
            clipped=bool(frame.flags & Flag.CLIPPED),
        )
        t = self._times(self._origin_s + position.t0_s, frame.n)
        return SampleBlock(t, self._layout.to_si(counts), position.lost, self._layout.valid)

    def _times(self, first_s: float, n: int) -> NDArray[np.float64]:
        """Strictly after what was given out, even when the pen's clock trembles."""
        period_s = self._unwrapper.period_s
        first_s = max(first_s, self._end_s + 0.1 * period_s)
        t = first_s + period_s * np.arange(n, dtype=np.float64)
        self._end_s = float(t[-1])
        return t

    def _begin_segment(self) -> None:
        if self.counters.segments:
            self._origin_s = self._end_s + self._unwrapper.period_s
        self._count(segments=1)

    def _meet(self, frame: Frame) -> None:
        try:
            response = parse_response(frame)
            if response.op != Op.HELLO:
                return
            descriptor = Descriptor.decode(response.data)
        except ProtocolError:
            self._count(malformed=1)
            return
        if descriptor.boot_id != self._descriptor.boot_id:
            self._next_index = None
        if descriptor != self._descriptor:
            self._use(descriptor)

    def _use(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._layout = ChannelLayout.of(descriptor)
        self._unwrapper = Unwrapper(self._layout.stream.rate_hz)

    def _count(self, **more: int) -> None:
        seen = self.counters
        self.counters = replace(seen, **{name: getattr(seen, name) + n for name, n in more.items()})
