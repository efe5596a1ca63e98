"""The C pen does what the Python pen does, byte for byte; and what only a pen with a real queue can do."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from firmware_protocol import commands
from firmware_protocol.channels import Descriptor, standard_descriptor
from firmware_protocol.framing import (
    Flag,
    Frame,
    FrameDecoder,
    FrameType,
    decode_frame,
    encode_frame,
    to_serial,
)
from firmware_protocol.messages import (
    Command,
    EventCode,
    Op,
    Status,
    command_frame,
    join_samples,
    log_text,
    parse_event,
    parse_response,
)
from firmware_protocol.virtual_pen import PenFirmware

PEN = standard_descriptor(100.0, boot_id=7)
PERIOD_US = 10_000
QUEUE_FRAMES = 32
RATES_MHZ = (25_000, 100_000, 104_000, 400_000, 400_001)
CAL_PLACES = ((0, 60), (0, 0), (0, 4097), (30, 60))
"""Offset and total of a piece of calibration."""
EDGES_OF_UTF8 = bytes.fromhex("41 7f 80 8f 90 9f a0 bf c1 c2 df e0 e1 ed ef f0 f1 f4 f5")


def wire(command: Command, seq: int = 0) -> bytes:
    return to_serial(encode_frame(command_frame(command, seq)))


def counts(n: int, first: int = 0) -> np.ndarray:
    return (np.arange(first, first + n)[:, None] + np.arange(13)).astype(np.int16)


def frames_of(raw: bytes) -> list[Frame]:
    decoder = FrameDecoder()
    frames = decoder.feed(raw)
    assert decoder.counters.damaged == 0
    return frames


def ask(pen, command: Command):
    raw = wire(command)
    assert pen.receive(raw) == len(raw)
    return parse_response(next(f for f in frames_of(pen.pump()) if f.type is FrameType.RSP))


def started(make, **options):
    pen = make(**options)
    pen.receive(wire(commands.start(1, PEN.schema_hash)))
    pen.pump()
    return pen


# The same as the Python pen


def any_command(rng: random.Random, tag: int) -> Command:
    """Mostly sensible, with arguments that are wrong now and then."""
    op = rng.choice([*Op, Op.START, Op.STOP, Op.CAL_WRITE, Op.CAL_READ, 0x00, 0x0F, 0x55, 0x81, 0xFF])
    if op == Op.STATUS:
        op = Op.HELLO  # a pen with a queue has another high-water mark
    sensible = {
        Op.START: lambda: commands.START_ARGS.pack(rng.choice((1, 1, 1, 2, 0xFFFFFFFF)), PEN.schema_hash),
        Op.SET_RATE: lambda: commands.SET_RATE_ARGS.pack(0, rng.choice(RATES_MHZ)),
        Op.IDENTIFY: lambda: commands.IDENTIFY_ARGS.pack(rng.randrange(65536)),
        Op.TIME_SYNC: lambda: commands.TIME_SYNC_ARGS.pack(rng.getrandbits(64)),
        Op.NAME: lambda: rng.choice(["", "Füller", "x" * 32, "x" * 33, "€𝄞"]).encode(),
        Op.CAL_READ: lambda: commands.CAL_READ_ARGS.pack(rng.choice((0, 0, 60, 128, 4096, 65535))),
        Op.CAL_WRITE: lambda: commands.CAL_WRITE_ARGS.pack(*rng.choice(CAL_PLACES)) + rng.randbytes(30),
    }  # fmt: skip
    args = sensible.get(op, lambda: b"")()
    if rng.random() < 0.15:
        args = rng.choice((b"", args[:-1], args + b"\x00", rng.randbytes(rng.randrange(20))))
    return Command(op, tag, args)


@pytest.mark.parametrize("mtu", [None, 26, 48, 49, 100, 185, 247, 517])
@pytest.mark.parametrize("seed", range(4))
def test_any_conversation_gives_the_same_bytes_as_with_the_python_pen(c_pen_of, mtu, seed):
    """Commands good and bad, samples, repeated tags, lost links, a clock that is set back."""
    rng = random.Random(f"{seed} {mtu}")
    pen, twin = c_pen_of(mtu=mtu), PenFirmware(PEN, mtu=mtu)
    tag, t_us, taken, last = 0, 0, 0, b""
    for step in range(400):
        what = rng.random()
        if what < 0.5:
            n = rng.randrange(1, 20)
            new = counts(n, taken)
            if rng.random() < 0.1:
                new[rng.randrange(n), rng.randrange(13)] = rng.choice((32767, -32768, 4095))
            # One by one: the Python pen spaces a block by its rate, a real one stamps each sample.
            period_us = round(twin.descriptor.streams[0].period_us)
            expected = [item for k in range(n) for item in twin.take(new[k : k + 1], t_us + k * period_us)]
            pen.take(new, t_us, period_us)
            taken, t_us = taken + n, t_us + n * period_us
        elif what < 0.9:
            again = last and rng.random() < 0.2
            tag = tag if again else (tag + 1) % 256
            raw = last if again else encode_frame(command_frame(any_command(rng, tag), step))
            last = raw
            sent = raw if mtu is not None else to_serial(raw)
            expected = twin.receive(sent)
            assert pen.receive(sent) == len(sent)
        elif what < 0.95:
            t_us = max(0, t_us - rng.randrange(50 * PERIOD_US))
            continue
        else:
            pen.disconnect()
            twin.disconnect()
            last = b""
            continue
        if mtu is None:
            assert pen.pump() == b"".join(expected), step
        else:
            got = pen.notifications()
            assert [value for _, value in got] == expected, step
            assert all(to_response == (value[1] == FrameType.RSP) for to_response, value in got)
    state = pen.state()
    assert (state["index"], state["blink_ms"]) == (twin.state.index, twin.state.identify_ms)
    assert bool(state["streaming"]) == twin.streaming


@pytest.mark.parametrize("rate_hz", [25.0, 62.5, 99.999, 100.0, 104.0, 208.0, 400.0])
def test_frames_hold_as_many_samples_as_the_python_pens(c_pen_of, rate_hz):
    pen, twin = c_pen_of(), PenFirmware(PEN)
    for command in (commands.set_rate(1, 0, rate_hz), commands.start(2, PEN.schema_hash)):
        expected = twin.receive(wire(command))
        pen.receive(wire(command))
        assert pen.pump() == b"".join(expected)
    pen.take(counts(40), 0)
    frames = frames_of(pen.pump())
    assert {f.n for f in frames} == {twin.batch}


def test_hello_describes_the_standard_pen(c_pen_of):
    assert Descriptor.decode(ask(c_pen_of(), commands.hello(1)).data) == PEN


@pytest.mark.parametrize(
    ("name", "right"),
    [
        (b"F\xc3\xbcller", True),
        (b"\xf0\x9d\x84\x9e", True),
        (b"\xc3", False),
        (b"\xc0\x80", False),
        (b"\xe0\x80\x80", False),
        (b"\xed\xa0\x80", False),
        (b"\xf4\x90\x80\x80", False),
        (b"\x80", False),
        (b"\xf5\x80\x80\x80", False),
    ],
)
def test_a_name_is_utf8_or_refused(c_pen_of, name, right):
    answer = ask(c_pen_of(), Command(Op.NAME, 1, name))
    assert answer.ok == right
    assert answer.data == (name if right else b"")


def test_utf8_is_judged_as_python_judges_it(c_pen_of):
    rng = random.Random(3)
    pen, twin = c_pen_of(), PenFirmware(PEN)
    for k in range(2000):
        name = bytes(rng.choice(EDGES_OF_UTF8) for _ in range(rng.randint(1, 4)))
        raw = wire(Command(Op.NAME, k % 256, name))
        expected = twin.receive(raw)
        pen.receive(raw)
        assert pen.pump() == b"".join(expected), name


def test_status_counts_what_happened(c_pen_of):
    pen = started(c_pen_of)
    pen.take(counts(100), 0)
    pen.pump()
    pen.receive(wire(commands.stop(2)))
    pen.pump()
    counted = commands.PenCounters.decode(ask(pen, Command(Op.STATUS, 3)).data)
    assert (counted.samples_taken, counted.overruns, counted.frames_sent) == (100, 0, 13 + 2)
    assert counted.queue_high_water == 12


# The queue


def test_a_full_queue_drops_the_oldest_frames_says_so_and_the_gap_is_exact(c_pen_of):
    pen = started(c_pen_of)
    pen.take(counts(8), 0)
    before = frames_of(pen.pump())
    pen.take(counts(8 * (QUEUE_FRAMES + 5), 8), 8 * PERIOD_US)
    after = frames_of(pen.pump())
    assert len(after) == QUEUE_FRAMES
    assert [bool(f.flags & Flag.OVERRUN) for f in after] == [True] + [False] * (QUEUE_FRAMES - 1)
    assert after[0].index - (before[-1].index + before[-1].n) == 5 * 8
    assert [f.seq for f in before + after] == list(range(QUEUE_FRAMES + 1)), (
        "a dropped frame makes no gap in seq"
    )
    for frame in after:
        np.testing.assert_array_equal(join_samples([frame], 13), counts(8, frame.index))
    assert pen.state()["overruns"] == 5
    assert pen.state()["high_water"] == QUEUE_FRAMES


def test_every_gap_of_a_busy_link_is_flagged_and_exact(c_pen_of):
    rng = random.Random(4)
    pen = started(c_pen_of)
    taken, raw = 0, b""
    for _ in range(400):
        n = rng.randrange(1, 120)
        pen.take(counts(n, taken), taken * PERIOD_US)
        taken += n
        raw += pen.pump(rng.randrange(2500))
    pen.receive(wire(commands.stop(2)))
    frames = [f for f in frames_of(raw + pen.pump()) if f.type is FrameType.DATA]
    gaps = [b.index - a.index - a.n for a, b in itertools.pairwise(frames)]
    flagged = [bool(f.flags & Flag.OVERRUN) for f in frames[1:]]
    assert [gap > 0 for gap in gaps] == flagged
    assert sum(flagged) > 5
    assert sum(f.n for f in frames) + sum(gaps) == taken
    for frame in frames:
        np.testing.assert_array_equal(join_samples([frame], 13), counts(frame.n, frame.index))


def test_a_clock_step_in_a_dropped_frame_is_said_by_the_next_one(c_pen_of):
    pen = started(c_pen_of)
    pen.take(counts(8), 10**6)
    pen.take(counts(8 * QUEUE_FRAMES, 8), 0)
    pen.take(counts(8, 8 * QUEUE_FRAMES + 8), 8 * QUEUE_FRAMES * PERIOD_US)
    frames = frames_of(pen.pump())
    assert frames[0].index == 16, "the frame with the step was dropped"
    assert frames[0].flags == Flag.OVERRUN | Flag.DISCONTINUITY


def test_counters_wrap_as_on_the_wire(c_pen_of):
    pen = started(c_pen_of)
    pen.set_index(2**32 - 4)
    pen.take(counts(16), 2**32 - 4 * PERIOD_US)
    frames = frames_of(pen.pump())
    assert [f.index for f in frames] == [2**32 - 4, 4]
    assert [f.t_us for f in frames] == [2**32 - 4 * PERIOD_US, 4 * PERIOD_US]


def test_answers_overtake_samples_but_that_of_stop_does_not(c_pen_of):
    pen = started(c_pen_of)
    pen.take(counts(20), 0)
    pen.receive(wire(commands.hello(2)))
    assert [f.type for f in frames_of(pen.pump())] == [FrameType.RSP, FrameType.DATA, FrameType.DATA]
    pen.take(counts(20, 20), 20 * PERIOD_US)
    pen.receive(wire(commands.stop(3)))
    frames = frames_of(pen.pump())
    assert [f.type for f in frames] == [FrameType.DATA] * 3 + [FrameType.RSP]
    assert sum(f.n for f in frames) == 24


def test_the_answer_to_a_new_rate_comes_between_the_old_samples_and_the_new_ones(c_pen_of):
    """It waits for those from before the command, not for the ones that are measured meanwhile."""
    pen = started(c_pen_of)
    pen.take(counts(20), 0)
    pen.receive(wire(commands.set_rate(2, 0, 400.0)))
    pen.take(counts(16, 20), 20 * PERIOD_US)
    frames = frames_of(pen.pump())
    assert [f.type for f in frames] == [FrameType.DATA] * 3 + [FrameType.RSP] + [FrameType.DATA] * 2
    assert [bool(f.flags & Flag.EPOCH) for f in frames if f.type is FrameType.DATA] == [False] * 3 + [
        True
    ] * 2
    pen.receive(wire(commands.set_rate(3, 0, 100.0)))
    for k in range(QUEUE_FRAMES + 1):
        pen.take(counts(8, 36 + 8 * k), (36 + 8 * k) * PERIOD_US)
    assert frames_of(pen.pump())[0].type is FrameType.RSP, "frames that were dropped hold nothing up"


# A link that is busy


@pytest.mark.parametrize("room", [1, 2, 7, 100])
def test_a_line_that_takes_little_at_a_time_gets_the_same_bytes(c_pen_of, room):
    slow, quick = started(c_pen_of), started(c_pen_of)
    raw = b""
    for k in range(20):
        for pen in (slow, quick):
            pen.take(counts(8, 8 * k), 8 * k * PERIOD_US)
        raw += slow.pump(room)
    while more := slow.pump(room):
        raw += more
    assert raw == quick.pump()


def test_a_notification_that_the_stack_refuses_is_sent_later_once(c_pen_of):
    pen = c_pen_of(mtu=247)
    pen.receive(encode_frame(command_frame(commands.start(1, PEN.schema_hash))))
    pen.take(counts(40), 0)
    values = []
    for room in (0, 1, 0, 2, 0, 0, 9):
        values += pen.notifications(room)
    assert [decode_frame(value).type for _, value in values] == [FrameType.RSP] + [FrameType.DATA] * 5
    assert [to_response for to_response, _ in values] == [True] + [False] * 5
    assert [decode_frame(value).index for _, value in values[1:]] == [0, 8, 16, 24, 32]


def test_commands_wait_while_an_answer_waits(c_pen_of):
    """The answer is the pen's only buffer for answers: bytes stay with the caller, a write is told."""
    pen = c_pen_of()
    both = wire(commands.hello(1)) + wire(commands.stop(2))
    taken = pen.receive(both)
    assert taken == len(wire(commands.hello(1)))
    assert pen.receive(both[taken:]) == 0
    first = frames_of(pen.pump())
    assert pen.receive(both[taken:]) == len(both) - taken
    assert [parse_response(f).op for f in first + frames_of(pen.pump())] == [Op.HELLO, Op.STOP]
    ble = c_pen_of(mtu=247)
    asked = encode_frame(command_frame(commands.stop(2)))
    assert ble.receive(asked) == len(asked)
    assert ble.receive(asked) == 0


