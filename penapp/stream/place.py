"""Where each frame of a pen stands among those before it: what is lost, what came twice, what began anew."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.framing import Flag, Frame
from firmware_protocol.messages import Op, parse_response
from penapp.stream.layout import ChannelLayout
from penapp.stream.unwrap import OLD_S, WRAP, Place, Position, Unwrapper, signed


@dataclass(frozen=True, slots=True)
class Placed:
    """One frame that counts.

    begins:   a segment (a stretch of one clock) begins with it
    lost:     samples missing before it, exact, also where the pen merely set its clock; None where nobody
              knows: at the very first frame, and where the pen was started again
    t0_s:     seconds of its first sample since the segment began
    period_s: seconds from sample to sample, as measured
    """

    begins: bool
    lost: int | None
    t0_s: float
    period_s: float


class FramePlacer:
    """meet(answers to HELLO), place(DATA frames) of one pen, in order of arrival."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._next_index: int | None = None
        self._descriptor: Descriptor
        self._use(descriptor)

    @property
    def layout(self) -> ChannelLayout:
        """Of the stream that is read."""
        return self._layout

    def meet(self, frame: Frame) -> None:
        """An answer to HELLO: another boot or other streams begin a segment. Raises `ProtocolError`."""
        response = parse_response(frame)
        if response.op != Op.HELLO or not response.ok:
            return
        found, known = Descriptor.decode(response.data), self._descriptor
        if found.boot_id != known.boot_id:
            self._next_index = None
        if (found.boot_id, found.streams) != (known.boot_id, known.streams):
            self._use(found)
        self._descriptor = found

    def place(self, frame: Frame) -> Placed | None:
        """None: it came twice or too late."""
        if frame.flags & Flag.DISCONTINUITY and not self._is_late(frame.index):
            self._unwrapper.reset()
        position = self._unwrapper.place(frame.index, frame.t_us)
        if position.place is Place.OLD:
            return None
        if position.place is Place.RESTART:
            self._next_index = None
            self._unwrapper.reset()
            position = self._unwrapper.place(frame.index, frame.t_us)
        return self._taken(frame, position)

    def _taken(self, frame: Frame, position: Position) -> Placed:
        begins = position.place is Place.FIRST
        lost = self._missing_before(frame.index) if begins else position.lost
        self._unwrapper.accept(frame.index, frame.t_us, frame.n, position)
        self._next_index = (frame.index + frame.n) % WRAP
        return Placed(begins, lost, position.t0_s, self._unwrapper.period_s)

    def _missing_before(self, index: int) -> int | None:
        """The index goes on through all but a restart of the pen; None there, and at the very first."""
        ahead = -1 if self._next_index is None else signed(index - self._next_index)
        return ahead if ahead >= 0 else None

    def _is_late(self, index: int) -> bool:
        """A frame that came twice says nothing new, whatever its flags."""
        ahead = 0 if self._next_index is None else signed(index - self._next_index)
        return -OLD_S * self._layout.stream.rate_hz <= ahead < 0

    def _use(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._layout = ChannelLayout.of(descriptor)
        self._unwrapper = Unwrapper(self._layout.stream.rate_hz)
