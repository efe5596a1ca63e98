"""Adding labels and notes to a closed session: what is in the file stays, only its index is written anew."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from penapp.errors import BadInputError
from penapp.record.container import ChunkBuilder, FileIndex
from penapp.record.index_file import read_index
from penapp.record.json_form import to_json
from penapp.record.layout import CHANNELS, TOPIC_OF
from penapp.record.out_file import OutFile
from penapp.record.types import SessionRecord

Records = Iterable[SessionRecord]


def add_to_session(path: Path, records: Records, *, at_ns: int | None = None) -> None:
    """Append records to a closed session file; they are on the disk when this returns.

    at_ns: when they were made, ns since 1970, default now. Should the power go in between, the file is an
    unclosed one: salvage repairs it, nothing older is lost. Raises `BadInputError` if the file is not closed
    or is no session, `RecordingError` if it takes no more.
    """
    waiting = list(records)
    if not waiting:
        return
    out = OutFile(path, existing=True)
    try:
        with os.fdopen(os.dup(out.fd), "rb") as file:
            found = read_index(file)
            index, end = _usable(path, found)
        log_ns = time.time_ns() if at_ns is None else at_ns
        _append(out, index, end, waiting, log_ns)
    finally:
        out.close()


def _append(out: OutFile, index: FileIndex, end: int, waiting: list[SessionRecord], log_ns: int) -> None:
    numbers = {channel.topic: number for number, channel in index.channels.items()}
    builder = ChunkBuilder()
    sequence = Counter(index.counts)
    for record in waiting:
        number = numbers[TOPIC_OF[type(record)]]
        builder.add(number, to_json(record), log_ns=log_ns, sequence=sequence[number])
        sequence[number] += 1
    chunk = builder.build()
    out.truncate(end)
    out.write(chunk.raw + chunk.indexes)
    index.add_chunk(end, chunk)
    out.write(index.closing(out.size))
    out.sync()


def _usable(path: Path, found: tuple[FileIndex, int] | None) -> tuple[FileIndex, int]:
    if found is None:
        raise BadInputError(
            f"{path} is no closed session file.",
            advice="`penapp sessions` repairs files that were cut short.",
        )
    topics = {channel.topic for channel in found[0].channels.values()}
    missing = [plan.topic for plan in CHANNELS if plan.topic not in topics]
    if missing:
        raise BadInputError(
            f"{path} has no channel {missing[0]}; it was not recorded by penapp.",
            advice="Only sessions that penapp has recorded or imported can be edited.",
        )
    return found
