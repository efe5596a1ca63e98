"""Pickles and .npy files of other people, read without running anything that is in them.

A pickle is a program: it may call whatever it names (Python library reference, module pickle). This reader
knows numbers, text, lists, tuples, dicts and numpy arrays of them, and refuses every other name.
"""

from __future__ import annotations

import pickle
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from models.training.archives.pickled import (
    Global,
    PickledArray,
    PickledScalar,
    PickledType,
    RefusedError,
    encoded,
    frombuffer,
    no_bytes,
)
from penapp.errors import BadInputError

MAX_DEPTH = 12
"""Lists in lists: recordings need three."""

_ARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")

_CALLS: dict[tuple[str, str], Callable[..., object]] = {
    **{(module, "_reconstruct"): PickledArray for module in _ARRAYS},
    **{(module, "scalar"): PickledScalar for module in _ARRAYS},
    **{(module, "_frombuffer"): frombuffer for module in _NUMERIC},
    ("numpy", "ndarray"): PickledArray,
    ("numpy", "dtype"): PickledType,
    ("_codecs", "encode"): encoded,
    ("__builtin__", "bytes"): no_bytes,
    ("builtins", "bytes"): no_bytes,
}

_DAMAGE = (
    OSError,
    EOFError,
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ImportError,
    ArithmeticError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a truncated or damaged file ends in."""


def load_pickle(file: BinaryIO, name: str) -> object:
    """What the pickle holds: numbers, text, lists, tuples, dicts, numpy arrays; arrays keep their dtype.

    Text of Python 2 is read as latin-1. BadInputError names the file and the refused global.
    """
    with _named(name):
        return _Plain()(_NumbersOnly(file, fix_imports=False, encoding="latin1").load())


def load_npy(file: BinaryIO, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """The array of a .npy file; arrays of objects go through the restricted reader."""
    with _named(name):
        shape, kind = _header(file)
        if not kind.hasobject:
            file.seek(0)
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
        if kind != np.dtype(object):
            raise RefusedError(f"an array has the type {kind}")
        found = load_pickle(file, name)
        if not isinstance(found, np.ndarray):
            raise RefusedError(f"it holds {type(found).__name__} in place of an array")
        return found.reshape(shape)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, kind = np.lib.format.read_array_header_2_0(file)
    else:
        raise RefusedError(f"it has the .npy version {version}")
    return shape, kind


class _NumbersOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Global:
        call = _CALLS.get((module, name))
        if call is None:
            raise RefusedError(f"it asks for {module}.{name}, which no recording needs; nothing was run")
        return Global(f"{module}.{name}", call)


class _Plain:
    """Inert objects replaced by arrays and numbers; what occurs twice is made once."""

    def __init__(self) -> None:
        self._made: dict[int, object] = {}

    def __call__(self, found: object, depth: int = 0) -> object:
        match found:
            case bool() | int() | float() | str() | None:
                return found
            case PickledScalar():
                return found.made()
            case PickledArray() | list() | tuple() | dict():
                if id(found) not in self._made:
                    self._made[id(found)] = self._container(found, depth + 1)
                return self._made[id(found)]
        raise RefusedError(f"it holds {type(found).__name__}, expected numbers, text, lists or arrays")

    def _container(
        self,
        found: PickledArray | list[object] | tuple[object, ...] | dict[object, object],
        depth: int,
    ) -> object:
        if depth > MAX_DEPTH:  # a list that holds itself ends here too
            raise RefusedError(f"it is nested more than {MAX_DEPTH} deep")
        match found:
            case PickledArray():
                return found.made(lambda item: self(item, depth))
            case list():
                return [self(item, depth) for item in found]
            case tuple():
                return tuple(self(item, depth) for item in found)
            case dict():
                return {_key(key): self(item, depth) for key, item in found.items()}


def _key(found: object) -> int | float | str:
    key = found.made() if isinstance(found, PickledScalar) else found
    if not isinstance(key, int | float | str):
        raise RefusedError(f"a dict has a key of type {type(key).__name__}")
    return key


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Every way in which reading can fail becomes one error with the file's name."""
    try:
        yield
    except RefusedError as error:
        raise BadInputError(
            f"{name} was refused: {error}.", advice="Expected lists and arrays of numbers; get the file anew."
        ) from error
    except _DAMAGE as error:
        why = str(error) or type(error).__name__
        raise BadInputError(
            f"{name} cannot be read: {why}.", advice="The file is damaged or cut short; get it anew."
        ) from error
