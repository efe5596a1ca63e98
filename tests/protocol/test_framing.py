"""Bytes in, frames out: splits, rubbish, flipped bits, absurd lengths, other versions."""

from __future__ import annotations

import random

import pytest

from firmware_protocol.errors import FrameError, VersionError
from firmware_protocol.framing import (
    MAX_BUFFER_BYTES,
    Flag,
    Frame,
    FrameDecoder,
    FrameType,
    NotificationDecoder,
    decode_frame,
    encode_frame,
    to_serial,
)

ZEROS = bytes.fromhex(
    "030110010102010101010101010101010101010101010101010101010101010101010101010101010101051283579f00"
)


def frames(count: int, seed: int = 1) -> list[Frame]:
    rng = random.Random(seed)
    return [
        Frame(FrameType.DATA, k, 0, 2, Flag.NONE, 2 * k, 20_000 * k, rng.randbytes(52)) for k in range(count)
    ]


def wire(sent: list[Frame]) -> bytes:
    return b"".join(to_serial(encode_frame(frame)) for frame in sent)


def decode(chunks: list[bytes]) -> tuple[list[Frame], FrameDecoder]:
    decoder = FrameDecoder()
    return [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.finish(), decoder


def test_a_whole_frame_is_read():
    got, _ = decode([ZEROS])
    assert got == [Frame(FrameType.DATA, n=1, payload=bytes(26))]


def test_frames_do_not_depend_on_how_bytes_were_split():
    stream = (
        b"\x11\x22\x00" + wire(frames(20)) + b"\x05\x00" + wire(frames(5)) + b"x" * 6000 + b"\x00" + ZEROS
    )
    whole, reference = decode([stream])
    one_by_one, counted = decode([bytes((b,)) for b in stream])
    assert one_by_one == whole
    assert counted.counters == reference.counters
    rng = random.Random(2)
    for _ in range(50):
        cuts = sorted(rng.randrange(len(stream)) for _ in range(rng.randrange(40)))
        parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        got, decoder = decode(parts)
        assert got == whole
        assert decoder.counters == reference.counters


def test_rubbish_before_a_delimiter_costs_nothing():
    sent = frames(3)
    got, decoder = decode([b"boot: pen 1.2\r\n\xff\x00" + wire(sent)])
    assert got == sent
    assert (decoder.counters.damaged, decoder.counters.skipped_bytes) == (1, 16)


def test_rubbish_glued_to_a_frame_costs_that_frame():
    sent = frames(3)
    got, decoder = decode([b"boot: pen 1.2" + wire(sent)])
    assert got == sent[1:]
    assert decoder.counters.damaged == 1


def test_any_flipped_bit_loses_exactly_one_frame_and_a_flipped_delimiter_at_most_two():
    sent = frames(3)
    clean = wire(sent)
    middle = len(wire(sent[:1]))
    end = len(wire(sent[:2]))
    for bit in range(middle * 8, end * 8):
        stream = bytearray(clean)
        stream[bit // 8] ^= 1 << (bit % 8)
        got, _ = decode([bytes(stream)])
        survivors = [sent[0], sent[2]] if bit // 8 < end - 1 else [sent[0]]
        assert got == survivors, f"bit {bit - middle * 8}"


def test_frame_after_a_flipped_delimiter_is_read_again():
    sent = frames(4)
    stream = bytearray(wire(sent))
    stream[len(wire(sent[:2])) - 1] ^= 0x40
    got, decoder = decode([bytes(stream)])
    assert got == [sent[0], sent[3]]
    assert decoder.counters.damaged == 1


def test_absurd_sample_count_is_refused_at_once():
    stated = to_serial(encode_frame(Frame(FrameType.DATA, n=255, payload=bytes(26))))
    got, decoder = decode([stated + ZEROS])
    assert len(got) == 1
    assert decoder.counters.damaged == 1


def test_absurd_block_length_does_not_wait_for_more():
    decoder = FrameDecoder()
    assert decoder.feed(b"\xff\x01\x02\x00") == []
    assert decoder.counters.damaged == 1
    assert len(decoder.feed(ZEROS)) == 1


def test_buffer_stays_bounded_when_no_delimiter_comes():
    decoder = FrameDecoder()
    for _ in range(1000):
        assert decoder.feed(b"\x7f" * 997) == []
        assert decoder.buffered_bytes <= MAX_BUFFER_BYTES
    assert decoder.counters.damaged == 1
    assert decoder.feed(b"\x00" + ZEROS) == [Frame(FrameType.DATA, n=1, payload=bytes(26))]
    assert decoder.counters.skipped_bytes == 997_000


def test_empty_stretches_are_no_damage():
    got, decoder = decode([b"\x00\x00\x00" + ZEROS + b"\x00\x00"])
    assert len(got) == 1
    assert decoder.counters.damaged == 0


def test_last_frame_without_its_delimiter_is_read_at_the_end():
    got, decoder = decode([ZEROS[:-1]])
    assert len(got) == 1
    assert decoder.counters.damaged == 0


def test_torn_last_frame_is_counted_at_the_end():
    got, decoder = decode([ZEROS[:-5]])
    assert got == []
    assert decoder.counters.damaged == 1


def test_reset_forgets_the_tail_and_the_counts():
    decoder = FrameDecoder()
    decoder.feed(b"\x05\x05\x00" + ZEROS[:10])
    decoder.reset()
    assert len(decoder.feed(ZEROS)) == 1
    assert decoder.counters.damaged == 0


def test_other_version_is_counted_and_named():
    decoder = FrameDecoder()
    assert decoder.feed(to_serial(encode_frame(frames(1)[0], version=3))) == []
    assert (decoder.counters.foreign_version, decoder.counters.last_foreign_version) == (1, 3)
    assert decoder.counters.damaged == 0
    message = str(decoder.counters.version_error)
    assert "version 3" in message
    assert "version 1" in message
    assert "Update" in message


def test_flipped_version_byte_is_damage_not_a_version():
    raw = bytearray(encode_frame(frames(1)[0]))
    raw[0] = 2
    with pytest.raises(FrameError):
        decode_frame(bytes(raw))
    with pytest.raises(VersionError):
        decode_frame(encode_frame(frames(1)[0], version=2))


def test_notifications_are_frames_as_they_are():
    sent = frames(2)
    decoder = NotificationDecoder()
    got = [f for frame in sent for f in decoder.feed(encode_frame(frame))]
    assert got == sent
    assert decoder.feed(b"") == decoder.feed(encode_frame(sent[0])[:-1]) == []
    assert decoder.counters.damaged == 2


@pytest.mark.parametrize(
    "frame",
    [
        Frame(FrameType.DATA, seq=65536),
        Frame(FrameType.DATA, index=1 << 32),
        Frame(FrameType.LOG, payload=bytes(1005)),
    ],
)
def test_encoder_refuses_what_does_not_fit(frame):
    with pytest.raises(FrameError, match=r"fit|expected at most"):
        encode_frame(frame)


def test_unknown_flag_bits_are_kept():
    raw = encode_frame(Frame(FrameType.LOG, flags=Flag(0x8001)))
    assert decode_frame(raw).flags == 0x8001
