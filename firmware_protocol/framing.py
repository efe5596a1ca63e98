"""Bytes to frames and back. Owns no port: feed it whatever the link delivered."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from zlib import crc32

from cobs import cobs

from firmware_protocol.errors import FrameError, VersionError
from firmware_protocol.layouts import FRAME_HEADER

VERSION = 1
HEADER = FRAME_HEADER.struct
CRC_BYTES = 4
OVERHEAD_BYTES = HEADER.size + CRC_BYTES
MAX_FRAME_BYTES = 1024
MAX_BUFFER_BYTES = 4096
"""A stretch longer than this without a delimiter is not a frame; it is dropped."""

DELIMITER = b"\x00"
"""Ends every frame on a serial line; one before the first command ends whatever stood in the pen's buffer."""

_CRC_RESIDUE = 0x2144DF1C
"""CRC-32 over any bytes followed by their own CRC-32, little-endian."""


class FrameType(IntEnum):
    DATA = 0x10
    EVENT = 0x11
    CMD = 0x20
    RSP = 0x21
    STATUS = 0x22
    LOG = 0x30
    ARRIVAL = 0x40


class Flag(IntFlag):
    NONE = 0
    OVERRUN = 1
    CLIPPED = 2
    EPOCH = 4
    DISCONTINUITY = 8


