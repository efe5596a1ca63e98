"""Every record of an MCAP file that can be read, whether the rest is cut short, damaged or filled with zeros.

Nothing here raises because of what stands in the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO
from zlib import crc32

import lz4.frame
import zstandard
from mcap import records
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode

from penapp.record.container import (
    CLOSING_BYTES,
    MAGIC,
    MESSAGE,
    MESSAGE_FIXED_BYTES,
    RECORD,
    encoded,
    is_closing,
)

MAX_CHUNK_BYTES = 1 << 28
"""A chunk that states more, compressed or not, is taken for damaged."""
CHUNK_FIXED_BYTES = 28
_ZSTD_MARK = b"\x04\x00\x00\x00zstd"
_MARK_AT = RECORD.size + CHUNK_FIXED_BYTES
_SEARCH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message; offset: where its record stands in the chunk."""

    channel: int
    sequence: int
    log_ns: int
    publish_ns: int
    payload: bytes
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One undamaged record: where it stands, its bytes, and the messages in it.

    described: schemas and channels that stand inside a chunk
    """

    offset: int
    opcode: int
    raw: bytes
    messages: tuple[Message, ...] = ()
    described: tuple[records.Schema | records.Channel, ...] = ()

    @property
    def body(self) -> ReadDataStream:
        return ReadDataStream(BytesIO(self.raw[RECORD.size :]))


@dataclass(slots=True)
class ScanReport:
    """What a scan met. closed: the file ends as it should; records_end: behind the last record of the data
    damaged: (first, behind) of each stretch that could not be read; the last may reach to the end of the file
    """

    size: int = 0
    chunks: int = 0
    damaged_chunks: int = 0
    closed: bool = False
    records_end: int = 0
    damaged: list[tuple[int, int]] = field(default_factory=list)

    @property
    def unreadable_bytes(self) -> int:
        return sum(behind - first for first, behind in self.damaged)

    @property
    def torn(self) -> bool:
        """Only the end is missing: a program that was killed, not a damaged disk."""
        return not self.damaged or (len(self.damaged) == 1 and self.damaged[0][1] == self.size)


class Scan:
    """Iterate once: the records of the data section in order. `report` is complete afterwards."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.report = ScanReport(size=file.seek(0, 2))

    def __iter__(self) -> Iterator[Found]:
        report = self.report
        at = len(MAGIC) if self._at(0, len(MAGIC)) == MAGIC else 0
        report.records_end = at
        while at < report.size:
            found = self._record(at)
            if found is None:
                behind = self._next_chunk(at + 1)
                self._damaged(at, behind)
                at = behind
                continue
            if found.opcode == Opcode.DATA_END:
                report.closed = self._is_closed()
                return
            at += len(found.raw)
            report.records_end = at
            report.chunks += found.opcode == Opcode.CHUNK
            yield found

    def _record(self, at: int) -> Found | None:
        head = self._at(at, RECORD.size)
        if len(head) < RECORD.size:
            return None
        opcode, length = RECORD.unpack(head)
        if not 0 < opcode <= Opcode.DATA_END or length > self.report.size - at - RECORD.size:
            return None
        if opcode == Opcode.CHUNK and length > MAX_CHUNK_BYTES:
            return None
        raw = head + self._file.read(length)
        return opened(at, opcode, raw)

    def _damaged(self, first: int, behind: int) -> None:
        self.report.damaged.append((first, behind))
        head = self._at(first, RECORD.size)
        self.report.damaged_chunks += len(head) == RECORD.size and head[0] == Opcode.CHUNK

    def _next_chunk(self, start: int) -> int:
        """Where the next undamaged chunk begins, or the end of the file."""
        at = start + _MARK_AT
        while at < self.report.size:
            block = self._at(at, _SEARCH_BYTES)
            place = block.find(_ZSTD_MARK)
            while place >= 0:
                candidate = at + place - _MARK_AT
                if self._at(candidate, 1) == bytes((Opcode.CHUNK,)) and self._record(candidate) is not None:
                    return candidate
                place = block.find(_ZSTD_MARK, place + 1)
            at += max(1, len(block) - len(_ZSTD_MARK) + 1)
        return self.report.size

    def _is_closed(self) -> bool:
        """A footer and the magic stand at the very end."""
        return is_closing(self._at(max(0, self.report.size - CLOSING_BYTES), CLOSING_BYTES))

    def _at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


