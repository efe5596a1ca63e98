"""The capability descriptor and the scaling of counts."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from firmware_protocol.channels import (
    MAX_DESCRIPTOR_BYTES,
    ChannelSpec,
    Descriptor,
    Quantity,
    StreamSpec,
    Unit,
    counts_to_si,
    si_to_counts,
    standard_descriptor,
)
from firmware_protocol.descriptor import HEADER
from firmware_protocol.errors import DescriptorError, ProtocolError

PEN = standard_descriptor(208.0, boot_id=0xDEADBEEF, name="Füller")
STREAM = PEN.streams[0]


def with_length(raw: bytes) -> bytes:
    return raw[:8] + len(raw).to_bytes(2, "little") + raw[10:]


def test_descriptor_comes_back_as_it_was():
    assert Descriptor.decode(PEN.encode()) == PEN


@pytest.mark.parametrize("rate_hz", [10.0, 50.0, 99.975, 104.0, 400.0, 1000.0])
def test_any_rate_comes_back_as_it_was(rate_hz):
    pen = standard_descriptor(rate_hz)
    assert Descriptor.decode(pen.encode()) == pen
    assert Descriptor.decode(pen.encode()).streams[0].rate_hz == pytest.approx(rate_hz, abs=5e-4)


def test_thirteen_channels_and_the_longest_name_fit_a_gatt_value():
    raw = standard_descriptor(name="x" * 32).encode()
    assert len(STREAM.channels) == 13
    assert len(raw) <= MAX_DESCRIPTOR_BYTES == 512


def test_channels_stand_in_field_order():
    order = [(c.quantity, c.axis) for c in STREAM.channels]
    triads = (Quantity.ACC1, Quantity.ACC2, Quantity.GYRO, Quantity.MAG)
    assert order == [(q, axis) for q in triads for axis in range(3)] + [(Quantity.FORCE, 0)]


def test_a_long_name_is_cut_at_a_whole_letter():
    pen = replace(PEN, name="ä" * 40)
    assert Descriptor.decode(pen.encode()).name == "ä" * 16


def test_unknown_tlvs_are_skipped():
    raw = with_length(PEN.encode() + bytes((0x77, 3)) + b"abc" + bytes((0x78, 0)))
    assert Descriptor.decode(raw) == PEN


def test_unknown_quantity_and_unit_stay_numbers():
    odd = ChannelSpec(99, 0, 77, 0.5, 1.0, 100.0)
    pen = replace(PEN, streams=(replace(STREAM, channels=(*STREAM.channels, odd)),))
    assert Descriptor.decode(pen.encode()).streams[0].channels[-1] == odd


def test_every_truncation_is_refused_with_both_lengths_named():
    raw = PEN.encode()
    for size in range(len(raw)):
        with pytest.raises(DescriptorError, match=r"expected|arrived"):
            Descriptor.decode(raw[:size])
    for size in range(HEADER.size, len(raw) - 2 - len("Füller".encode())):
        with pytest.raises(DescriptorError):
            Descriptor.decode(with_length(raw[:size]))


def test_damaged_descriptors_raise_nothing_but_the_protocols_error():
    rng = random.Random(3)
    raw = PEN.encode()
    for _ in range(5000):
        damaged = bytearray(raw)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(raw))] = rng.randrange(256)
        try:
            Descriptor.decode(bytes(damaged))
        except ProtocolError:
            continue


@pytest.mark.parametrize(
    ("at", "value", "word"),
    [
        (0, b"X", "starts with"),
        (4, b"\x02", "version 2"),
        (38, b"\x07", "7 bytes per sample"),
        (32, b"\0\0\0\0", "schema hash"),
    ],
)
def test_wrong_start_is_named(at, value, word):
    raw = bytearray(PEN.encode())
    raw[at : at + len(value)] = value
    with pytest.raises(DescriptorError, match=word):
        Descriptor.decode(bytes(raw))


def test_schema_hash_follows_what_a_sample_means_and_nothing_else():
    same = replace(standard_descriptor(400.0, boot_id=1, name="other"), mounts=())
    assert same.schema_hash == PEN.schema_hash
    wider = replace(STREAM.channels[0], scale=STREAM.channels[0].scale * 2)
    changed = replace(PEN, streams=(replace(STREAM, channels=(wider, *STREAM.channels[1:])),))
    swapped = replace(PEN, streams=(replace(STREAM, channels=STREAM.channels[::-1]),))
    assert len({PEN.schema_hash, changed.schema_hash, swapped.schema_hash}) == 3


def test_too_long_a_descriptor_is_not_sent():
    stream = replace(STREAM, channels=STREAM.channels * 2)
    with pytest.raises(DescriptorError, match="512"):
        replace(PEN, streams=(stream,)).encode()


@pytest.mark.parametrize("changed", [{"rate_hz": 0.0}, {"rate_hz": 500.0}, {"channels": ()}])
def test_senseless_streams_are_refused(changed):
    with pytest.raises(DescriptorError):
        replace(STREAM, **changed)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 1e39])
def test_senseless_scales_are_refused(scale):
    with pytest.raises(DescriptorError):
        ChannelSpec(Quantity.ACC1, 0, Unit.M_S2, scale, 0.0, 1.0)


def test_a_place_too_far_for_its_field_is_refused():
    far = replace(PEN.mounts[0], lever_arm_mm=(0.0, 0.0, 1e5))
    with pytest.raises(DescriptorError, match="does not fit"):
        replace(PEN, mounts=(far,)).encode()


def test_missing_stream_is_named():
    with pytest.raises(DescriptorError, match="stream 4 "):
        PEN.stream(4)


def test_full_scale_counts_are_full_scale_values():
    values = counts_to_si(np.array([[16384] * 6 + [16384] * 3 + [4096] * 3 + [2048]], dtype=np.int16), STREAM)
    expected = [2 * 9.80665] * 6 + [np.deg2rad(500)] * 3 + [1200.0] * 3 + [2.66]
    np.testing.assert_allclose(values[0], expected, rtol=1e-6)
    assert values.dtype == np.float32


def test_counts_survive_the_way_to_units_and_back():
    rng = np.random.default_rng(1)
    counts = rng.integers(-STREAM.limit_row, STREAM.limit_row + 1, size=(500, 13)).astype(np.int16)
    again, clipped = si_to_counts(counts_to_si(counts, STREAM), STREAM)
    np.testing.assert_array_equal(again, counts)
    assert not clipped


def test_values_beyond_the_range_saturate_and_say_so():
    values = np.full((2, 13), -1e6)
    counts, clipped = si_to_counts(values, STREAM)
    assert clipped
    np.testing.assert_array_equal(counts[0], [-32767] * 9 + [-8191] * 3 + [-4095])


def test_offset_is_in_units():
    channel = ChannelSpec(Quantity.TEMP, 0, Unit.CELSIUS, 0.01, 25.0, 100.0)
    stream = StreamSpec(1, 1.0, 1.0, 1.0, (channel,))
    assert counts_to_si(np.array([[-500]], dtype=np.int16), stream)[0, 0] == pytest.approx(20.0)
    assert si_to_counts(np.array([[20.0]]), stream)[0][0, 0] == -500
