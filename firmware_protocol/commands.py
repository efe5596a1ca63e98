"""Commands with typed arguments and answers with typed contents: what stands behind op and tag."""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from typing import ClassVar, Self
from zlib import crc32

from firmware_protocol.errors import FrameError, ProtocolError
from firmware_protocol.messages import Command, Op

START_ARGS = struct.Struct("<II")
SET_RATE_ARGS = struct.Struct("<BI")
SET_RANGE_ARGS = struct.Struct("<BB")
IDENTIFY_ARGS = struct.Struct("<H")
TIME_SYNC_ARGS = struct.Struct("<Q")
CAL_READ_ARGS = struct.Struct("<H")
CAL_WRITE_ARGS = struct.Struct("<HH")
ANSWER_TIMEOUT_S = 1.0
ANSWER_RETRIES = 3
ALL_STREAMS = 0xFFFFFFFF
"""Stream mask of START: bit k = the stream with id k; all bits = every stream the pen has."""


def hello(tag: int) -> Command:
    return Command(Op.HELLO, tag)


def start(tag: int, schema_hash: int, stream_mask: int = ALL_STREAMS) -> Command:
    return Command(Op.START, tag, START_ARGS.pack(stream_mask, schema_hash))


def stop(tag: int) -> Command:
    return Command(Op.STOP, tag)


def set_rate(tag: int, stream: int, rate_hz: float) -> Command:
    return Command(Op.SET_RATE, tag, SET_RATE_ARGS.pack(stream, round(rate_hz * 1000)))


def set_range(tag: int, quantity: int, code: int) -> Command:
    return Command(Op.SET_RANGE, tag, SET_RANGE_ARGS.pack(quantity, code))


def identify(tag: int, blink_ms: int) -> Command:
    return Command(Op.IDENTIFY, tag, IDENTIFY_ARGS.pack(blink_ms))


def time_sync(tag: int, host_us: int) -> Command:
    return Command(Op.TIME_SYNC, tag, TIME_SYNC_ARGS.pack(host_us))


def name(tag: int, new_name: str = "") -> Command:
    """Sets the name, or asks for it when empty."""
    return Command(Op.NAME, tag, new_name.encode())


def cal_read(tag: int, offset: int) -> Command:
    return Command(Op.CAL_READ, tag, CAL_READ_ARGS.pack(offset))


def cal_write(tag: int, offset: int, total: int, piece: bytes) -> Command:
    return Command(Op.CAL_WRITE, tag, CAL_WRITE_ARGS.pack(offset, total) + piece)


def seal(blob: bytes) -> bytes:
    """A calibration blob as the pen stores it: with its own CRC-32 behind."""
    return blob + crc32(blob).to_bytes(4, "little")


def unseal(stored: bytes) -> bytes:
    if len(stored) < 4 or crc32(stored[:-4]).to_bytes(4, "little") != stored[-4:]:
        raise ProtocolError(
            f"the {len(stored)} bytes of calibration on the pen do not match their check sum.",
            advice="Calibrate the pen again.",
        )
    return stored[:-4]


class Contents:
    """Fixed-size answer contents: fields in wire order."""

    FORMAT: ClassVar[struct.Struct]

    def encode(self) -> bytes:
        return self.FORMAT.pack(*(getattr(self, f.name) for f in fields(self)))  # type: ignore[arg-type]

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Bytes behind the known ones are ignored: a newer pen may say more."""
        if len(raw) < cls.FORMAT.size:
            raise FrameError(f"{cls.__name__} has {len(raw)} bytes, expected {cls.FORMAT.size}.")
        return cls(*cls.FORMAT.unpack_from(raw))


@dataclass(frozen=True, slots=True)
class BatteryReading(Contents):
    """percent 0-100; millivolts; charging 0 or 1."""

    FORMAT: ClassVar[struct.Struct] = struct.Struct("<BHB")
    percent: int
    millivolts: int
    charging: int


@dataclass(frozen=True, slots=True)
class TimeSyncReading(Contents):
    """Microseconds: the host's own stamp again, then the pen's clock at arrival and at the answer."""

    FORMAT: ClassVar[struct.Struct] = struct.Struct("<QQQ")
    host_us: int
    device_rx_us: int
    device_tx_us: int


@dataclass(frozen=True, slots=True)
class PenCounters(Contents):
    """Samples taken, frames dropped by a full queue, frames sent, frames in the fullest queue, resets."""

    FORMAT: ClassVar[struct.Struct] = struct.Struct("<5I")
    samples_taken: int
    overruns: int
    frames_sent: int
    queue_high_water: int
    resets: int