def opened(offset: int, opcode: int, raw: bytes) -> Found | None:
    """A whole record with its messages; None if it is damaged, or none that stands among the data."""
    try:
        if opcode == Opcode.CHUNK:
            return _chunk(offset, raw)
        if opcode == Opcode.MESSAGE:
            return Found(offset, opcode, raw, (_message(raw, 0, len(raw) - RECORD.size),))
        found = Found(offset, opcode, raw)
        if opcode == Opcode.MESSAGE_INDEX:  # nobody reads it here; it says how long it is
            return found if _INDEX.unpack_from(raw)[3] == len(raw) - _INDEX.size else None
        return found if encoded(_READ[opcode](found.body)) == raw else None
    except DAMAGE:
        return None


_INDEX = struct.Struct("<BQHI")
_READ: dict[int, Callable[[ReadDataStream], records.McapRecord]] = {
    Opcode.HEADER: records.Header.read,
    Opcode.SCHEMA: records.Schema.read,
    Opcode.CHANNEL: records.Channel.read,
    Opcode.ATTACHMENT: records.Attachment.read,
    Opcode.METADATA: records.Metadata.read,
    Opcode.DATA_END: records.DataEnd.read,
}
DAMAGE: tuple[type[Exception], ...] = (
    ValueError,
    LookupError,
    OverflowError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    McapError,
    zstandard.ZstdError,
)
"""What parsing damaged bytes may raise."""


def _chunk(offset: int, raw: bytes) -> Found:
    """The contents state their own length, and prove it: a record that states more is put right."""
    stream = ReadDataStream(BytesIO(raw[RECORD.size :]))
    chunk = records.Chunk.read(stream)
    if stream.count != len(raw) - RECORD.size:
        raw = RECORD.pack(Opcode.CHUNK, stream.count) + raw[RECORD.size : RECORD.size + stream.count]
    body = _unpacked(chunk)
    if chunk.uncompressed_crc and crc32(body) != chunk.uncompressed_crc:
        raise ValueError("check sum")
    messages: list[Message] = []
    described: list[records.Schema | records.Channel] = []
    at = 0
    while at < len(body):
        opcode, length = RECORD.unpack_from(body, at)
        if opcode == Opcode.MESSAGE:
            messages.append(_message(body, at, length))
        elif opcode == Opcode.SCHEMA:
            described.append(records.Schema.read(_inside(body, at, length)))
        elif opcode == Opcode.CHANNEL:
            described.append(records.Channel.read(_inside(body, at, length)))
        at += RECORD.size + length
    return Found(offset, Opcode.CHUNK, raw, tuple(messages), tuple(described))


def _unpacked(chunk: records.Chunk) -> bytes:
    if chunk.uncompressed_size > MAX_CHUNK_BYTES:
        raise ValueError("size")
    if chunk.compression == "zstd":
        return zstandard.ZstdDecompressor().decompress(chunk.data, max_output_size=chunk.uncompressed_size)
    if chunk.compression == "lz4":
        return bytes(lz4.frame.decompress(chunk.data))
    if chunk.compression:
        raise ValueError("compression")
    return chunk.data


def _message(body: bytes, at: int, length: int) -> Message:
    _, _, channel, sequence, log_ns, publish_ns = MESSAGE.unpack_from(body, at)
    end = at + RECORD.size + length
    if length < MESSAGE_FIXED_BYTES or end > len(body):
        raise ValueError("length")
    return Message(channel, sequence, log_ns, publish_ns, body[at + MESSAGE.size : end], at)


def _inside(body: bytes, at: int, length: int) -> ReadDataStream:
    return ReadDataStream(BytesIO(body[at + RECORD.size : at + RECORD.size + length]))
