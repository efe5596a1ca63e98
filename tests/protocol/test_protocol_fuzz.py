"""Corrupted frames and commands are never accepted.

20,000 frames on each carrier and 300,000 bytes of commands here; 1,000,000 frames (about 140 million bytes)
and 10 million bytes of commands with PENAPP_SOAK=1.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from firmware_protocol import commands
from firmware_protocol.channels import Descriptor, standard_descriptor
from firmware_protocol.framing import (
    MAX_BUFFER_BYTES,
    Flag,
    Frame,
    FrameDecoder,
    FrameType,
    NotificationDecoder,
    encode_frame,
    to_serial,
)
from firmware_protocol.messages import Command, Op, Status, command_frame, parse_response
from firmware_protocol.virtual_pen import PenFirmware

SOAK = os.environ.get("PENAPP_SOAK") == "1"
CORRUPTED = 1_000_000 if SOAK else 20_000
COMMAND_BYTES = 10_000_000 if SOAK else 300_000
Mutation = Callable[[random.Random, bytes, bytes], bytes]


def good_frames(rng: random.Random) -> list[Frame]:
    """Pen-like samples (small numbers, many zero bytes) and full-range ones."""
    made = []
    for k in range(64):
        n = rng.randint(1, 8)
        counts = [rng.randint(-300, 300) if k % 2 else rng.randint(-32768, 32767) for _ in range(13 * n)]
        payload = b"".join(c.to_bytes(2, "little", signed=True) for c in counts)
        made.append(Frame(FrameType.DATA, k, 0, n, Flag.NONE, 8 * k, 80_000 * k, payload))
    return made


def flip_bits(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    damaged = bytearray(frame)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        bit = rng.randrange(8 * len(damaged))
        damaged[bit >> 3] ^= 1 << (bit & 7)
    return bytes(damaged)


def burst(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    start, size = rng.randrange(len(frame)), rng.randint(1, 12)
    return (frame[:start] + rng.randbytes(size) + frame[start + size :])[: len(frame)]


def cut_out(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    start = rng.randrange(len(frame))
    return frame[:start] + frame[start + rng.randint(1, 12) :]


def insert(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    start = rng.randrange(len(frame) + 1)
    return frame[:start] + rng.randbytes(rng.randint(1, 4)) + frame[start:]


def splice(rng: random.Random, frame: bytes, other: bytes) -> bytes:
    """The head of one frame and the tail of another, as when bytes in between are lost."""
    return frame[: rng.randrange(1, len(frame))] + other[rng.randrange(1, len(other)) :]


def swap(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    a, b = rng.randrange(len(frame)), rng.randrange(len(frame))
    damaged = bytearray(frame)
    damaged[a], damaged[b] = damaged[b], damaged[a]
    return bytes(damaged)


MUTATIONS: tuple[Mutation, ...] = (flip_bits, flip_bits, burst, cut_out, insert, splice, swap)


def corrupt(rng: random.Random, originals: list[bytes]) -> bytes:
    while True:
        frame = originals[rng.randrange(len(originals))]
        damaged = MUTATIONS[rng.randrange(len(MUTATIONS))](
            rng, frame, originals[rng.randrange(len(originals))]
        )
        if damaged != frame:
            return damaged


@pytest.mark.parametrize("carrier", ["serial", "notification"])
def test_no_corrupted_frame_is_accepted(carrier):
    rng = random.Random(20_26)
    sent = good_frames(rng)
    serial = carrier == "serial"
    originals = [to_serial(encode_frame(f))[:-1] if serial else encode_frame(f) for f in sent]
    decoder = FrameDecoder() if serial else NotificationDecoder()
    known = set(sent)
    tail = b"\x00" if serial else b""
    false_accepts = mutated = 0
    for _ in range(CORRUPTED):
        damaged = corrupt(rng, originals) + tail
        mutated += len(damaged)
        for frame in decoder.feed(damaged):
            false_accepts += frame not in known
    print(f"fuzz: {mutated} mutated bytes of frames on {carrier}, {false_accepts} false accepts")
    assert false_accepts == 0
    # Nearly every corruption must have reached a check, and none may have been waved through uncounted.
    assert decoder.counters.damaged >= CORRUPTED * 0.99
    assert decoder.counters.foreign_version == decoder.counters.unknown_type == 0


def test_random_bytes_are_never_a_frame_and_never_pile_up():
    rng = random.Random(7)
    decoder = FrameDecoder()
    for _ in range(CORRUPTED // 20):
        assert decoder.feed(rng.randbytes(rng.randrange(400))) == []
        assert decoder.buffered_bytes <= MAX_BUFFER_BYTES


def test_good_frames_between_flipped_bits_all_arrive():
    """400 flips in 20,000 frames: what was not hit is read, what was hit is lost, nothing is invented."""
    rng = random.Random(9)
    sent = [f for _ in range(20_000 // 64) for f in good_frames(rng)]
    stream = [bytearray(to_serial(encode_frame(f))) for f in sent]
    hit = set(rng.sample(range(len(stream)), len(stream) // 50))
    for k in hit:
        bit = rng.randrange(8 * (len(stream[k]) - 1))
        stream[k][bit >> 3] ^= 1 << (bit & 7)
    joined = b"".join(stream)
    decoder = FrameDecoder()
    got: list[Frame] = []
    at = 0
    while at < len(joined):
        size = rng.randint(1, 2000)
        got += decoder.feed(joined[at : at + size])
        at += size
    assert got == [frame for k, frame in enumerate(sent) if k not in hit]


SCHEMA = standard_descriptor().schema_hash
CALIBRATION = commands.seal(bytes(range(60)))


def sent_commands() -> list[Command]:
    """One of each kind, with arguments that mean something."""
    return [
        commands.hello(1),
        commands.start(2, SCHEMA),
        commands.stop(3),
        commands.set_rate(4, 0, 200.0),
        commands.set_range(5, 1, 2),
        commands.identify(6, 500),
        Command(Op.BATTERY, 7),
        commands.time_sync(8, 1_234_567_890_123_456),
        Command(Op.STATUS, 9),
        commands.name(10, "Füller"),
        commands.cal_read(11, 10),
        commands.cal_write(12, 0, len(CALIBRATION), CALIBRATION),
        Command(Op.SELFTEST, 13),
        Command(Op.DFU, 14),
    ]


@pytest.mark.parametrize("mtu", [None, 247], ids=["serial", "notification"])
def test_no_corrupted_command_is_carried_out(mtu):
    """The pen answers what was sent and nothing else."""
    rng = random.Random(31)
    originals = [encode_frame(command_frame(c, k)) for k, c in enumerate(sent_commands())]
    if mtu is None:
        originals = [to_serial(raw)[:-1] for raw in originals]
    known = {(c.op, c.tag) for c in sent_commands()}
    pen = PenFirmware(standard_descriptor(), mtu=mtu)
    decoder = FrameDecoder() if mtu is None else NotificationDecoder()
    mutated = answers = false_accepts = 0
    while mutated < COMMAND_BYTES:
        damaged = corrupt(rng, originals) + (b"\x00" if mtu is None else b"")
        mutated += len(damaged)
        for item in pen.receive(damaged):
            for frame in decoder.feed(item):
                answers += 1
                answer = parse_response(frame)
                false_accepts += (answer.op, answer.tag) not in known
    carrier = "serial" if mtu is None else "notification"
    print(f"fuzz: {mutated} mutated bytes of commands on {carrier}, {false_accepts} false accepts")
    assert false_accepts == 0
    assert answers < mutated / 2000, "what was damaged was answered"


def test_sealed_nonsense_is_answered_in_order_and_breaks_nothing():
    """Damage behind the check sum: each command gets one answer with a known status, memory stays right."""
    rng = random.Random(32)
    large = [commands.cal_write(20 + k, 0, 4000, rng.randbytes(900)) for k in range(2)]
    payloads = [command_frame(c).payload for c in [*sent_commands(), *large]]
    pen = PenFirmware(standard_descriptor())
    decoder = FrameDecoder()
    mutated = 0
    while mutated < COMMAND_BYTES:
        payload = corrupt(rng, payloads)[:1000]
        mutated += len(payload)
        items = pen.receive(to_serial(encode_frame(Frame(FrameType.CMD, payload=payload))))
        answers = [parse_response(frame) for item in items for frame in decoder.feed(item)]
        assert len(answers) == (len(payload) >= 2)
        if answers:
            assert (answers[0].op, answers[0].tag) == (payload[0] & 0x7F, payload[1])
            assert isinstance(answers[0].status, Status)
    print(f"fuzz: {mutated} mutated bytes of sealed commands")
    assert Descriptor.decode(pen.descriptor.encode()) == pen.descriptor
    assert not pen.state.calibration or commands.unseal(pen.state.calibration) == CALIBRATION[:-4]
