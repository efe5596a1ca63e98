"""Recorded streams (`*.pen`): the serial bytes verbatim, first the answer to HELLO, then DATA frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.errors import ProtocolError
from firmware_protocol.framing import VERSION, Frame, FrameDecoder, FrameType, encode_frame, to_serial
from firmware_protocol.messages import Op, Response, Status, parse_response, response_frame
from penapp.device.diagnosis import shown
from penapp.device.errors import ProtocolVersionError, RecordingError
from penapp.device.source import LinkCounters
from penapp.errors import BadInputError

READ_BYTES = 1 << 16
SUFFIX = ".pen"


class StreamWriter:
    """Appends frames to a new file. Nothing is buffered here: what was appended survives a killed program."""

    def __init__(self, path: Path, descriptor: Descriptor) -> None:
        self.path = path
        self.written_bytes = 0
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

    def frames(self) -> Iterator[list[Frame]]:
        """DATA frames, and RSP frames that hold a later descriptor, in batches of one read."""
        if self._early:
            yield self._early
        while raw := self._read():
            yield _wanted(self.decoder.feed(raw))
        yield _wanted(self.decoder.finish())

    def close(self) -> None:
        self._file.close()

    def _find_descriptor(self) -> tuple[Descriptor, list[Frame]]:
        if not self.total_bytes:
            raise BadInputError(f"{self.path} is empty.", advice="Record again.")
        first = b""
        while raw := self._read():
            first = first or raw[:16]
            frames = _wanted(self.decoder.feed(raw))
            for position, frame in enumerate(frames):
                if frame.type is FrameType.RSP:
                    return hello_descriptor(frame), frames[position + 1 :]
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


def hello_descriptor(frame: Frame) -> Descriptor:
    """The descriptor in a recorded answer to HELLO; raises `ProtocolError`."""
    return Descriptor.decode(parse_response(frame).data)


def _wanted(frames: Iterable[Frame]) -> list[Frame]:
    return [f for f in frames if f.type is FrameType.DATA or _is_hello(f)]


def _is_hello(frame: Frame) -> bool:
    if frame.type is not FrameType.RSP:
        return False
    try:
        response = parse_response(frame)
        Descriptor.decode(response.data)
    except ProtocolError:
        return False
    return response.op == Op.HELLO and response.ok


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise BadInputError(f"{path} cannot be opened: {error.strerror}.") from error
