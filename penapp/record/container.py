"""MCAP bytes: chunks, and the index that closes a file. No files, no threads.

The reference library writes a file once, front to back. A session is also repaired and added to after it was
closed, so chunks and index are built here from the library's own records. Specification: mcap.dev/spec.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from zlib import crc32

import zstandard
from mcap import records
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode

MAGIC = b"\x89MCAP0\r\n"
RECORD = struct.Struct("<BQ")
FOOTER = struct.Struct("<BQQQI")
CLOSING_BYTES = FOOTER.size + len(MAGIC)
MESSAGE = struct.Struct("<BQHIQQ")
MESSAGE_FIXED_BYTES = MESSAGE.size - RECORD.size
COMPRESSION = "zstd"
LEVEL = 3


def encoded(record: records.McapRecord) -> bytes:
    """One record as it stands in a file."""
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())


@dataclass(frozen=True, slots=True)
class BuiltChunk:
    """A chunk record, the message indexes that follow it, and its line in the file's index.

    offsets: for each channel, where its message index stands, counted from the chunk's first byte
    """

    raw: bytes
    indexes: bytes
    offsets: dict[int, int]
    start_ns: int
    end_ns: int
    counts: Counter[int]
    compressed_size: int
    uncompressed_size: int
    compression: str = COMPRESSION

    def line(self, offset: int) -> records.ChunkIndex:
        """The chunk at `offset` of the file, as the index names it."""
        return records.ChunkIndex(
            chunk_start_offset=offset,
            chunk_length=len(self.raw),
            message_index_offsets={number: offset + at for number, at in self.offsets.items()},
            message_index_length=len(self.indexes),
            message_start_time=self.start_ns,
            message_end_time=self.end_ns,
            compression=self.compression,
            compressed_size=self.compressed_size,
            uncompressed_size=self.uncompressed_size,
        )


class MessageTimes:
    """When the messages of a chunk were logged, and where in it they stand."""

    def __init__(self) -> None:
        self._entries: dict[int, list[tuple[int, int]]] = {}
        self._start_ns = self._end_ns = 0

    def add(self, channel: int, log_ns: int, offset: int) -> None:
        self._start_ns = min(self._start_ns, log_ns) if self._entries else log_ns
        self._end_ns = max(self._end_ns, log_ns)
        self._entries.setdefault(channel, []).append((log_ns, offset))

    def built(self, raw: bytes, sizes: tuple[int, int], compression: str = COMPRESSION) -> BuiltChunk:
        """For the chunk record `raw`; sizes: of its contents, compressed and not."""
        parts: list[bytes] = []
        offsets: dict[int, int] = {}
        at = len(raw)
        for channel, entries in self._entries.items():
            offsets[channel] = at
            parts.append(encoded(records.MessageIndex(channel, entries)))
            at += len(parts[-1])
        counts = Counter({channel: len(entries) for channel, entries in self._entries.items()})
        return BuiltChunk(
            raw, b"".join(parts), offsets, self._start_ns, self._end_ns, counts, *sizes, compression
        )


class ChunkBuilder:
    """Messages until `build()` makes a compressed chunk of them."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self._reset()

    @property
    def messages(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """Bytes that wait, uncompressed."""
        return len(self._body)

    def add(
        self, channel: int, payload: bytes, *, log_ns: int, publish_ns: int | None = None, sequence: int = 0
    ) -> None:
        """publish_ns None: not known, which MCAP writes as the same as log_ns."""
        self._times.add(channel, log_ns, len(self._body))
        published = log_ns if publish_ns is None else publish_ns
        length = MESSAGE_FIXED_BYTES + len(payload)
        self._body += MESSAGE.pack(Opcode.MESSAGE, length, channel, sequence, log_ns, published)
        self._body += payload
        self._count += 1

    def build(self) -> BuiltChunk:
        """The chunk; the builder is empty afterwards."""
        body = bytes(self._body)
        packed = self._compressor.compress(body)
        chunk = records.Chunk(
            compression=COMPRESSION,
            data=packed,
            message_start_time=self._times._start_ns,
            message_end_time=self._times._end_ns,
            uncompressed_crc=crc32(body),
            uncompressed_size=len(body),
        )
        built = self._times.built(encoded(chunk), (len(packed), len(body)))
        self._reset()
        return built

    def _reset(self) -> None:
        self._body = bytearray()
        self._times = MessageTimes()
        self._count = 0


@dataclass(slots=True)
class FileIndex:
    """What stands in a file, and the bytes that close it: everything in them follows from the records before.

    chunk_lines: the encoded index lines of `chunk_count` chunks (a day of session has 170,000)
    """

    schemas: dict[int, records.Schema] = field(default_factory=dict)
    channels: dict[int, records.Channel] = field(default_factory=dict)
    chunk_lines: bytearray = field(default_factory=bytearray)
    chunk_count: int = 0
    start_ns: int | None = None
    end_ns: int = 0
    metadata: list[records.MetadataIndex] = field(default_factory=list)
    attachments: list[records.AttachmentIndex] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)

    def add_chunk(self, offset: int, chunk: BuiltChunk) -> None:
        self.chunk_lines += encoded(chunk.line(offset))
        self.chunk_count += 1
        self.counts.update(chunk.counts)
        self.add_times(chunk.start_ns, chunk.end_ns)

    def add_times(self, start_ns: int, end_ns: int) -> None:
        """Messages were logged from `start_ns` to `end_ns`."""
        self.start_ns = start_ns if self.start_ns is None else min(self.start_ns, start_ns)
        self.end_ns = max(self.end_ns, end_ns)

    def add_metadata(self, offset: int, length: int, name: str) -> None:
        self.metadata.append(records.MetadataIndex(offset, length, name))

    def add_attachment(self, offset: int, length: int, attachment: records.Attachment) -> None:
        self.attachments.append(
            records.AttachmentIndex(
                offset, length, attachment.log_time, attachment.create_time,
                len(attachment.data), attachment.name, attachment.media_type,
            )
        )  # fmt: skip

    def closing(self, at: int) -> bytes:
        """DataEnd, summary, footer and magic for a file whose records end at offset `at`."""
        data_end = encoded(records.DataEnd(0))
        start = at + len(data_end)
        body, lines = bytearray(), bytearray()
        for opcode, group in self._groups():
            if group:
                lines += encoded(records.SummaryOffset(opcode, start + len(body), len(group)))
                body += group
        offsets_at = start + len(body)
        summary = bytes(body + lines)
        footer_head = struct.pack("<BQQQ", Opcode.FOOTER, 20, start, offsets_at)
        footer = encoded(records.Footer(start, offsets_at, crc32(footer_head, crc32(summary))))
        return data_end + summary + footer + MAGIC

    def _groups(self) -> list[tuple[Opcode, bytes | bytearray]]:
        return [
            (Opcode.SCHEMA, _joined(self.schemas.values())),
            (Opcode.CHANNEL, _joined(self.channels.values())),
            (Opcode.STATISTICS, encoded(self._statistics())),
            (Opcode.CHUNK_INDEX, self.chunk_lines),
            (Opcode.ATTACHMENT_INDEX, _joined(self.attachments)),
            (Opcode.METADATA_INDEX, _joined(self.metadata)),
        ]

    def _statistics(self) -> records.Statistics:
        return records.Statistics(
            attachment_count=len(self.attachments),
            channel_count=len(self.channels),
            channel_message_counts=dict(self.counts),
            chunk_count=self.chunk_count,
            message_count=self.counts.total(),
            message_end_time=self.end_ns,
            message_start_time=self.start_ns or 0,
            metadata_count=len(self.metadata),
            schema_count=len(self.schemas),
        )


def _joined(group: Iterable[records.McapRecord]) -> bytes:
    return b"".join(map(encoded, group))


def is_closing(tail: bytes) -> bool:
    """Whether the last `CLOSING_BYTES` of a file are those of a closed one."""
    return (
        len(tail) == CLOSING_BYTES
        and tail[: RECORD.size] == RECORD.pack(Opcode.FOOTER, 20)
        and tail.endswith(MAGIC)
    )