_TYPES: dict[int, FrameType] = {int(t): t for t in FrameType}
_FLAGS: tuple[Flag, ...] = tuple(Flag(n) for n in range(16))


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet of the wire.

    seq:   u16 per type and stream, wraps: a gap = frames lost on the link
    n:     samples in a DATA frame, else 0
    index: u32 number of the first sample, counts samples taken (also those never sent)
    t_us:  u32 device microseconds of the first sample (wraps each 71.6 min)
    """

    type: FrameType
    seq: int = 0
    stream: int = 0
    n: int = 0
    flags: Flag = Flag.NONE
    index: int = 0
    t_us: int = 0
    payload: bytes = b""


@dataclass(slots=True)
class DecoderCounters:
    """What a decoder has seen since it was made or reset.

    damaged:         stretches between delimiters that were no frame (CRC, length, COBS)
    skipped_bytes:   bytes of those stretches
    foreign_version: undamaged frames of another protocol version; the last one's is in last_foreign_version
    unknown_type:    undamaged frames of a type this build does not know (skipped: forward compatible)
    """

    accepted: int = 0
    damaged: int = 0
    skipped_bytes: int = 0
    foreign_version: int = 0
    last_foreign_version: int = 0
    unknown_type: int = 0

    @property
    def version_error(self) -> VersionError | None:
        """The error to raise when only frames of another version arrived, else None."""
        return VersionError(self.last_foreign_version, VERSION) if self.foreign_version else None


def encode_frame(frame: Frame, *, version: int = VERSION) -> bytes:
    """Header, payload, CRC-32; raises FrameError when a field does not fit."""
    try:
        header = HEADER.pack(
            version, frame.type, frame.seq, frame.stream, frame.n, frame.flags, frame.index, frame.t_us
        )
    except struct.error as error:
        raise FrameError(f"a frame field does not fit its place in the header: {error}.") from error
    body = header + frame.payload
    if len(body) > MAX_FRAME_BYTES - CRC_BYTES:
        raise FrameError(
            f"the frame takes {len(body) + CRC_BYTES} bytes, expected at most {MAX_FRAME_BYTES}."
        )
    return body + crc32(body).to_bytes(4, "little")


class UnknownTypeError(FrameError):
    """An undamaged frame of a type that this build does not know."""


def decode_frame(raw: bytes) -> Frame:
    """One frame without delimiter; FrameError if damaged, VersionError if it is of another version."""
    size = len(raw)
    if not OVERHEAD_BYTES <= size <= MAX_FRAME_BYTES:
        raise FrameError(f"{size} bytes are no frame, expected {OVERHEAD_BYTES} to {MAX_FRAME_BYTES}.")
    if crc32(raw) != _CRC_RESIDUE:
        raise FrameError(f"the check sum of a frame of {size} bytes is wrong.")
    version, type_code, seq, stream, n, flags, index, t_us = HEADER.unpack_from(raw)
    if version != VERSION:
        raise VersionError(version, VERSION)
    kind = _TYPES.get(type_code)
    if kind is None:
        raise UnknownTypeError(f"frame type {type_code:#04x} is unknown.")
    if kind is FrameType.DATA and (n == 0 or (size - OVERHEAD_BYTES) % (2 * n)):
        raise FrameError(f"a DATA frame states {n} samples in {size - OVERHEAD_BYTES} bytes.")
    flag = _FLAGS[flags] if flags < len(_FLAGS) else Flag(flags)
    return Frame(kind, seq, stream, n, flag, index, t_us, raw[HEADER.size : size - CRC_BYTES])


def to_serial(raw: bytes) -> bytes:
    """A frame as it stands on a serial line: COBS and one zero byte."""
    stuffed: bytes = cobs.encode(raw)
    return stuffed + DELIMITER


class _Decoder:
    """Counts what `decode_frame` says instead of raising it."""

    def __init__(self) -> None:
        self.counters = DecoderCounters()

    def _accept(self, raw: bytes, wire_bytes: int) -> Frame | None:
        try:
            frame = decode_frame(raw)
        except VersionError as error:
            self.counters.foreign_version += 1
            self.counters.last_foreign_version = error.found
        except UnknownTypeError:
            self.counters.unknown_type += 1
        except FrameError:
            self._damaged(wire_bytes)
        else:
            self.counters.accepted += 1
            return frame
        return None

    def _damaged(self, wire_bytes: int) -> None:
        self.counters.damaged += 1
        self.counters.skipped_bytes += wire_bytes


class NotificationDecoder(_Decoder):
    """For a link that keeps frames apart (a BLE notification is one frame, without COBS)."""

    def feed(self, value: bytes) -> list[Frame]:
        frame = self._accept(bytes(value), len(value))
        return [] if frame is None else [frame]

    def finish(self) -> list[Frame]:
        return []

    def reset(self) -> None:
        self.counters = DecoderCounters()


class FrameDecoder(_Decoder):
    """For a serial line: feed it whatever arrived, it keeps the unfinished tail (at most 4 KiB).

    Damaged stretches are skipped up to the next delimiter and counted, never raised.
    The result does not depend on how the bytes were split.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tail = bytearray()
        self._skipping = False

    @property
    def buffered_bytes(self) -> int:
        return len(self._tail)

    def feed(self, chunk: bytes) -> list[Frame]:
        parts = bytes(chunk).split(DELIMITER)
        tail = parts.pop()
        frames: list[Frame] = []
        for part in parts:
            stretch = self._close(part) if self._tail or self._skipping else part
            if stretch and (frame := self._open(stretch)) is not None:
                frames.append(frame)
        self._keep(tail)
        return frames

    def finish(self) -> list[Frame]:
        """The line is closed: what is inside is a whole frame without its delimiter, or damaged."""
        stretch = self._close(b"")
        frame = self._open(stretch) if stretch else None
        return [] if frame is None else [frame]

    def reset(self) -> None:
        self.counters = DecoderCounters()
        self._tail.clear()
        self._skipping = False

    def _close(self, part: bytes) -> bytes:
        """The whole stretch that ends with `part`; empty while an over-long one is being skipped."""
        if self._skipping:
            self.counters.skipped_bytes += len(part)
            self._skipping = False
            return b""
        stretch = bytes(self._tail) + part
        self._tail.clear()
        return stretch

    def _keep(self, tail: bytes) -> None:
        if self._skipping:
            self.counters.skipped_bytes += len(tail)
            return
        self._tail += tail
        if len(self._tail) > MAX_BUFFER_BYTES:
            self._damaged(len(self._tail))
            self._tail.clear()
            self._skipping = True

    def _open(self, stretch: bytes) -> Frame | None:
        if len(stretch) > MAX_FRAME_BYTES + 8:
            self._damaged(len(stretch))
            return None
        try:
            raw: bytes = cobs.decode(stretch)
        except cobs.DecodeError:
            self._damaged(len(stretch))
            return None
        return self._accept(raw, len(stretch))
