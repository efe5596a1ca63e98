"""The C core and the Python codecs give and take the same bytes."""

from __future__ import annotations

import random

import pytest

from firmware_protocol.framing import (
    Flag,
    Frame,
    FrameDecoder,
    FrameType,
    decode_frame,
    encode_frame,
    to_serial,
)
from firmware_protocol.vectors.make_vectors import document
from tests.firmware.c_pen import decode_in_c, encode_in_c

VECTORS = document()


@pytest.mark.parametrize("entry", VECTORS["frames"], ids=lambda e: e["name"])
def test_c_gives_and_takes_every_golden_vector(core_library, entry):
    frame = decode_frame(bytes.fromhex(entry["frame"]))
    raw, wire = encode_in_c(core_library, frame)
    assert (raw.hex(), wire.hex()) == (entry["frame"], entry["serial"])
    on_a_wire = frame.type is not FrameType.ARRIVAL
    assert decode_in_c(core_library, wire)[0] == ([frame] if on_a_wire else []), (
        "what only files hold is skipped"
    )


@pytest.mark.parametrize("entry", VECTORS["refused"], ids=lambda e: e["name"])
def test_c_refuses_and_counts_every_damaged_vector(core_library, entry):
    frames, counters = decode_in_c(core_library, bytes.fromhex(entry["serial"]))
    assert frames == []
    assert counters[entry["counter"]] >= 1
    assert counters["accepted"] == 0


def random_frame(rng: random.Random, size: int) -> Frame:
    """Half of them without a zero byte, so that full COBS blocks end everywhere."""
    payload = rng.randbytes(size)
    if rng.random() < 0.5:
        payload = payload.replace(b"\x00", b"\x01")
        return Frame(FrameType.LOG, 0x0101, 1, 1, Flag(0x0101), 0x01010101, 0x01010101, payload)
    index, t_us = rng.getrandbits(32), rng.getrandbits(32)
    return Frame(FrameType.LOG, rng.getrandbits(16), 3, rng.getrandbits(8), Flag.NONE, index, t_us, payload)


def test_frames_of_every_length_are_the_same_bytes(core_library):
    rng = random.Random(5)
    frames = [random_frame(rng, size) for size in range(1005) for _ in range(2)]
    for frame in frames:
        raw = encode_frame(frame)
        assert encode_in_c(core_library, frame) == (raw, to_serial(raw))
    stream = b"".join(to_serial(encode_frame(frame)) for frame in frames)
    assert decode_in_c(core_library, stream)[0] == frames


def test_a_frame_that_is_too_long_is_not_made(core_library):
    raw, wire = encode_in_c(core_library, Frame(FrameType.LOG, payload=bytes(1004)))
    assert len(raw) == 1024
    assert len(wire) > 1024
    assert encode_in_c(core_library, Frame(FrameType.LOG, payload=bytes(1005)))[0] == b""


def test_both_decoders_say_the_same_of_any_damage(core_library):
    """Random bytes, flips, cuts, glued and endless stretches: the same frames, the same counters."""
    rng = random.Random(11)
    for _ in range(300):
        parts = [to_serial(encode_frame(random_frame(rng, rng.randrange(60)))) for _ in range(6)]
        stream = bytearray(b"".join(parts) + rng.randbytes(rng.randrange(80)))
        stream += b"\x01" * rng.choice((0, 0, 1031, 1032, 1033, 1034, 5000))
        stream += b"\x00" * rng.randrange(3) + b"".join(parts[:2])
        for _ in range(rng.randrange(12)):
            stream[rng.randrange(len(stream))] = rng.choice((0, 0, 1, 255, rng.randrange(256)))
        stream += b"\x00"
        python = FrameDecoder()
        frames = python.feed(bytes(stream))
        in_c, counters = decode_in_c(core_library, bytes(stream))
        assert in_c == frames
        assert counters == {name: getattr(python.counters, name) for name in counters}
