"""The capability descriptor: what the pen answers to HELLO, so that a host needs no other knowledge."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from firmware_protocol.codes import known
from firmware_protocol.errors import DescriptorError
from firmware_protocol.layouts import CHANNEL_RECORD, DESCRIPTOR_HEADER, MOUNT_RECORD, STREAM_RECORD
from firmware_protocol.streams import (
    G_M_S2,
    ChannelSpec,
    Mount,
    Quantity,
    SensorModel,
    StreamSpec,
    Unit,
)

MAGIC = b"PENA"
DESCRIPTOR_VERSION = 1
MAX_DESCRIPTOR_BYTES = 512
"""A GATT value holds at most 512 bytes."""

HEADER = DESCRIPTOR_HEADER.struct
STREAM = STREAM_RECORD.struct
CHANNEL = CHANNEL_RECORD.struct
MOUNT = MOUNT_RECORD.struct
TYPE_INT16 = 1
TLV_NAME = 1
MAX_NAME_BYTES = 32


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What the pen is and what it measures.

    device_id: 8 bytes, never changes; boot_id: random at each start (a new one = a new clock)
    firmware:  "major.minor.patch"; clock_hz: resolution of the time stamps' clock
    """

    device_id: bytes
    firmware: str
    hardware_id: int
    boot_id: int
    clock_hz: int
    streams: tuple[StreamSpec, ...]
    mounts: tuple[Mount, ...] = ()
    name: str = ""

    @property
    def schema_hash(self) -> int:
        """CRC-32 over what a sample's bytes mean: stream layout and channels, not rates or names."""
        return crc32(b"".join(_schema_bytes(s) for s in self.streams))

    def stream(self, stream_id: int) -> StreamSpec:
        for spec in self.streams:
            if spec.id == stream_id:
                return spec
        raise DescriptorError(
            f"stream {stream_id} is not in the descriptor, expected one of {[s.id for s in self.streams]}."
        )

    def with_rate(self, stream_id: int, rate_hz: float) -> Descriptor:
        self.stream(stream_id)
        return replace(
            self,
            streams=tuple(replace(s, rate_hz=rate_hz) if s.id == stream_id else s for s in self.streams),
        )

    def encode(self) -> bytes:
        """Bytes as in README.md; at most 512."""
        try:
            raw = self._pack()
        except (ValueError, struct.error) as error:
            raise DescriptorError(
                f"a descriptor field does not fit its place on the wire: {error}."
            ) from error
        if len(raw) > MAX_DESCRIPTOR_BYTES:
            raise DescriptorError(
                f"the descriptor takes {len(raw)} bytes, expected at most {MAX_DESCRIPTOR_BYTES}."
            )
        return raw

    def _pack(self) -> bytes:
        records = [*map(_stream_bytes, self.streams), *map(_mount_bytes, self.mounts)]
        body = b"".join(records) + _name_bytes(self.name)
        version = [int(part) for part in self.firmware.split(".")]
        head = HEADER.pack(
            MAGIC, DESCRIPTOR_VERSION, len(self.streams), len(self.mounts), HEADER.size + len(body),
            self.hardware_id, self.device_id, *version, self.boot_id, self.clock_hz, self.schema_hash,
        )  # fmt: skip
        return head + body

    @staticmethod
    def decode(raw: bytes) -> Descriptor:
        """Read a descriptor; unknown TLVs and unknown quantities are kept out of the way, not refused."""
        reader = _Reader(raw)
        header = reader.take(HEADER)
        magic, version, n_streams, n_mounts, length = header[:5]
        hardware_id, device_id, *firmware, boot_id, clock_hz, schema = header[5:]
        _check_start(magic, version, length, len(raw))
        reader.end = length
        descriptor = Descriptor(
            device_id=device_id,
            firmware=".".join(map(str, firmware)),
            hardware_id=hardware_id,
            boot_id=boot_id,
            clock_hz=clock_hz,
            streams=tuple(_read_stream(reader) for _ in range(n_streams)),
            mounts=tuple(_read_mount(reader) for _ in range(n_mounts)),
            name=_read_name(reader),
        )
        _check_schema(schema, descriptor.schema_hash)
        return descriptor


def standard_descriptor(
    rate_hz: float = 100.0, *, boot_id: int = 0, name: str = "penapp virtual pen"
) -> Descriptor:
    """The 13-channel pen in field order: front and rear accelerometer, gyroscope, magnetometer, force.

    4 g and 1000 deg/s over 15 bits, 2.4 mT over 13 bits, 5.32 N over 12 bits.
    """
    dps_1000 = 17.453292519943297
    channels = (
        *_triad(Quantity.ACC1, Unit.M_S2, 4 * G_M_S2, 32768, SensorModel.LSM6DSL),
        *_triad(Quantity.ACC2, Unit.M_S2, 4 * G_M_S2, 32768, SensorModel.MMA8451Q),
        *_triad(Quantity.GYRO, Unit.RAD_S, dps_1000, 32768, SensorModel.LSM6DSL),
        *_triad(Quantity.MAG, Unit.MICROTESLA, 2400.0, 8192, SensorModel.HSCDTD008A),
        ChannelSpec(Quantity.FORCE, 0, Unit.NEWTON, 5.32 / 4096, 0.0, 5.32, SensorModel.HSFPAR003A),
    )
    square = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    places_mm = {Quantity.ACC1: 25.0, Quantity.ACC2: 115.0, Quantity.GYRO: 25.0, Quantity.MAG: 60.0}
    return Descriptor(
        device_id=b"virtual1",
        firmware="1.0.0",
        hardware_id=1,
        boot_id=boot_id,
        clock_hz=1_000_000,
        streams=(StreamSpec(0, rate_hz, min(25.0, rate_hz), max(400.0, rate_hz), channels),),
        mounts=tuple(Mount(quantity, square, (0.0, 0.0, z)) for quantity, z in places_mm.items()),
        name=name,
    )


