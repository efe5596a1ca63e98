"""A session file as a recording that `ReplaySource` and `penapp decode` play like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.framing import Frame, FrameType
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.errors import BadInputError
from penapp.record.reader import RecordedFrame, SessionReader

PLAYED = (FrameType.DATA, FrameType.RSP)


class SessionRecording:
    """A session file, opened for replay: a `RecordedStream`.

    Raises `BadInputError` if the file cannot be read or does not say which pen it was.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._reader = SessionReader(path)
        head = self._reader.head
        if head is None:
            self._reader.close()
            raise BadInputError(
                f"{path} was cut short (or damaged) before it says which pen it was recorded with.",
                advice="Record again.",
            )
        self.descriptor: Descriptor = head.descriptor
        self.wall_offset_ns = head.monotonic_offset_ns
        self._frames = 0

    @property
    def total_bytes(self) -> int:
        return self._reader.total_bytes

    @property
    def read_bytes(self) -> int:
        return self._reader.read_bytes

    @property
    def counters(self) -> LinkCounters:
        """damaged_frames: messages and stretches of the file that could not be read."""
        report = self._reader.report
        damaged = len(report.damaged) + self._reader.malformed
        return LinkCounters(self.read_bytes, self._frames, damaged)

    def frames(self) -> Iterator[list[Frame]]:
        """DATA frames and the pen's answers (a later descriptor), in the chunks of the file."""
        for batch in self.arrivals():
            yield [arrived.frame for arrived in batch]

    def arrivals(self) -> Iterator[list[ArrivedFrame]]:
        """The same with the moment each arrived, on the monotonic clock of the host that recorded it."""
        for items in self._reader.batches():
            batch = [
                ArrivedFrame(item.frame, item.arrival_ns - self.wall_offset_ns)
                for item in items
                if isinstance(item, RecordedFrame) and item.frame.type in PLAYED
            ]
            self._frames += len(batch)
            if batch:
                yield batch

    def close(self) -> None:
        self._reader.close()
