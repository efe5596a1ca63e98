"""Reading a session: whole, cut short at any byte, or damaged. What can be read is, the rest is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Generic, Self, TypeVar

from mcap import records
from mcap.opcode import Opcode

from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import Frame, decode_frame
from penapp.errors import BadInputError
from penapp.record.container import MAGIC
from penapp.record.head import RECOVERED, SUMMARY, Metadata, SessionHead, head_from, verified
from penapp.record.json_form import MalformedError, from_json
from penapp.record.labels import Label, fold_labels
from penapp.record.layout import RAW, RECORD_TYPES, TOPIC
from penapp.record.scan import DAMAGE, Found, Message, Scan, ScanReport
from penapp.record.types import ClockSegment, LabelEdit, PromptEvent, SessionEvent, SessionRecord

RecordT_co = TypeVar("RecordT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Logged(Generic[RecordT_co]):
    """A record and when it was written down (ns since 1970)."""

    log_ns: int
    value: RecordT_co


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """A frame as the carrier delivered it.

    raw:       its bytes, header to check sum; arrival_ns: ns since 1970
    mapped_ns: when its first sample was taken (ns since 1970), None where the clock did not know
    """

    frame: Frame
    raw: bytes
    arrival_ns: int
    mapped_ns: int | None = None


Item = RecordedFrame | Logged[SessionRecord]


class SessionReader:
    """One session file, read front to back.

    Raises `BadInputError` if the file cannot be opened or is no MCAP file; afterwards nothing that stands in
    it raises. `metadata` and `report` are complete when `items()` has been run to its end; `head` is known
    from the start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.malformed = 0
        self.metadata: dict[str, Metadata] = {}
        self._topics = dict(TOPIC)
        self._file = _opened(path)
        self._scan = Scan(self._file)
        self._records = iter(self._scan)
        self._early: list[Found] = []
        self._read_head()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def head(self) -> SessionHead | None:
        """None when the file holds no readable head: nobody knows which pen it was."""
        return head_from(self.metadata)

    @property
    def report(self) -> ScanReport:
        return self._scan.report

    @property
    def total_bytes(self) -> int:
        return self._scan.report.size

    @property
    def read_bytes(self) -> int:
        return min(self._file.tell(), self.total_bytes) if not self._file.closed else self.total_bytes

    @property
    def recovered(self) -> bool:
        """The file was repaired after the recording ended without being closed."""
        return RECOVERED in self.metadata

    def items(self) -> Iterator[Item]:
        """Frames and records in the order in which they were written. Once."""
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[list[Item]]:
        """The same, in the chunks in which they were written."""
        while self._early:
            yield self._items_of(self._early.pop(0))
        for found in self._records:
            self._learn(found)
            if found.messages:
                yield self._items_of(found)

    def close(self) -> None:
        self._file.close()

    def _read_head(self) -> None:
        """Up to the first chunk with messages: everything that a session states of itself comes before."""
        for found in self._records:
            self._learn(found)
            if found.messages:
                self._early.append(found)
                return

    def _learn(self, found: Found) -> None:
        try:
            if found.opcode == Opcode.METADATA:
                record = records.Metadata.read(found.body)
                values = verified(record.name, record.metadata)
                if values is None:
                    self.malformed += 1
                else:
                    self.metadata[record.name] = values
            elif found.opcode == Opcode.CHANNEL:
                channel = records.Channel.read(found.body)
                self._topics[channel.id] = channel.topic
        except DAMAGE:
            self.malformed += 1
        for described in found.described:
            if isinstance(described, records.Channel):
                self._topics[described.id] = described.topic

    def _items_of(self, found: Found) -> list[Item]:
        items = (self._item(message) for message in found.messages)
        return [item for item in items if item is not None]

    def _item(self, message: Message) -> Item | None:
        topic = self._topics.get(message.channel, "")
        try:
            if topic == RAW:
                mapped = message.publish_ns if message.publish_ns != message.log_ns else None
                return RecordedFrame(decode_frame(message.payload), message.payload, message.log_ns, mapped)
            if topic in RECORD_TYPES:
                return Logged(message.log_ns, from_json(RECORD_TYPES[topic], message.payload))
        except (ProtocolError, MalformedError):
            self.malformed += 1
        return None


@dataclass(slots=True)
class Session:
    """A whole session in memory, but for its frames."""

    path: Path
    head: SessionHead | None
    events: list[Logged[SessionEvent]] = field(default_factory=list)
    prompts: list[Logged[PromptEvent]] = field(default_factory=list)
    edits: list[Logged[LabelEdit]] = field(default_factory=list)
    clocks: dict[int, ClockSegment] = field(default_factory=dict)
    metadata: dict[str, Metadata] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels as they stand after all edits."""
        return fold_labels(edit.value for edit in self.edits)

    @property
    def stated_counts(self) -> Metadata | None:
        """What the recorder counted when it closed the file."""
        return self.metadata.get(SUMMARY)


def read_session(path: Path) -> Session:
    """Everything but the frames; raises `BadInputError` if the file cannot be opened or is no MCAP file."""
    with SessionReader(path) as reader:
        session = Session(path, None)
        for item in reader.items():
            if isinstance(item, Logged):
                _file_away(session, item)
        session.head, session.metadata = reader.head, reader.metadata
    return session


def _file_away(session: Session, item: Logged[SessionRecord]) -> None:
    value = item.value
    if isinstance(value, SessionEvent):
        session.events.append(Logged(item.log_ns, value))
    elif isinstance(value, PromptEvent):
        session.prompts.append(Logged(item.log_ns, value))
    elif isinstance(value, LabelEdit):
        session.edits.append(Logged(item.log_ns, value))
    else:
        session.clocks[value.segment] = value


def _opened(path: Path) -> BinaryIO:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInputError(f"{path} cannot be opened: {error.strerror}.") from error
    first = file.read(len(MAGIC))
    if not MAGIC.startswith(first[: len(MAGIC)]):
        file.close()
        raise BadInputError(
            f"{path} is no session file: it starts with {first.hex(' ')}, expected {MAGIC.hex(' ')}.",
            advice="Session files are made with `penapp live --record FILE.mcap`.",
        )
    return file
