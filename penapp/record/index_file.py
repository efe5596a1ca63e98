"""The index at the end of a closed session: what is in the file, without reading all of it."""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from typing import BinaryIO

from mcap import records
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode

from penapp.record.container import CLOSING_BYTES, FOOTER, MAGIC, RECORD, FileIndex, is_closing
from penapp.record.head import Metadata, verified
from penapp.record.scan import DAMAGE

DATA_END_BYTES = RECORD.size + 4


def read_index(file: BinaryIO) -> tuple[FileIndex, int] | None:
    """The index and where the records end; None if the file is not closed or its index is damaged."""
    size = file.seek(0, 2)
    file.seek(max(0, size - CLOSING_BYTES))
    tail = file.read()
    if not is_closing(tail):
        return None
    _, _, start, _, _ = FOOTER.unpack_from(tail)
    if not len(MAGIC) + DATA_END_BYTES <= start <= size - CLOSING_BYTES:
        return None
    file.seek(start)
    raw = file.read(size - CLOSING_BYTES - start)
    try:
        return _parsed(raw), start - DATA_END_BYTES
    except DAMAGE:
        return None


def read_metadata(file: BinaryIO, index: FileIndex) -> dict[str, Metadata]:
    """The metadata records, the last of each name; damaged ones are left out."""
    found: dict[str, Metadata] = {}
    size = file.seek(0, 2)
    for line in index.metadata:
        if line.offset + line.length > size:
            continue
        file.seek(line.offset)
        raw = file.read(line.length)
        try:
            record = records.Metadata.read(ReadDataStream(BytesIO(raw[RECORD.size :])))
        except DAMAGE:
            continue
        values = verified(record.name, record.metadata)
        if values is not None:
            found[record.name] = values
    return found


def _parsed(raw: bytes) -> FileIndex:
    index = FileIndex()
    at = 0
    while at < len(raw):
        opcode, length = RECORD.unpack_from(raw, at)
        end = at + RECORD.size + length
        if opcode == Opcode.CHUNK_INDEX:
            index.chunk_lines += raw[at:end]
            index.chunk_count += 1
        else:
            _enter(index, opcode, ReadDataStream(BytesIO(raw[at + RECORD.size : end])))
        at = end
    return index


def _enter(index: FileIndex, opcode: int, body: ReadDataStream) -> None:
    if opcode == Opcode.SCHEMA:
        schema = records.Schema.read(body)
        index.schemas[schema.id] = schema
    elif opcode == Opcode.CHANNEL:
        channel = records.Channel.read(body)
        index.channels[channel.id] = channel
    elif opcode == Opcode.METADATA_INDEX:
        index.metadata.append(records.MetadataIndex.read(body))
    elif opcode == Opcode.ATTACHMENT_INDEX:
        index.attachments.append(records.AttachmentIndex.read(body))
    elif opcode == Opcode.STATISTICS:
        statistics = records.Statistics.read(body)
        index.counts = Counter(statistics.channel_message_counts)
        if statistics.message_count:
            index.add_times(statistics.message_start_time, statistics.message_end_time)
