"""One session, every byte of it: what is wrong with it, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from penapp.record.listing import SessionEntry, count, session_entry
from penapp.record.reader import SessionReader
from penapp.record.tally import SessionCounts


@dataclass(frozen=True, slots=True)
class Checked:
    """findings: what cannot be read or does not agree; empty when the session is whole."""

    entry: SessionEntry
    findings: tuple[str, ...]


def check_session(path: Path) -> Checked:
    """Reads the whole file. Raises `BadInputError` if it cannot be opened or is no MCAP file."""
    with SessionReader(path) as reader:
        counts = count(reader)
        report, malformed = reader.report, reader.malformed
    entry = session_entry(path)
    findings = [
        f"{behind - first} bytes from offset {first} on cannot be read" for first, behind in report.damaged
    ]
    if malformed:
        findings.append(f"{malformed} messages do not fit their schema")
    if counts is None:
        findings.append("nothing in it says which pen it was")
    if not report.closed:
        findings.append("the file was never closed")
    elif counts is not None and _signal(counts) != _signal(entry.counts):
        findings.append(f"it states {_signal(entry.counts)}, it holds {_signal(counts)}")
    return Checked(replace(entry, counts=counts) if counts is not None else entry, tuple(findings))


def _signal(counts: SessionCounts) -> str:
    return f"{counts.frames} frames with {counts.samples} samples, {counts.lost} lost"
