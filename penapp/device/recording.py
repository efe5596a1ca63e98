"""Recorded streams (`*.pen`): the serial bytes verbatim, first the answer to HELLO, then what came."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.framing import VERSION, Frame, FrameDecoder, FrameType, encode_frame, to_serial
from firmware_protocol.messages import ArrivalMark, Op, Response, Status, arrival_frame, response_frame
from penapp.device.arrivals import ArrivalReader, hello_descriptor, is_hello
from penapp.device.diagnosis import shown
from penapp.device.errors import ProtocolVersionError, RecordingError
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.errors import BadInputError

READ_BYTES = 1 << 16
SUFFIX = ".pen"
FRESH_NS = 10_000_000_000
"""Older arrivals are those of a recording that is copied: our wall clock says nothing about them."""


class StreamWriter:
    """Appends frames to a new file. Nothing is buffered here: what was appended survives a killed program."""

    def __init__(self, path: Path, descriptor: Descriptor) -> None:
        self.path = path
        self.written_bytes = 0
        self._marks = 0
        self._wall_due = True
        try:
            self._file: BinaryIO = path.open("xb", buffering=0)
        except FileExistsError as error:
            raise BadInputError(
                f"{path} is already there, a recording needs a new file.", advice="Choose another name."
            ) from error
        except OSError as error:
            raise RecordingError(
                f"the recording {path} cannot be created: {error.strerror}.",
                advice="Choose another folder or name.",
            ) from error
        hello = Response(Op.HELLO, 0, Status.OK, descriptor.encode())
        self.append([response_frame(hello)])

    def append_arrived(self, batch: Sequence[ArrivedFrame]) -> None:
        """The same with the arrival times; frames without one (0) are written as they are."""
        frames: list[Frame] = []
        for arrival_ns, group in groupby(batch, key=lambda arrived: arrived.arrival_ns):
            together = [arrived.frame for arrived in group]
            if arrival_ns:
                frames.append(self._mark(arrival_ns, len(together)))
            frames += together
            self._wall_due = self._wall_due or any(f.type is FrameType.RSP and is_hello(f) for f in together)
        self.append(frames)

    def append(self, frames: Iterable[Frame]) -> None:
        """All of them, or a `RecordingError` that says how far the file is good."""
        raw = b"".join(to_serial(encode_frame(frame)) for frame in frames)
        try:
            while raw:
                taken = self._file.write(raw) or 0
                self.written_bytes += taken
                raw = raw[taken:]
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        self._file.close()

    def _mark(self, arrival_ns: int, frames: int) -> Frame:
        """The wall clock stands behind each answer to HELLO; frames of another day have none."""
        age_ns = time.perf_counter_ns() - arrival_ns
        fresh = 0 <= age_ns < FRESH_NS
        wall_ns = time.time_ns() - age_ns if self._wall_due and fresh else None
        self._wall_due = False
        self._marks += 1
        return arrival_frame(ArrivalMark(arrival_ns, frames, wall_ns), self._marks - 1)

    def _failed(self, error: OSError) -> RecordingError:
        return RecordingError(
            f"the recording {self.path} stops after {self.written_bytes} bytes: {error.strerror}.",
            advice="Free some space or choose another folder; what is in the file stays.",
        )


class Recording:
    """A recorded stream, opened for reading: who wrote it, and its frames in order.

    Damaged stretches are skipped and counted; a torn tail loses only itself. Raises `BadInputError` if the
    file cannot be read or holds no descriptor, `ProtocolVersionError` if its frames are of another version.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decoder = FrameDecoder()
        self.read_bytes = 0
        self._arrivals = ArrivalReader()
        self._file = _opened(path)
        try:
            self.total_bytes = path.stat().st_size
            self.descriptor, self._early = self._find_descriptor()
        except BaseException:
            self._file.close()
            raise

    @property
    def counters(self) -> LinkCounters:
        seen = self.decoder.counters
        return LinkCounters(self.read_bytes, seen.accepted, seen.damaged, seen.foreign_version)

    def arrivals(self) -> Iterator[list[ArrivedFrame]]:
        """DATA frames, later descriptors and answers to TIME_SYNC, in batches of one read.

        arrival_ns is 0 where the recording does not tell it.
        """
        if self._early:
            yield self._early
        while raw := self._read():
            yield self._arrivals.wanted(self.decoder.feed(raw))
        yield self._arrivals.wanted(self.decoder.finish())

    def frames(self) -> Iterator[list[Frame]]:
        """The same without the arrivals."""
        for batch in self.arrivals():
            yield [arrived.frame for arrived in batch]

    @property
    def wall_offset_ns(self) -> int | None:
        """Wall clock (ns since 1970-01-01 UTC) minus `arrival_ns`, as far as read; None if it is not told."""
        return self._arrivals.wall_offset_ns

    def close(self) -> None:
        self._file.close()

    def _find_descriptor(self) -> tuple[Descriptor, list[ArrivedFrame]]:
        if not self.total_bytes:
            raise BadInputError(f"{self.path} is empty.", advice="Record again.")
        first = b""
        while raw := self._read():
            first = first or raw[:16]
            arrived = self._arrivals.wanted(self.decoder.feed(raw))
            for position, candidate in enumerate(arrived):
                if is_hello(candidate.frame):
                    return hello_descriptor(candidate.frame), arrived[position + 1 :]
        raise self._no_descriptor(first)

    def _read(self) -> bytes:
        try:
            raw = self._file.read(READ_BYTES)
        except OSError as error:
            raise BadInputError(f"{self.path} cannot be read: {error.strerror}.") from error
        self.read_bytes += len(raw)
        return raw

    def _no_descriptor(self, first: bytes) -> BadInputError | ProtocolVersionError:
        seen = self.decoder.counters
        if seen.foreign_version and not seen.accepted:
            return ProtocolVersionError(
                f"{self.path} was recorded with protocol version {seen.last_foreign_version}, "
                f"this build reads {VERSION}.",
                advice="Open it with the version of penapp that recorded it.",
            )
        if seen.accepted:
            return BadInputError(
                f"{self.path} holds {seen.accepted} frames but no description of the pen.",
                advice="Record again.",
            )
        return BadInputError(
            f"{self.path} is no recording of a pen (or was cut short at once): "
            f"{self.read_bytes} bytes without a valid frame, the first are {shown(first)}.",
            advice="Recordings are made with `penapp live --record FILE.pen`.",
        )


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise BadInputError(f"{path} cannot be opened: {error.strerror}.") from error
