"""A file that is only ever added to: nothing half-written stays in it, what goes wrong is said at once."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from penapp.device.errors import RecordingError
from penapp.errors import BadInputError

if sys.platform != "win32":
    import fcntl

COPY_BYTES = 1 << 20
KEPT = "Everything up to then is safe in the file."


class FileInUseError(BadInputError):
    """Another program (or another part of this one) is writing this session."""


class OutFile:
    """A new file, open for appending and locked against a second writer. Offsets are bytes from its start."""

    def __init__(self, path: Path, *, existing: bool = False) -> None:
        """A new file, or one that is there (`existing`).

        Raises `BadInputError` if a new one is there already, `FileInUseError`, `RecordingError` otherwise.
        """
        self.path = path
        how = os.O_RDWR if existing else os.O_RDWR | os.O_CREAT | os.O_EXCL
        try:
            self.fd = os.open(path, how | getattr(os, "O_BINARY", 0), 0o644)
        except FileExistsError as error:
            raise BadInputError(
                f"{path} is already there, a recording needs a new file.", advice="Choose another name."
            ) from error
        except OSError as error:
            what = "opened for writing" if existing else "created"
            raise RecordingError(
                f"the recording {path} cannot be {what}: {error.strerror}.",
                advice="Choose another folder or name.",
            ) from error
        try:
            lock(self.fd, path)
        except BaseException:
            os.close(self.fd)
            raise
        self.size = os.fstat(self.fd).st_size

    def write(self, raw: bytes) -> None:
        """All of it at the end of the file, or none of it and a `RecordingError`."""
        view, at = memoryview(raw), self.size
        try:
            os.lseek(self.fd, at, os.SEEK_SET)
            while view:
                view = view[os.write(self.fd, view) :]
        except OSError as error:
            self._cut_back()
            raise self._stops(error) from error
        self.size = at + len(raw)

    def truncate(self, size: int) -> None:
        """What stands behind `size` goes: an index that is about to be written anew."""
        try:
            os.ftruncate(self.fd, size)
        except OSError as error:
            raise self._stops(error) from error
        self.size = size

    def sync(self) -> None:
        """What was written survives a loss of power."""
        try:
            os.fsync(self.fd)
        except OSError as error:
            raise self._stops(error) from error

    def check(self) -> None:
        """`RecordingError` if the file has been removed; what was in it is saved beside it."""
        if sys.platform == "win32" or os.fstat(self.fd).st_nlink:
            return
        raise RecordingError(
            f"the recording {self.path} was removed while it was being written.", advice=self._rescue()
        )

    def close(self) -> None:
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def _rescue(self) -> str:
        """The removed file's contents under a new name; what the person should know of it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            target = free_name(self.path.with_stem(f"{self.path.stem}-rescued"))
            with target.open("xb") as copy, os.fdopen(os.dup(self.fd), "rb") as source:
                source.seek(0)
                shutil.copyfileobj(source, copy, COPY_BYTES)
        except OSError as error:
            return f"What was in it could not be saved either: {error.strerror}. Record again."
        return f"What was recorded up to then is in {target}."

    def _cut_back(self) -> None:
        """A record that did not fit whole leaves nothing behind; if even that fails, a reader skips it."""
        try:
            os.ftruncate(self.fd, self.size)
        except OSError:
            return

    def _stops(self, error: OSError) -> RecordingError:
        return RecordingError(
            f"the recording {self.path} stops after {self.size} bytes: {error.strerror}.",
            advice=f"{KEPT} Free some space or choose another folder, then record anew.",
        )


def lock(fd: int, path: Path) -> None:
    """Ours until it is closed, and gone with a killed program. Windows refuses a second writer by itself."""
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise FileInUseError(
            f"{path} is being recorded or edited just now.", advice="Wait until that has ended."
        ) from error


def sync_folder(folder: Path) -> None:
    """A new or renamed file keeps its name after a loss of power, where the system can promise that."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError:  # some network file systems cannot; the file itself is safe
        return
    finally:
        os.close(fd)


def free_name(path: Path) -> Path:
    """`path`, or the first of path-2, path-3, ... that is not there yet: nothing is ever replaced."""
    number, found = 2, path
    while found.exists():
        found = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return found
