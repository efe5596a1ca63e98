"""Byte layouts with names: what the codecs pack, the specification prints and the C header defines."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_LETTERS = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "f32": "f", "pad": "x", "bytes": "s"}


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a record: kind as in README.md (`u16`, `i8[9]`, `pad`), name ("" for padding), meaning."""

    kind: str
    name: str
    meaning: str = ""

    @property
    def code(self) -> str:
        """The `struct` code of this kind."""
        match = re.fullmatch(r"([a-z]+\d*)(?:\[(\d+)\])?", self.kind)
        if match is None or match[1] not in _LETTERS:
            raise ValueError(f"field kind {self.kind!r} is unknown, expected one of {', '.join(_LETTERS)}.")
        return (match[2] or "") + _LETTERS[match[1]]


@dataclass(frozen=True)
class Layout:
    """A little-endian record of fixed size without gaps; `struct` packs its named fields in order."""

    name: str
    fields: tuple[Field, ...]
    struct: struct.Struct = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        packer = struct.Struct("<" + "".join(f.code for f in self.fields))
        object.__setattr__(self, "struct", packer)

    def offsets(self) -> Iterator[tuple[int, Field]]:
        """Each field with its offset in bytes."""
        at = 0
        for place in self.fields:
            yield at, place
            at += struct.calcsize("<" + place.code)


FRAME_HEADER = Layout(
    "frame",
    (
        Field("u8", "ver", "1; a frame with a right check sum and another number is refused and named"),
        Field("u8", "type", "see below; a frame of an unknown type is skipped"),
        Field(
            "u16",
            "seq",
            "counted for each type and stream, wraps; given when the frame leaves the pen's queue, "
            "so a gap = lost on the link",
        ),
        Field("u8", "stream", "which stream of the descriptor (0 in frames that carry no samples)"),
        Field("u8", "n", "samples in a DATA frame, at least 1; 0 in every other frame"),
        Field("u16", "flags", "see below; unknown bits are ignored"),
        Field(
            "u32",
            "index",
            "number of the first sample; counts samples **taken**, also those never sent, "
            "so the length of a gap is exact",
        ),
        Field(
            "u32",
            "t_us",
            "device microseconds of the first sample, low 32 bits (wraps each 71.6 min; "
            "the host unwraps with the index)",
        ),
    ),
)

DESCRIPTOR_HEADER = Layout(
    "descriptor",
    (
        Field("bytes[4]", "magic", "`PENA`"),
        Field("u8", "ver", "1"),
        Field("u8", "n_streams"),
        Field("u8", "n_mounts"),
        Field("pad", "", "0"),
        Field("u16", "length", "of the whole descriptor, TLV area included"),
        Field("u16", "hw_id", "which board"),
        Field("bytes[8]", "device_id", "never changes"),
        Field("u8", "fw_major", "firmware version"),
        Field("u8", "fw_minor"),
        Field("u16", "fw_patch"),
        Field("u32", "boot_id", "random at each start: a new one means a new clock"),
        Field("u32", "clock_hz", "resolution of the clock behind `t_us`"),
        Field("u32", "schema_hash", "see below; echoed in START"),
    ),
)

STREAM_RECORD = Layout(
    "stream",
    (
        Field("u8", "id"),
        Field("u8", "n_channels"),
        Field("u8", "sample_bytes", "2 x n_channels"),
        Field("pad", "", "0"),
        Field("u32", "rate_mhz", "thousandths of a hertz"),
        Field("u32", "min_rate_mhz"),
        Field("u32", "max_rate_mhz"),
    ),
)

CHANNEL_RECORD = Layout(
    "channel",
    (
        Field("u8", "quantity", "see below"),
        Field("u8", "axis", "0, 1, 2 = x, y, z; 0 for a quantity without direction"),
        Field("u8", "type", "1 = i16"),
        Field("u8", "unit", "see below"),
        Field("f32", "scale", "unit per count"),
        Field("f32", "offset", "in `unit`"),
        Field("f32", "full_scale", "largest magnitude, in `unit`"),
        Field("u16", "model", "sensor part, see below"),
        Field("pad[2]", "", "0"),
    ),
)

MOUNT_RECORD = Layout(
    "mount",
    (
        Field("u8", "quantity", "which sensor"),
        Field("i8[9]", "axis_map", "3 x 3, row by row"),
        Field("i16[3]", "lever_arm", "x, y, z in 0.1 mm"),
    ),
)

LAYOUTS = (FRAME_HEADER, DESCRIPTOR_HEADER, STREAM_RECORD, CHANNEL_RECORD, MOUNT_RECORD)
