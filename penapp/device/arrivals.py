"""Reading recordings: which frames count, and when they had arrived."""

from __future__ import annotations

from collections.abc import Iterable

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import Frame, FrameType
from firmware_protocol.messages import ArrivalMark, Op, parse_arrival, parse_response
from penapp.device.source import ArrivedFrame


class ArrivalReader:
    """Frames of a file to arrived frames. A mark speaks of as many frames as it says and of no other.

    wall_offset_ns: wall clock minus the monotonic clock of the newest mark that told it; None before
    """

    def __init__(self) -> None:
        self.wall_offset_ns: int | None = None
        self._arrival_ns = 0
        self._left = 0

    def wanted(self, frames: Iterable[Frame]) -> list[ArrivedFrame]:
        """DATA frames and answers to HELLO and TIME_SYNC, each with its arrival; 0 = not known."""
        kept = []
        for frame in frames:
            if frame.type is FrameType.ARRIVAL:
                self._take(frame)
                continue
            arrival_ns = self._arrival_ns if self._left > 0 else 0
            self._left -= 1
            if frame.type is FrameType.DATA or is_hello(frame) or is_time_sync(frame):
                kept.append(ArrivedFrame(frame, arrival_ns))
        return kept

    def _take(self, frame: Frame) -> None:
        try:
            mark = parse_arrival(frame)
        except ProtocolError:
            mark = ArrivalMark(0, 0)
        self._arrival_ns, self._left = mark.arrival_ns, mark.frames
        if mark.wall_ns is not None:
            self.wall_offset_ns = mark.wall_ns - mark.arrival_ns


def hello_descriptor(frame: Frame) -> Descriptor:
    """The descriptor in a recorded answer to HELLO; raises `ProtocolError`."""
    return Descriptor.decode(parse_response(frame).data)


def is_hello(frame: Frame) -> bool:
    """Whether it is an answer to HELLO that describes a pen."""
    if not _answers(frame, Op.HELLO):
        return False
    try:
        hello_descriptor(frame)
    except ProtocolError:
        return False
    return True


def is_time_sync(frame: Frame) -> bool:
    return _answers(frame, Op.TIME_SYNC)


def _answers(frame: Frame, op: Op) -> bool:
    if frame.type is not FrameType.RSP:
        return False
    try:
        response = parse_response(frame)
    except ProtocolError:
        return False
    return response.op == op and response.ok
