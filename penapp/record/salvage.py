"""Files that were never closed (the program was killed, the power went) become clean ones.

The repaired file holds every record that can be read, byte for byte, and as attachments the bytes that
cannot: all that the broken one did. It is written beside it, read back and compared, and only then takes its
name, in one step: nothing is ever deleted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

from mcap import records
from mcap.opcode import Opcode

from penapp.device.errors import RecordingError
from penapp.errors import BadInputError, PenappError
from penapp.record.container import CLOSING_BYTES, MAGIC, FileIndex, encoded, is_closing
from penapp.record.head import RECOVERED, SUMMARY, Metadata, checked
from penapp.record.layout import SUFFIX
from penapp.record.listing import counted
from penapp.record.out_file import FileInUseError, OutFile, lock, sync_folder
from penapp.record.reindex import Reindexer
from penapp.record.scan import Message, Scan, ScanReport

log = logging.getLogger(__name__)

PARTIAL = ".repairing"
UNREADABLE = "unreadable bytes"
MAX_UNREADABLE_BYTES = 64 << 20
"""More than this at one place is no torn tail; such a file is left alone."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of one unclosed file.

    recovered:        it is a clean session file now; False: it was left as it is, `reason` says why
    messages, chunks: in the repaired file; unreadable_bytes: kept in it as attachments
    """

    path: Path
    recovered: bool
    reason: str = ""
    messages: int = 0
    chunks: int = 0
    damaged_chunks: int = 0
    unreadable_bytes: int = 0


def salvage(folder: Path) -> list[Salvaged]:
    """Repair every unclosed session of a folder; those that are being recorded just now are not touched."""
    if not folder.is_dir():
        return []
    return [
        repair(path) for path in sorted(folder.glob(f"*{SUFFIX}")) if path.is_file() and not is_closed(path)
    ]


def is_closed(path: Path) -> bool:
    """Whether a file ends as a closed MCAP file does. A file that cannot be opened counts as closed."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - CLOSING_BYTES))
            return is_closing(file.read())
    except OSError:
        return True


def repair(path: Path) -> Salvaged:
    """Repair one unclosed file; never raises because of what is in it."""
    target = path.with_name(path.name + PARTIAL)
    try:
        with path.open("r+b") as broken:
            lock(broken.fileno(), path)
            target.unlink(missing_ok=True)
            done = _rewritten(path, broken, target)
        if done.recovered:
            _verify(path, target)
            target.replace(path)
            sync_folder(path.parent)
    except FileInUseError:
        return Salvaged(path, recovered=False, reason="it is being recorded just now")
    except (OSError, PenappError) as error:
        target.unlink(missing_ok=True)
        return Salvaged(path, recovered=False, reason=str(error))
    log.info("recovered path=%s messages=%d unreadable=%d", path, done.messages, done.unreadable_bytes)
    return done


def _rewritten(path: Path, broken: BinaryIO, target: Path) -> Salvaged:
    scan = Scan(broken)
    out = OutFile(target)
    try:
        reindexer = Reindexer()
        index = reindexer.index
        out.write(MAGIC)
        for found in scan:
            out.write(reindexer.push(found, out.size))
        if not index.chunk_count and not index.metadata:
            target.unlink()
            return Salvaged(path, recovered=False, reason="nothing in it can be read")
        _keep_unreadable(broken, scan.report, out, index)
        _note_recovery(path, scan.report, out, index)
        out.write(index.closing(out.size))
        out.sync()
    finally:
        out.close()
    report = scan.report
    return Salvaged(
        path,
        recovered=True,
        messages=index.counts.total(),
        chunks=index.chunk_count,
        damaged_chunks=report.damaged_chunks,
        unreadable_bytes=report.unreadable_bytes,
    )


def _keep_unreadable(broken: BinaryIO, report: ScanReport, out: OutFile, index: FileIndex) -> None:
    for first, behind in report.damaged:
        if behind - first > MAX_UNREADABLE_BYTES:
            raise BadInputError(
                f"{behind - first} bytes from offset {first} on cannot be read; "
                "this is no recording that was cut short.",
                advice="The file is left as it is.",
            )
        broken.seek(first)
        raw = broken.read(behind - first)
        if _says_nothing(raw, torn=behind == report.size):
            continue
        now_ns = time.time_ns()
        attachment = records.Attachment(
            now_ns, now_ns, f"{UNREADABLE} from offset {first}", "application/octet-stream", raw
        )
        record = encoded(attachment)
        index.add_attachment(out.size, len(record), attachment)
        out.write(record)


def _says_nothing(raw: bytes, *, torn: bool) -> bool:
    """Zeros, or an index that was cut short: it is made anew."""
    return not raw.strip(b"\x00") or (torn and raw[0] == Opcode.MESSAGE_INDEX)


def _note_recovery(path: Path, report: ScanReport, out: OutFile, index: FileIndex) -> None:
    counts = counted(path)
    if counts is not None:
        _note(SUMMARY, {name: str(value) for name, value in asdict(counts).items()}, out, index)
    values = {
        "at_ns": str(time.time_ns()),
        "size_before": str(report.size),
        "damaged_chunks": str(report.damaged_chunks),
        "unreadable_bytes": str(report.unreadable_bytes),
    }
    _note(RECOVERED, values, out, index)


def _note(name: str, values: Metadata, out: OutFile, index: FileIndex) -> None:
    raw = encoded(records.Metadata(name, checked(values)))
    index.add_metadata(out.size, len(raw), name)
    out.write(raw)


def _verify(path: Path, target: Path) -> None:
    """The repaired file is closed, undamaged, and says the same as the broken one, message for message."""
    with path.open("rb") as broken, target.open("rb") as repaired:
        before, after = Scan(broken), Scan(repaired)
        same = all(a == b for a, b in zip_longest(_messages(before), _messages(after)))
        if not same or not after.report.closed or after.report.damaged:
            raise RecordingError(
                f"{path} could not be repaired: what was written is not what was read.",
                advice="The file is left as it is. Check the disk.",
            )


def _messages(scan: Scan) -> Iterator[tuple[Message, ...]]:
    return (found.messages for found in scan if found.messages)
