"""What sessions there are, and how good each is."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from penapp.errors import BadInputError
from penapp.record.head import RECOVERED, SUMMARY, Metadata, SessionHead, head_from
from penapp.record.index_file import read_index, read_metadata
from penapp.record.layout import SUFFIX
from penapp.record.reader import RecordedFrame, SessionReader
from penapp.record.tally import SessionCounts, Tally

NO_COUNTS = SessionCounts()
GOOD_LOSS_PERCENT = 0.1
FAIR_LOSS_PERCENT = 2.0


class SessionState(StrEnum):
    """How a session file ended.

    CLOSED:     as it should
    RECOVERED:  not at all, but it has been repaired
    UNCLOSED:   it is being recorded just now, or has not been repaired yet
    UNREADABLE: it is no session file, or nothing in it says which pen it was
    """

    CLOSED = "closed"
    RECOVERED = "recovered"
    UNCLOSED = "unclosed"
    UNREADABLE = "unreadable"


class Quality(StrEnum):
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """One line of the list. reason: why the quality is not good, or why the file cannot be read."""

    path: Path
    state: SessionState
    size: int
    head: SessionHead | None = None
    counts: SessionCounts = NO_COUNTS
    quality: Quality = Quality.POOR
    reason: str = ""


def list_sessions(folder: Path) -> list[SessionEntry]:
    """Every session file of a folder, oldest first; an unreadable one is a line too."""
    if not folder.is_dir():
        return []
    entries = [session_entry(path) for path in sorted(folder.glob(f"*{SUFFIX}")) if path.is_file()]
    return sorted(entries, key=lambda entry: (entry.head.created_ns if entry.head else 0, entry.path.name))


def session_entry(path: Path) -> SessionEntry:
    """One session; a closed one by its index alone, any other by reading it."""
    try:
        size = path.stat().st_size
        entry = _by_index(path, size)
        return entry if entry is not None else _by_reading(path, size)
    except (BadInputError, OSError) as error:
        return SessionEntry(path, SessionState.UNREADABLE, 0, reason=str(error))


def counted(path: Path) -> SessionCounts | None:
    """The counts of a session from its frames and records; None if nothing says which pen it was."""
    with SessionReader(path) as reader:
        return count(reader)


def count(reader: SessionReader) -> SessionCounts | None:
    """Reads to the end of the file."""
    head = reader.head
    tally = Tally(head.descriptor) if head is not None else None
    for item in reader.items():
        if tally is None:
            continue
        if isinstance(item, RecordedFrame):
            tally.frame(item.frame, item.arrival_ns)
        else:
            tally.record(item.value)
    return tally.counts if tally is not None else None


def quality_of(counts: SessionCounts, *, damaged: bool = False) -> tuple[Quality, str]:
    """How far the signal can be trusted, and why not."""
    if damaged:
        return Quality.POOR, "parts of the file are damaged"
    if not counts.samples:
        return Quality.POOR, "no samples"
    gaps = "1 gap" if counts.gaps == 1 else f"{counts.gaps} gaps"
    lost = f"{counts.loss_percent:.2g} % of the samples lost in {gaps}"
    if counts.loss_percent > FAIR_LOSS_PERCENT:
        return Quality.POOR, lost
    if counts.loss_percent > GOOD_LOSS_PERCENT:
        return Quality.FAIR, lost
    if counts.clipped:
        return Quality.FAIR, f"a sensor at its limit in {counts.clipped} frames"
    return Quality.GOOD, ""


def _by_index(path: Path, size: int) -> SessionEntry | None:
    with path.open("rb") as file:
        found = read_index(file)
        if found is None:
            return None
        metadata = read_metadata(file, found[0])
    head, counts = head_from(metadata), _stated_counts(metadata.get(SUMMARY))
    if head is None or counts is None:
        return None
    recovered = metadata.get(RECOVERED)
    damaged = recovered is not None and recovered.get("damaged_chunks", "0") != "0"
    quality, reason = quality_of(counts, damaged=damaged)
    state = SessionState.CLOSED if recovered is None else SessionState.RECOVERED
    return SessionEntry(path, state, size, head, counts, quality, reason)


def _by_reading(path: Path, size: int) -> SessionEntry:
    with SessionReader(path) as reader:
        counts = count(reader)
        head, report = reader.head, reader.report
    if head is None or counts is None:
        return SessionEntry(path, SessionState.UNREADABLE, size, reason="nothing in it says which pen it was")
    quality, reason = quality_of(counts, damaged=not report.torn)
    state = SessionState.CLOSED if report.closed else SessionState.UNCLOSED
    return SessionEntry(path, state, size, head, counts, quality, reason)


def _stated_counts(values: Metadata | None) -> SessionCounts | None:
    if values is None:
        return None
    try:
        read = {
            field.name: (float if field.name == "seconds" else int)(values.get(field.name, "0"))
            for field in fields(SessionCounts)
        }
    except ValueError:
        return None
    return SessionCounts(**read)  # type: ignore[arg-type]
