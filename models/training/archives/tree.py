"""The files of an archive, whether it was unpacked or is still a .zip."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from penapp.errors import BadInputError

_ADVICE = "The file is damaged or cut short; get it anew."


class Tree:
    """Names relative to the root, with "/", sorted; hidden files and the extras of macOS are left out."""

    def __init__(self, root: Path, names: list[str], packed: zipfile.ZipFile | None) -> None:
        self.root, self._packed = root, packed
        self.names = tuple(sorted(name for name in names if not _is_litter(name)))
        self._known = frozenset(self.names)

    def parts(self, name: str) -> tuple[str, ...]:
        """The folders that hold a file and the file; first the .zip, or the root and the folder above it."""
        above = (self.root.stem,) if self._packed else self.root.parts[-2:]
        return (*above, *name.split("/"))

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def place(self, name: str) -> str:
        """How errors name a file."""
        return f"{self.root}{':' if self._packed else '/'}{name}"

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """The file, to be read from its beginning; BadInputError when it is missing or damaged."""
        if name not in self._known:
            raise BadInputError(f"{self.place(name)} is missing.", advice="Unpack the archive anew.")
        try:
            with self._packed.open(name) if self._packed else (self.root / name).open("rb") as file:
                yield cast("BinaryIO", file)
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise BadInputError(f"{self.place(name)} cannot be read: {error}.", advice=_ADVICE) from error

    def text(self, name: str) -> str:
        """A text file, with or without byte order mark."""
        with self.open(name) as file:
            raw = file.read()
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInputError(f"{self.place(name)} is no text: {error}.", advice=_ADVICE) from error


@contextmanager
def open_tree(path: Path) -> Iterator[Tree]:
    """The files of a folder or of a .zip."""
    if path.is_dir():
        yield Tree(path.resolve(), list(_files_below(path)), None)
        return
    try:
        packed = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadInputError(
            f"{path} is neither a folder nor a .zip ({error}).",
            advice="Name the archive as it was published, or the folder it was unpacked to.",
        ) from error
    with packed:
        yield Tree(path.resolve(), [i.filename for i in packed.infolist() if not i.is_dir()], packed)


def _files_below(path: Path) -> Iterator[str]:
    for folder, _, files in os.walk(path):
        place = Path(folder).relative_to(path)
        yield from ((place / file).as_posix() for file in files)


def _is_litter(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
