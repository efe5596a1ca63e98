"""A run folder belongs to one training at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penapp.errors import BadInputError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_FILE = "training.lock"
"""Empty; it stays in the folder, only the system's lock on it counts, and that ends with its process."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder; a process that is killed holds nothing any more.

    A file system without locks is told in a line and trained on all the same.

    Raises:
        BadInputError: another training holds the folder
        OSError: the folder is not there or cannot be written
    """
    with (folder / LOCK_FILE).open("ab") as file:
        if not _held(file.fileno(), folder):
            raise BadInputError(
                f"another training is writing {folder}.",
                advice="Wait for it, end it, or choose another folder.",
            )
        try:
            yield
        finally:
            with suppress(OSError):
                _release(file.fileno())


def _held(file: int, folder: Path) -> bool:
    try:
        return _take(file)
    except OSError as error:
        print(f"{folder} cannot be locked ({error.strerror}): let no second training write it")
        return True


if sys.platform == "win32":

    def _take(file: int) -> bool:
        """False when another process has it."""
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _release(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:

    def _take(file: int) -> bool:
        """False when another process has it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
