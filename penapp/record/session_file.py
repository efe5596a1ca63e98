"""The session file as it is being written: frames and records in, chunks out. No thread, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mcap import records

from firmware_protocol.framing import Frame, encode_frame
from penapp.record.container import MAGIC, ChunkBuilder, FileIndex, encoded
from penapp.record.head import SUMMARY, SessionHead, checked
from penapp.record.json_form import to_json
from penapp.record.layout import CHANNELS, NUMBER, PROFILE, RAW, TOPIC_OF
from penapp.record.out_file import OutFile, sync_folder
from penapp.record.tally import Tally, gap_event
from penapp.record.types import SessionRecord

MAX_CHUNK_BYTES = 1 << 20


class SessionFile:
    """One new session file. Every method raises `RecordingError` when the file takes no more; then only
    `abandon()` is left. What a `flush()` has written survives a killed program.
    """

    def __init__(self, path: Path, head: SessionHead) -> None:
        self.path = path
        self.head = head
        self._out = OutFile(path)
        self._index = FileIndex()
        self._builder = ChunkBuilder()
        self._tally = Tally(head.descriptor)
        self._sequence = dict.fromkeys(NUMBER.values(), 0)
        try:
            self._out.write(self._opening())
            for name, values in head.metadata().items():
                self.note(name, values)
            self.sync()
            sync_folder(path.parent)
        except BaseException:
            self._out.close()
            raise

    @property
    def written_bytes(self) -> int:
        return self._out.size

    @property
    def tally(self) -> Tally:
        return self._tally

    def frame(self, frame: Frame, log_ns: int, mapped_ns: int | None = None) -> None:
        """A frame as the carrier delivered it; mapped_ns: when it was sampled, if the clock knows it."""
        lost = self._tally.frame(frame, log_ns)
        if lost:
            self.record(gap_event(frame, lost), log_ns)
        self._builder.add(
            NUMBER[RAW], encode_frame(frame), log_ns=log_ns, publish_ns=mapped_ns, sequence=frame.seq
        )
        self._keep_small()

    def record(self, record: SessionRecord, log_ns: int) -> None:
        """An event, prompt, label edit or clock segment."""
        number = NUMBER[TOPIC_OF[type(record)]]
        self._builder.add(number, to_json(record), log_ns=log_ns, sequence=self._sequence[number])
        self._sequence[number] += 1
        self._tally.record(record)
        self._keep_small()

    def note(self, name: str, values: Mapping[str, str]) -> None:
        """A metadata record, at once; of several with the same name a reader takes the last."""
        self.flush()
        raw = encoded(records.Metadata(name, checked(values)))
        self._index.add_metadata(self._out.size, len(raw), name)
        self._out.write(raw)

    def flush(self) -> None:
        """What was added so far is in the file. Raises if somebody has removed it."""
        if self._builder.messages:
            self._write_chunk()
        self._out.check()

    def sync(self) -> None:
        """What is in the file survives a loss of power."""
        self._out.sync()

    def finish(self) -> None:
        """Counts, index and footer; the file is closed."""
        self.note(SUMMARY, {name: str(value) for name, value in asdict(self._tally.counts).items()})
        self._out.write(self._index.closing(self._out.size))
        self._out.sync()
        self._out.close()

    def abandon(self) -> None:
        """Close without an index, after an error; the next start repairs the file. Idempotent."""
        self._out.close()

    def _opening(self) -> bytes:
        parts = [MAGIC, encoded(records.Header(PROFILE, f"penapp session {self.head.session_id}"))]
        for plan in CHANNELS:
            schema = records.Schema(plan.number, plan.schema, plan.schema_encoding, plan.schema_name)
            channel = records.Channel(plan.number, plan.topic, plan.message_encoding, {}, plan.number)
            self._index.schemas[plan.number] = schema
            self._index.channels[plan.number] = channel
            parts += [encoded(schema), encoded(channel)]
        return b"".join(parts)

    def _keep_small(self) -> None:
        if self._builder.size >= MAX_CHUNK_BYTES:
            self._write_chunk()

    def _write_chunk(self) -> None:
        chunk = self._builder.build()
        at = self._out.size
        self._out.write(chunk.raw + chunk.indexes)
        self._index.add_chunk(at, chunk)
