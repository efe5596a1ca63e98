"""The index of a file made anew from its records: to repair one, and to check one."""

from __future__ import annotations

from mcap import records
from mcap.opcode import Opcode

from penapp.record.container import FileIndex, MessageTimes
from penapp.record.scan import Found


class Reindexer:
    """Records in, in order; what has to stand in the file for each out. `index` grows with them."""

    def __init__(self) -> None:
        self.index = FileIndex()

    def push(self, found: Found, at: int) -> bytes:
        """The bytes for one record that will stand at offset `at`.

        A chunk brings its message indexes with it; those that stood in the file are left out.
        """
        if found.opcode == Opcode.MESSAGE_INDEX:
            return b""
        if found.opcode == Opcode.CHUNK:
            return found.raw + self._chunk(found, at)
        self._enter(found, at)
        return found.raw

    def _chunk(self, found: Found, at: int) -> bytes:
        times = MessageTimes()
        for message in found.messages:
            times.add(message.channel, message.log_ns, message.offset)
        for described in found.described:
            if isinstance(described, records.Schema):
                self.index.schemas[described.id] = described
            else:
                self.index.channels[described.id] = described
        chunk = records.Chunk.read(found.body)
        built = times.built(found.raw, (len(chunk.data), chunk.uncompressed_size), chunk.compression)
        self.index.add_chunk(at, built)
        return built.indexes

    def _enter(self, found: Found, at: int) -> None:
        """What the file's index says of a record that is no chunk."""
        index = self.index
        if found.opcode == Opcode.SCHEMA:
            schema = records.Schema.read(found.body)
            index.schemas[schema.id] = schema
        elif found.opcode == Opcode.CHANNEL:
            channel = records.Channel.read(found.body)
            index.channels[channel.id] = channel
        elif found.opcode == Opcode.METADATA:
            index.add_metadata(at, len(found.raw), records.Metadata.read(found.body).name)
        elif found.opcode == Opcode.ATTACHMENT:
            index.add_attachment(at, len(found.raw), records.Attachment.read(found.body))
        elif found.opcode == Opcode.MESSAGE:
            index.counts.update([found.messages[0].channel])
