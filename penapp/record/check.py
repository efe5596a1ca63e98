"""One session, every byte of it: what is wrong with it, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from mcap import records
from mcap.opcode import Opcode

from penapp.record.container import encoded
from penapp.record.listing import SessionEntry, count, session_entry
from penapp.record.reader import SessionReader
from penapp.record.reindex import Reindexer
from penapp.record.scan import Found, Scan
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
    index_fits = _index_fits(path)
    findings = [
        f"{behind - first} bytes from offset {first} on cannot be read" for first, behind in report.damaged
    ]
    if malformed:
        findings.append(f"{malformed} messages do not fit their schema")
    if counts is None:
        findings.append("nothing in it says which pen it was")
    if report.closed and not report.damaged and not index_fits:
        findings.append("its index does not fit what is in it")
    if not report.closed:
        findings.append("the file was never closed")
    elif counts is not None and _signal(counts) != _signal(entry.counts):
        findings.append(f"it states {_signal(entry.counts)}, it holds {_signal(counts)}")
    return Checked(replace(entry, counts=counts) if counts is not None else entry, tuple(findings))


def _index_fits(path: Path) -> bool:
    """Whether the message indexes and the summary are those that the records of the file make."""
    with path.open("rb") as file:
        scan, reindexer = Scan(file), Reindexer()
        expected, stated = b"", b""
        for found in scan:
            if found.opcode == Opcode.MESSAGE_INDEX:
                stated += found.raw
                continue
            if stated != expected:
                return False
            if found.opcode == Opcode.CHUNK and not _states_itself(file, found):
                return False
            expected, stated = reindexer.push(found, found.offset)[len(found.raw) :], b""
        end = scan.report.records_end
        file.seek(end)
        return stated == expected and file.read() == reindexer.index.closing(end)


def _states_itself(file: BinaryIO, found: Found) -> bool:
    """Whether a chunk's length and times are those of what is in it."""
    chunk = records.Chunk.read(found.body)
    chunk.message_start_time = min((message.log_ns for message in found.messages), default=0)
    chunk.message_end_time = max((message.log_ns for message in found.messages), default=0)
    file.seek(found.offset)
    return file.read(len(found.raw)) == encoded(chunk)


def _signal(counts: SessionCounts) -> str:
    return f"{counts.frames} frames with {counts.samples} samples, {counts.lost} lost"
