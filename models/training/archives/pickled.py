"""What a pickle of numbers says about numpy, kept as plain words until it has been checked.

Nothing of numpy runs while a pickle is read: the names it asks for become the inert objects below, and arrays
are made afterwards, from bytes whose length fits their shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

PLAIN_KINDS = "biufSU"
"""Truth values, integers, floats, text of fixed width: dtypes that hold no pointer."""


class RefusedError(Exception):
    """A pickle asks for something that recordings and labels do not need."""


class Global:
    """A name that a pickle may call; it has no attribute that the pickle could set."""

    __slots__ = ("_call", "_name")

    def __init__(self, name: str, call: Callable[..., object]) -> None:
        self._name, self._call = name, call

    def __call__(self, *arguments: object) -> object:
        return self._call(*arguments)

    def __setstate__(self, state: object) -> None:
        raise RefusedError(f"it changes {self._name}")


class PickledType:
    """A dtype as the pickle spells it: "f8" and a byte order."""

    __slots__ = ("_order", "_text")

    def __init__(self, text: object, *_: object) -> None:
        self._text, self._order = text, "="

    def __setstate__(self, state: object) -> None:
        """(version, byte order, no sub-type, no names, no fields, …): sizes and flags are not believed."""
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise RefusedError("an array type has fields or is damaged")
        self._order = _text(state[1])

    def made(self) -> np.dtype[np.generic]:
        """The dtype; RefusedError unless it is plain numbers, text or object."""
        text = _text(self._text)
        if text in ("O", "O8", "O4", "object"):
            return np.dtype(object)
        try:
            found = np.dtype(text)
        except (TypeError, ValueError, SyntaxError) as error:
            raise RefusedError(f"an array has the type {text!r}") from error
        if found.kind not in PLAIN_KINDS or found.hasobject or found.subdtype is not None:
            raise RefusedError(f"an array has the type {text!r}")
        if self._order == ">":
            return found.newbyteorder(">")
        return found.newbyteorder("<") if self._order == "<" else found


class PickledArray:
    """An array as the pickle spells it: shape, dtype, order and raw bytes (or a list of objects)."""

    __slots__ = ("_axes", "_fortran", "_kind", "_raw", "_shape")

    def __init__(self, *_: object) -> None:
        self._kind, self._shape, self._raw = PickledType("f8"), (0,), b""
        self._fortran, self._axes = False, None

    _kind: PickledType
    _shape: object
    _raw: object
    _fortran: bool
    _axes: object

    def __setstate__(self, state: object) -> None:
        """(version, shape, dtype, Fortran order, content), the oldest without version."""
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise RefusedError("an array is damaged")
        shape, kind, fortran, raw = state[-4:]
        self.fill(shape, kind, raw, fortran=bool(fortran))

    def fill(self, shape: object, kind: object, raw: object, *, fortran: bool, axes: object = None) -> None:
        if not isinstance(kind, PickledType):
            raise RefusedError("an array has no type")
        self._shape, self._kind, self._raw, self._fortran, self._axes = shape, kind, raw, fortran, axes

    def made(self, plain: Callable[[object], object]) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
        """The array; `plain` makes the objects of an object array."""
        kind, shape = self._kind.made(), _shape(self._shape)
        if kind.hasobject:
            return self._of_objects(shape, plain)
        raw = _bytes(self._raw)
        if len(raw) != math.prod(shape) * kind.itemsize:
            raise RefusedError(f"an array of shape {shape} and type {kind.str} holds {len(raw)} bytes")
        flat = np.frombuffer(raw, kind) if raw else np.empty(0, kind)
        whole = flat.reshape(shape, order="F" if self._fortran else "C")
        return whole if self._axes is None else whole.transpose(_shape(self._axes))

    def _of_objects(
        self, shape: tuple[int, ...], plain: Callable[[object], object]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
        if not isinstance(self._raw, list) or len(self._raw) != math.prod(shape):
            raise RefusedError(f"an array of {math.prod(shape)} objects does not hold as many")
        flat = np.empty(len(self._raw), dtype=object)
        for i, item in enumerate(self._raw):
            flat[i] = plain(item)
        return flat.reshape(shape, order="F" if self._fortran else "C")


class PickledScalar:
    """One number as the pickle spells it: dtype and raw bytes."""

    __slots__ = ("_kind", "_raw")

    def __init__(self, kind: object, raw: object = b"") -> None:
        self._kind, self._raw = kind, raw

    def __setstate__(self, state: object) -> None:
        raise RefusedError("it changes a number")

    def made(self) -> int | float | str | bool:
        if not isinstance(self._kind, PickledType):
            raise RefusedError("a number has no type")
        kind, raw = self._kind.made(), _bytes(self._raw)
        if kind.hasobject or len(raw) != kind.itemsize:
            raise RefusedError(f"a number of type {kind.str} holds {len(raw)} bytes")
        value = np.frombuffer(raw, kind)[0].item() if raw else ""
        return value.decode("latin-1") if isinstance(value, bytes) else value


def frombuffer(raw: object, kind: object, shape: object, order: object, axes: object = None) -> PickledArray:
    """An array as pickle protocol 5 spells it."""
    array = PickledArray()
    array.fill(shape, kind, raw, fortran=order == "F", axes=axes)
    return array


def encoded(text: object, encoding: object = "latin1") -> bytes:
    """Bytes as pickle protocol 2 spells them."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise RefusedError(f"it encodes to {encoding!r}")
    return text.encode("latin-1")


def no_bytes(*arguments: object) -> bytes:
    """No bytes at all as pickle protocols 0 to 2 spell them: the content of an empty array."""
    if arguments:
        raise RefusedError("it makes bytes of something")
    return b""


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str) or len(value) > 16:
        raise RefusedError(f"an array type is named {value!r:.40}")
    return value


def _bytes(raw: object) -> bytes:
    if isinstance(raw, str):  # Python 2, read as latin-1
        return raw.encode("latin-1")
    if not isinstance(raw, bytes | bytearray):
        raise RefusedError(f"an array holds {type(raw).__name__} in place of bytes")
    return bytes(raw)


def _shape(shape: object) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or len(shape) > 8:
        raise RefusedError("an array has no shape")
    sizes = tuple(n for n in shape if isinstance(n, int) and 0 <= n < 2**40)
    if len(sizes) != len(shape):
        raise RefusedError(f"an array has the shape {shape}")
    return sizes