def test_a_link_below_the_smallest_packet_is_refused_and_a_larger_one_is_taken(c_pen_of):
    pen = c_pen_of(mtu=48)
    asked = encode_frame(command_frame(commands.start(1, PEN.schema_hash)))
    pen.receive(asked)
    ((_, value),) = pen.notifications()
    assert parse_response(decode_frame(value)).status == Status.MTU_TOO_SMALL
    pen.set_mtu(247)
    pen.receive(encode_frame(command_frame(commands.start(2, PEN.schema_hash))))
    ((_, value),) = pen.notifications()
    assert parse_response(decode_frame(value)).ok
    pen.set_mtu(40)
    assert not pen.state()["streaming"]


def test_an_answer_that_cannot_pass_the_link_is_given_up(c_pen_of):
    pen = c_pen_of(mtu=23)
    assert pen.receive(encode_frame(command_frame(commands.hello(1)))) > 0
    assert pen.notifications() == []
    assert pen.receive(encode_frame(command_frame(commands.hello(2)))) > 0, "it does not block the next one"


def test_lost_link_forgets_half_a_command_and_waiting_frames(c_pen_of):
    pen = started(c_pen_of)
    pen.take(counts(50), 0)
    pen.pump(30)
    pen.receive(b"\x05half a command")
    pen.disconnect()
    assert pen.pump() == b""
    assert ask(pen, commands.hello(1)).ok
    pen.take(counts(50, 50), 50 * PERIOD_US)
    assert pen.pump() == b""
    assert pen.state()["index"] == 100


def test_log_lines_and_events_arrive(c_pen_of):
    pen = c_pen_of()
    pen.log("Füllstand " + "x" * 100)
    pen.event(EventCode.BUTTON, b"\x01")
    log, event = frames_of(pen.pump())
    assert log_text(log).startswith("Füllstand xxx")
    assert len(log.payload) == 64
    assert parse_event(event).code == EventCode.BUTTON
    for k in range(6):
        pen.event(EventCode.BUTTON, bytes([k]))
    assert [parse_event(f).detail for f in frames_of(pen.pump())] == [bytes([k]) for k in range(2, 6)]