def _triad(
    quantity: Quantity, unit: Unit, full_scale: float, counts: int, model: SensorModel
) -> Iterator[ChannelSpec]:
    for axis in range(3):
        yield ChannelSpec(quantity, axis, unit, full_scale / counts, 0.0, full_scale, model)


class _Reader:
    """Takes records off the front of a descriptor and names what is missing."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0
        self.end = len(raw)

    def take(self, record: struct.Struct) -> tuple[Any, ...]:
        return record.unpack(self.take_bytes(record.size))

    def take_bytes(self, size: int) -> bytes:
        if self._at + size > self.end:
            raise DescriptorError(
                f"the descriptor ends after {self.end} bytes, expected at least {self._at + size}."
            )
        self._at += size
        return self._raw[self._at - size : self._at]

    @property
    def left(self) -> int:
        return self.end - self._at


def _check_start(magic: bytes, version: int, length: int, available: int) -> None:
    if magic != MAGIC:
        raise DescriptorError(f"the descriptor starts with {magic!r}, expected {MAGIC!r}.")
    if version != DESCRIPTOR_VERSION:
        raise DescriptorError(
            f"the descriptor has version {version}, expected {DESCRIPTOR_VERSION}.",
            advice="Update the older of the two: the pen's firmware or this program.",
        )
    if not HEADER.size <= length <= min(available, MAX_DESCRIPTOR_BYTES):
        raise DescriptorError(f"the descriptor states {length} bytes, {available} arrived.")


def _check_schema(stated: int, computed: int) -> None:
    if stated != computed:
        raise DescriptorError(
            f"the descriptor states schema hash {stated:#010x}, its channels give {computed:#010x}."
        )


def _schema_bytes(stream: StreamSpec) -> bytes:
    head = bytes((stream.id, len(stream.channels), stream.sample_bytes))
    return head + b"".join(map(_channel_bytes, stream.channels))


def _stream_bytes(stream: StreamSpec) -> bytes:
    rates = (round(r * 1000) for r in (stream.rate_hz, stream.min_rate_hz, stream.max_rate_hz))
    head = STREAM.pack(stream.id, len(stream.channels), stream.sample_bytes, *rates)
    return head + b"".join(map(_channel_bytes, stream.channels))


def _channel_bytes(c: ChannelSpec) -> bytes:
    return CHANNEL.pack(c.quantity, c.axis, TYPE_INT16, c.unit, c.scale, c.offset, c.full_scale, c.model)


def _mount_bytes(mount: Mount) -> bytes:
    axes = [v for row in mount.axis_map for v in row]
    return MOUNT.pack(mount.quantity, *axes, *(round(v * 10) for v in mount.lever_arm_mm))


def _name_bytes(name: str) -> bytes:
    text = name.encode()[:MAX_NAME_BYTES].decode(errors="ignore").encode()
    return bytes((TLV_NAME, len(text))) + text if text else b""


def _read_stream(reader: _Reader) -> StreamSpec:
    stream_id, n_channels, sample_bytes, *rates = reader.take(STREAM)
    channels = tuple(_read_channel(reader) for _ in range(n_channels))
    if sample_bytes != 2 * n_channels:
        raise DescriptorError(
            f"stream {stream_id} states {sample_bytes} bytes per sample, expected 2 for each of its "
            f"{n_channels} channels."
        )
    rate, low, high = (r / 1000 for r in rates)
    return StreamSpec(stream_id, rate, low, high, channels)


def _read_channel(reader: _Reader) -> ChannelSpec:
    quantity, axis, number_type, unit, scale, offset, full_scale, model = reader.take(CHANNEL)
    if number_type != TYPE_INT16:
        raise DescriptorError(f"a channel has number type {number_type}, expected {TYPE_INT16} (int16).")
    return ChannelSpec(known(Quantity, quantity), axis, known(Unit, unit), scale, offset, full_scale, model)


def _read_mount(reader: _Reader) -> Mount:
    quantity, *numbers = reader.take(MOUNT)
    a, b, c, d, e, f, g, h, i, x, y, z = numbers
    return Mount(known(Quantity, quantity), ((a, b, c), (d, e, f), (g, h, i)), (x / 10, y / 10, z / 10))


def _read_name(reader: _Reader) -> str:
    """Walk the TLV area; every tag but the name is skipped."""
    name = ""
    while reader.left:
        tag, size = reader.take_bytes(2)
        value = reader.take_bytes(size)
        if tag == TLV_NAME:
            name = value.decode(errors="replace")
    return name
