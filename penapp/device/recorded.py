"""Anything recorded that can be played: our own streams, and what other pens left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.framing import Frame
from penapp.device.recording import Recording
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.device.stabilo import SENSORS, StabiloRecording
from penapp.errors import BadInputError

SESSION_MAGIC = b"\x89MCAP0\r\n"


class RecordedStream(Protocol):
    """A recording opened for reading: who wrote it, and its frames in order. `close` may come twice.

    counters:                what was read so far; damaged_frames also counts lines that were cut short
    read_bytes, total_bytes: how far the reading is
    frames, arrivals:        in batches; arrivals also say when each frame had arrived (0 = not told)
    notes:                   what is guessed or left out, a sentence each; empty for our own recordings
    """

    @property
    def descriptor(self) -> Descriptor: ...

    @property
    def counters(self) -> LinkCounters: ...

    @property
    def read_bytes(self) -> int: ...

    @property
    def total_bytes(self) -> int: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def frames(self) -> Iterator[list[Frame]]: ...

    def arrivals(self) -> Iterator[list[ArrivedFrame]]: ...

    def close(self) -> None: ...


def open_recorded(path: Path) -> RecordedStream:
    """A session or `FILE.pen` (by its content), the folder of a STABILO recording or its .csv.

    Raises `BadInputError` for anything else.
    """
    if path.is_dir():
        return _folder(path)
    if _is_session(path):
        from penapp.record.replay import SessionRecording

        return SessionRecording(path)
    if path.suffix.lower() == ".csv":
        return StabiloRecording(path)
    return Recording(path)


def is_recorded(pen: str) -> bool:
    """Whether `--pen` names a recording: a file or folder that is there, or what must be meant as one."""
    path = Path(pen)
    return path.suffix.lower() in {".pen", ".mcap", ".csv"} or path.is_file() or path.is_dir()


def _is_session(path: Path) -> bool:
    """By its first bytes; a file that is cut short within them, or not there, goes by its name."""
    try:
        with path.open("rb") as file:
            first = file.read(len(SESSION_MAGIC))
    except OSError:
        first = b""
    return first == SESSION_MAGIC or (len(first) < len(SESSION_MAGIC) and path.suffix.lower() == ".mcap")


def _folder(path: Path) -> StabiloRecording:
    if (path / SENSORS).is_file():
        return StabiloRecording(path)
    inside = sorted(found.parent for found in path.glob(f"*/{SENSORS}"))
    if inside:
        raise BadInputError(
            f"{path} holds {len(inside)} recordings, {inside[0].name} the first, expected one.",
            advice=f"Give one of them: {inside[0]}.",
        )
    raise BadInputError(
        f"{path} is a folder without {SENSORS}.",
        advice="Give a recording (FILE.mcap, FILE.pen), "
        f"or the folder of one STABILO recording, with {SENSORS} in it.",
    )
