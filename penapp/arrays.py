"""Reading `.npz` files that others made: whatever is wrong with one becomes one clear error."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from penapp.errors import BadInputError


def array_names(path: Path, kind: str, advice: str) -> list[str]:
    """What the file holds; `kind` says in the error what it should have been."""
    with _archive(path, kind, advice) as archive:
        return list(archive.files)


def read_arrays(path: Path, wanted: Iterable[str], kind: str, advice: str) -> dict[str, NDArray[Any]]:
    """The wanted arrays; BadInputError when the file is missing, damaged, or lacks one of them."""
    with _archive(path, kind, advice) as archive:
        names = list(wanted)
        missing = [name for name in names if name not in archive.files]
        if missing:
            raise BadInputError(f"{path} is not {kind}: it lacks {', '.join(missing)}.", advice=advice)
        return {name: archive[name] for name in names}


@contextmanager
def _archive(path: Path, kind: str, advice: str) -> Iterator[NpzFile]:
    """Arrays of Python objects are refused: reading them would run code from the file."""
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise BadInputError(
                    f"{path} is not {kind}: it is no .npz file, or was cut short.", advice=advice
                )
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                yield archive
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BadInputError(f"{path} is not {kind} ({error}).", advice=advice) from error
