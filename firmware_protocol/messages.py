"""Frames to messages and back: commands, answers, samples."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.codes import known
from firmware_protocol.errors import FrameError
from firmware_protocol.framing import Frame, FrameType

RESPONSE_BIT = 0x80
ARRIVAL_MARK = struct.Struct("<QH")
WALL_CLOCK = struct.Struct("<Q")


class Op(IntEnum):
    HELLO = 0x01
    START = 0x02
    STOP = 0x03
    SET_RATE = 0x04
    SET_RANGE = 0x05
    IDENTIFY = 0x06
    BATTERY = 0x07
    TIME_SYNC = 0x08
    STATUS = 0x09
    NAME = 0x0A
    CAL_READ = 0x0B
    CAL_WRITE = 0x0C
    SELFTEST = 0x0D
    DFU = 0x0E


class Status(IntEnum):
    OK = 0
    UNKNOWN_OP = 1
    BAD_ARGUMENT = 2
    BAD_SCHEMA = 3
    MTU_TOO_SMALL = 4
    BUSY = 5
    NOT_SUPPORTED = 6
    BAD_CHECKSUM = 7
    FAILED = 8


class EventCode(IntEnum):
    """First payload byte of an EVENT frame; the rest is the event's detail."""

    BUTTON = 1
    BATTERY_LOW = 2
    SENSOR_FAULT = 3
    POWER_OFF = 4


@dataclass(frozen=True, slots=True)
class Command:
    """What the host asks; `tag` comes back in the answer, the same tag is never carried out twice."""

    op: Op | int
    tag: int = 0
    args: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    op: Op | int
    tag: int
    status: Status | int
    data: bytes = b""

    @property
    def ok(self) -> bool:
        return self.status == Status.OK


@dataclass(frozen=True, slots=True)
class Event:
    code: EventCode | int
    detail: bytes = b""


@dataclass(frozen=True, slots=True)
class ArrivalMark:
    """In recordings only: when the frames behind it arrived. The host writes it, no pen sends it.

    arrival_ns: the host's monotonic clock, any origin
    frames:     frames behind it that it speaks of; later ones have no known arrival (a mark was damaged)
    wall_ns:    the host's wall clock at that moment, ns since 1970-01-01 UTC; None where it is not said
    """

    arrival_ns: int
    frames: int
    wall_ns: int | None = None


def command_frame(command: Command, seq: int = 0) -> Frame:
    return Frame(FrameType.CMD, seq & 0xFFFF, payload=bytes((command.op, command.tag)) + command.args)


def response_frame(response: Response, seq: int = 0) -> Frame:
    head = bytes((response.op | RESPONSE_BIT, response.tag, response.status))
    return Frame(FrameType.RSP, seq & 0xFFFF, payload=head + response.data)


def parse_command(frame: Frame) -> Command:
    payload = _payload(frame, FrameType.CMD, 2)
    return Command(known(Op, payload[0]), payload[1], payload[2:])


def parse_response(frame: Frame) -> Response:
    payload = _payload(frame, FrameType.RSP, 3)
    return Response(known(Op, payload[0] & ~RESPONSE_BIT), payload[1], known(Status, payload[2]), payload[3:])


def event_frame(event: Event, seq: int = 0) -> Frame:
    return Frame(FrameType.EVENT, seq & 0xFFFF, payload=bytes((event.code,)) + event.detail)


def parse_event(frame: Frame) -> Event:
    payload = _payload(frame, FrameType.EVENT, 1)
    return Event(known(EventCode, payload[0]), payload[1:])


def arrival_frame(mark: ArrivalMark, seq: int = 0) -> Frame:
    payload = ARRIVAL_MARK.pack(mark.arrival_ns, mark.frames)
    if mark.wall_ns is not None:
        payload += WALL_CLOCK.pack(mark.wall_ns)
    return Frame(FrameType.ARRIVAL, seq & 0xFFFF, payload=payload)


def parse_arrival(frame: Frame) -> ArrivalMark:
    """Bytes behind the known ones are ignored."""
    payload = _payload(frame, FrameType.ARRIVAL, ARRIVAL_MARK.size)
    arrival_ns, frames = ARRIVAL_MARK.unpack_from(payload)
    whole = len(payload) >= ARRIVAL_MARK.size + WALL_CLOCK.size
    wall_ns = WALL_CLOCK.unpack_from(payload, ARRIVAL_MARK.size)[0] if whole else None
    return ArrivalMark(arrival_ns, frames, wall_ns)


def log_text(frame: Frame) -> str:
    """The text of a LOG frame; bytes that are no UTF-8 are shown, not refused."""
    return _payload(frame, FrameType.LOG, 0).decode(errors="backslashreplace")


def samples(frame: Frame, n_channels: int) -> NDArray[np.int16]:
    """Counts (n, C) int16 of a DATA frame, a read-only view of its payload."""
    return join_samples((frame,), n_channels)


def join_samples(frames: Iterable[Frame], n_channels: int) -> NDArray[np.int16]:
    """Counts (sum of n, C) int16 of consecutive DATA frames, read-only: one pass for a whole read."""
    payloads = [_sample_bytes(frame, 2 * n_channels) for frame in frames]
    joined = payloads[0] if len(payloads) == 1 else b"".join(payloads)
    return np.frombuffer(joined, dtype="<i2").reshape(-1, n_channels)


def _sample_bytes(frame: Frame, sample_bytes: int) -> bytes:
    payload = frame.payload
    if frame.type is not FrameType.DATA or len(payload) != frame.n * sample_bytes:
        raise FrameError(
            f"a {frame.type.name} frame holds {len(payload)} bytes for {frame.n} samples, "
            f"expected a DATA frame with {sample_bytes} bytes for each.",
            advice="Ask the pen for its descriptor again (HELLO).",
        )
    return payload


def _payload(frame: Frame, kind: FrameType, at_least: int) -> bytes:
    if frame.type is not kind or len(frame.payload) < at_least:
        raise FrameError(
            f"a {frame.type.name} frame with {len(frame.payload)} bytes is no {kind.name} message, "
            f"expected a {kind.name} frame with at least {at_least}."
        )
    return frame.payload
