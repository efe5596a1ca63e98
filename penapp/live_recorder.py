"""What a live session records with: a session file (`*.mcap`) or a recorded stream (`*.pen`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from firmware_protocol.descriptor import Descriptor
from penapp.device.errors import RecordingError
from penapp.device.recording import SUFFIX as STREAM_SUFFIX
from penapp.device.recording import StreamWriter
from penapp.device.source import ArrivedFrame
from penapp.errors import BadInputError
from penapp.live_types import Failed, LinkChanged, LiveEvent, TextCommitted
from penapp.record.types import Consent, EventKind, SessionEvent, SessionRecord, WriterNote

if TYPE_CHECKING:
    from penapp.record.writer import SessionWriter

SESSION_SUFFIX = ".mcap"
OnError = Callable[[RecordingError], None]


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """A session to be recorded, with what is known of it beforehand; see `SessionHead`."""

    path: Path
    title: str = ""
    calibration: str = ""
    consent: Consent | None = None
    writer: WriterNote | None = None


class Recorder(Protocol):
    """Takes what happens, from any thread, and never raises: what goes wrong is told to `on_error`, once.

    append: frames in order of arrival, before any queue; mapped_ns: for each, when its first sample was taken
            (ns since 1970), None where the clock does not know
    event:  what the session tells; add: anything else that belongs in a session file
    close:  all of it is in the file; idempotent
    """

    @property
    def written_bytes(self) -> int: ...

    def append(
        self, batch: Sequence[ArrivedFrame], mapped_ns: Sequence[int | None] | None = None
    ) -> None: ...

    def event(self, event: LiveEvent) -> None: ...

    def add(self, record: SessionRecord) -> None: ...

    def close(self) -> None: ...


def recording_path(path: Path) -> Path:
    """FILE as the user named it: without an ending it becomes a session file; raises `BadInputError`."""
    if not path.suffix:
        return path.with_suffix(SESSION_SUFFIX)
    if path.suffix in {SESSION_SUFFIX, STREAM_SUFFIX}:
        return path
    raise BadInputError(
        f"a recording cannot be called {path.name}.",
        advice=f"Name it FILE{SESSION_SUFFIX} (a session) or FILE{STREAM_SUFFIX} (the pen's bytes alone).",
    )


def open_recorder(record_to: Path | SessionPlan, descriptor: Descriptor, on_error: OnError) -> Recorder:
    """A new file; raises `BadInputError` if it is there already, `RecordingError` if it cannot be made."""
    plan = record_to if isinstance(record_to, SessionPlan) else SessionPlan(record_to)
    path = recording_path(plan.path)
    if path.suffix == STREAM_SUFFIX:
        return StreamRecorder(StreamWriter(path, descriptor), on_error)
    from penapp.record.head import SessionHead
    from penapp.record.writer import SessionWriter

    head = SessionHead(
        descriptor,
        title=plan.title,
        calibration=plan.calibration or _stored_calibration(descriptor),
        consent=plan.consent,
        writer=plan.writer,
    )
    return SessionRecorder(SessionWriter(path, head, on_error=on_error))


def _stored_calibration(descriptor: Descriptor) -> str:
    """The calibration that the pen's samples will be corrected by, as JSON; empty if there is none."""
    from calibration.content import to_content
    from penapp.calibrate import known_pen

    found = known_pen(descriptor).calibration
    return "" if found is None else json.dumps(to_content(found))


class StreamRecorder:
    """Frames alone, each written at once."""

    def __init__(self, writer: StreamWriter, on_error: OnError) -> None:
        self._writer = writer
        self._on_error = on_error
        self._failed = False

    @property
    def written_bytes(self) -> int:
        return self._writer.written_bytes

    def append(self, batch: Sequence[ArrivedFrame], mapped_ns: Sequence[int | None] | None = None) -> None:
        if self._failed:
            return
        try:
            self._writer.append_arrived(list(batch))
        except RecordingError as error:
            self._failed = True
            self._on_error(error)

    def event(self, event: LiveEvent) -> None:
        """A stream holds no events."""

    def add(self, record: SessionRecord) -> None:
        """A stream holds frames alone."""

    def close(self) -> None:
        self._writer.close()


class SessionRecorder:
    """Everything, in a session file."""

    def __init__(self, writer: SessionWriter) -> None:
        self.writer = writer

    @property
    def written_bytes(self) -> int:
        return self.writer.written_bytes

    def append(self, batch: Sequence[ArrivedFrame], mapped_ns: Sequence[int | None] | None = None) -> None:
        with suppress(RecordingError):  # on_error has told it
            self.writer.append(batch, mapped_ns)

    def event(self, event: LiveEvent) -> None:
        told = session_event(event)
        if told is not None:
            self.add(told)

    def add(self, record: SessionRecord) -> None:
        with suppress(RecordingError):
            self.writer.add(record)

    def close(self) -> None:
        self.writer.close()


def session_event(event: LiveEvent) -> SessionEvent | None:
    """What a session file keeps of a live event: tentative text is not kept."""
    if isinstance(event, TextCommitted):
        said = event.hypothesis
        return SessionEvent(
            EventKind.TEXT, said.text, start_s=said.start_t, end_s=said.end_t, confidence=said.confidence
        )
    if isinstance(event, LinkChanged):
        return SessionEvent(EventKind.LINK, event.status.message, state=event.status.link.value)
    if isinstance(event, Failed):
        return SessionEvent(EventKind.NOTE, event.message)
    return None
