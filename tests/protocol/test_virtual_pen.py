"""The far end of the wire: commands, samples, faults."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from firmware_protocol import commands
from firmware_protocol.channels import Descriptor, standard_descriptor
from firmware_protocol.errors import FrameError, ProtocolError
from firmware_protocol.framing import (
    Flag,
    Frame,
    FrameDecoder,
    FrameType,
    NotificationDecoder,
    decode_frame,
    encode_frame,
    to_serial,
)
from firmware_protocol.links import MIN_MTU, batch_size, min_mtu, samples_per_notification
from firmware_protocol.messages import (
    Command,
    Event,
    EventCode,
    Op,
    Response,
    Status,
    command_frame,
    event_frame,
    join_samples,
    log_text,
    parse_command,
    parse_event,
    parse_response,
    response_frame,
    samples,
)
from firmware_protocol.virtual_pen import Faults, PenFirmware

PEN = standard_descriptor(100.0, boot_id=7)
PERIOD_US = 10_000


class Host:
    """The other side of a pen: asks, and reads what comes."""

    def __init__(self, pen: PenFirmware, *, serial: bool = True) -> None:
        self.pen = pen
        self.serial = serial
        self.decoder = FrameDecoder() if serial else NotificationDecoder()
        self.arrived: list[Frame] = []

    def read(self, items: list[bytes]) -> list[Frame]:
        frames = [f for item in items for f in self.decoder.feed(item)]
        self.arrived += frames
        return frames

    def ask(self, command: Command) -> Response:
        raw = encode_frame(command_frame(command))
        frames = self.read(self.pen.receive(to_serial(raw) if self.serial else raw))
        return parse_response(next(f for f in frames if f.type is FrameType.RSP))

    def start(self) -> None:
        assert self.ask(commands.start(1, self.pen.descriptor.schema_hash)).ok

    def stop(self) -> None:
        assert self.ask(commands.stop(2)).ok

    def samples(self) -> list[Frame]:
        return [f for f in self.arrived if f.type is FrameType.DATA]


def counts(n: int, first: int = 0) -> np.ndarray:
    return (np.arange(first, first + n)[:, None] + np.arange(13)).astype(np.int16)


def stream(n: int, faults: Faults | None = None, *, split: int = 8) -> Host:
    host = Host(PenFirmware(PEN, faults=faults))
    host.start()
    for at in range(0, n, split):
        host.read(host.pen.take(counts(min(split, n - at), at), at * PERIOD_US))
    host.stop()
    return host


def test_hello_gives_the_descriptor():
    answer = Host(PenFirmware(PEN)).ask(commands.hello(9))
    assert answer.tag == 9
    assert Descriptor.decode(answer.data) == PEN


def test_every_sample_arrives_once_with_its_number_and_time():
    host = stream(100)
    frames = host.samples()
    np.testing.assert_array_equal(join_samples(frames, 13), counts(100))
    assert [f.seq for f in frames] == list(range(13))
    assert [(f.index, f.t_us) for f in frames] == [(8 * k, 8 * k * PERIOD_US) for k in range(13)]
    assert frames[-1].n == 4, "samples of the unfinished batch leave before the answer to STOP"


@pytest.mark.parametrize("split", [1, 3, 8, 64, 100])
def test_frames_do_not_depend_on_how_the_sensors_delivered(split):
    assert stream(100, split=split).samples() == stream(100).samples()


def test_samples_are_counted_while_nobody_listens():
    host = Host(PenFirmware(PEN))
    assert host.pen.take(counts(50), 0) == []
    host.start()
    host.read(host.pen.take(counts(8, 50), 50 * PERIOD_US))
    assert host.samples()[0].index == 50


def test_counters_wrap_as_on_the_wire():
    host = Host(PenFirmware(PEN))
    host.pen.state.index = 2**32 - 4
    host.start()
    host.read(host.pen.take(counts(16), 2**32 - 4 * PERIOD_US))
    assert [f.index for f in host.samples()] == [2**32 - 4, 4]
    assert [f.t_us for f in host.samples()] == [2**32 - 4 * PERIOD_US, 4 * PERIOD_US]


def test_a_pen_that_was_stopped_sends_nothing():
    host = stream(16)
    assert host.pen.take(counts(50), 10**6) == []
    assert not host.pen.streaming


def test_streaming_stops_when_the_link_goes():
    host = stream(16)
    host.start()
    host.pen.receive(b"\x05half a command")
    host.pen.disconnect()
    assert host.pen.take(counts(50), 10**6) == []
    assert host.ask(commands.hello(1)).ok


def test_wrong_schema_is_refused_with_the_right_one():
    host = Host(PenFirmware(PEN))
    answer = host.ask(commands.start(1, PEN.schema_hash ^ 1))
    assert answer.status == Status.BAD_SCHEMA
    assert int.from_bytes(answer.data, "little") == PEN.schema_hash
    assert not host.pen.streaming


def test_repeated_tag_is_answered_but_not_carried_out_again():
    host = Host(PenFirmware(PEN))
    first = host.ask(commands.set_rate(5, 0, 200.0))
    again = host.ask(commands.set_rate(5, 0, 200.0))
    assert first == again
    assert host.pen.state.epoch == Flag.EPOCH, "carried out twice it would have toggled back"


def test_rate_change_takes_effect_and_shows_in_the_frames():
    host = Host(PenFirmware(PEN))
    host.start()
    host.read(host.pen.take(counts(4), 0))
    assert host.ask(commands.set_rate(3, 0, 400.0)).ok
    host.read(host.pen.take(counts(8, 4), 4 * PERIOD_US))
    host.stop()
    frames = host.samples()
    assert [(f.n, bool(f.flags & Flag.EPOCH)) for f in frames] == [(4, False), (8, True)]
    assert host.pen.descriptor.streams[0].rate_hz == 400.0
    assert host.ask(commands.set_rate(4, 0, 5000.0)).status == Status.BAD_ARGUMENT
    assert host.ask(commands.set_rate(4, 3, 100.0)).status == Status.BAD_ARGUMENT


def test_small_commands():
    host = Host(PenFirmware(PEN))
    assert commands.BatteryReading.decode(host.ask(Command(Op.BATTERY, 1)).data).percent == 87
    host.pen.receive(b"", now_us=5_000)
    sync = commands.TimeSyncReading.decode(host.ask(commands.time_sync(2, 123)).data)
    assert (sync.host_us, sync.device_rx_us) == (123, 5_000)
    assert host.ask(commands.identify(3, 1500)).ok
    assert host.pen.state.identify_ms == 1500
    assert host.ask(commands.name(4, "Füller")).data.decode() == "Füller"
    assert host.ask(commands.name(5)).data.decode() == host.pen.descriptor.name == "Füller"
    assert host.ask(commands.name(6, "x" * 33)).status == Status.BAD_ARGUMENT
    assert host.ask(Command(Op.SELFTEST, 7)).data == b"\0\0"
    assert host.ask(commands.set_range(8, 1, 2)).status == Status.NOT_SUPPORTED
    assert host.ask(Command(Op.DFU, 9)).status == Status.NOT_SUPPORTED
    assert host.ask(Command(0x55, 10)).status == Status.UNKNOWN_OP
    assert host.ask(Command(Op.START, 11, b"\x01")).status == Status.BAD_ARGUMENT
    assert host.ask(Command(Op.NAME, 12, b"\xff\xfe")).status == Status.BAD_ARGUMENT


def test_status_counts_what_happened():
    host = stream(100)
    counted = commands.PenCounters.decode(host.ask(Command(Op.STATUS, 3)).data)
    assert (counted.samples_taken, counted.overruns) == (100, 0)
    assert counted.frames_sent == 13 + 2


def write_calibration(host: Host, stored: bytes) -> Response:
    for offset in range(0, len(stored), 100):
        answer = host.ask(
            commands.cal_write(offset // 100, offset, len(stored), stored[offset : offset + 100])
        )
        if not answer.ok:
            break
    return answer


def read_calibration(host: Host) -> bytes:
    stored, total = b"", 1
    while len(stored) < total:
        answer = host.ask(commands.cal_read(len(stored) % 256, len(stored)))
        total = int.from_bytes(answer.data[:2], "little")
        stored += answer.data[2:]
    return stored


def test_calibration_is_kept_whole_or_not_at_all():
    host = Host(PenFirmware(PEN))
    blob = bytes(range(256)) * 2
    assert write_calibration(host, commands.seal(blob)).ok
    assert commands.unseal(read_calibration(host)) == blob
    damaged = commands.seal(b"other" * 50)[:-1] + b"?"
    assert write_calibration(host, damaged).status == Status.BAD_CHECKSUM
    assert host.ask(commands.cal_write(99, 70, 100, b"gap")).status == Status.BAD_ARGUMENT
    assert commands.unseal(read_calibration(host)) == blob
    with pytest.raises(ProtocolError, match="Calibrate"):
        commands.unseal(damaged)


def test_clipped_samples_are_flagged():
    host = Host(PenFirmware(PEN))
    host.start()
    loud = counts(16)
    loud[9, 12] = 4095
    host.read(host.pen.take(loud, 0))
    assert [bool(f.flags & Flag.CLIPPED) for f in host.samples()] == [False, True]


def test_clock_that_steps_back_is_flagged_and_starts_a_frame():
    host = Host(PenFirmware(PEN))
    host.start()
    host.read(host.pen.take(counts(4), 10**6))
    host.read(host.pen.take(counts(8, 4), 0))
    assert [(f.n, bool(f.flags & Flag.DISCONTINUITY)) for f in host.samples()] == [(4, False), (8, True)]


def test_reboot_starts_a_new_clock_and_keeps_the_calibration():
    host = stream(16)
    write_calibration(host, commands.seal(b"mine"))
    host.pen.reboot(boot_id=8)
    assert Descriptor.decode(host.ask(commands.hello(1)).data).boot_id == 8
    host.start()
    host.read(host.pen.take(counts(8), 0))
    assert (host.samples()[-1].index, host.samples()[-1].seq) == (0, 0)
    assert host.samples()[-1].flags == Flag.NONE
    assert commands.unseal(read_calibration(host)) == b"mine"


def test_log_lines_arrive():
    host = Host(PenFirmware(PEN))
    (frame,) = host.read(host.pen.log("Füllstand"))
    assert log_text(frame) == "Füllstand"


@pytest.mark.parametrize(("mtu", "n"), [(49, 1), (185, 6), (247, 8), (517, 8)])
def test_notifications_hold_what_the_mtu_allows(mtu, n):
    host = Host(PenFirmware(PEN, mtu=mtu), serial=False)
    host.start()
    items = host.pen.take(counts(24), 0)
    assert all(len(item) <= mtu - 3 for item in items)
    assert {decode_frame(item).n for item in items} == {n}


def test_mtu_too_small_for_one_sample_refuses_start():
    host = Host(PenFirmware(PEN, mtu=MIN_MTU - 1), serial=False)
    assert host.ask(commands.start(1, PEN.schema_hash)).status == Status.MTU_TOO_SMALL
    assert not host.pen.streaming


def test_hello_on_a_small_link_leaves_the_descriptor_to_its_characteristic():
    assert Host(PenFirmware(PEN, mtu=247), serial=False).ask(commands.hello(1)) == Response(
        Op.HELLO, 1, Status.OK
    )
    assert Host(PenFirmware(PEN, mtu=517), serial=False).ask(commands.hello(1)).data == PEN.encode()


def test_packet_rules():
    assert MIN_MTU == 49
    assert [samples_per_notification(m, 13) for m in (23, 48, 49, 185, 247, 517)] == [0, 0, 1, 6, 8, 18]
    assert min_mtu(6) == 35
    assert [batch_size(r) for r in (10, 50, 62.5, 99.9, 100, 400)] == [1, 4, 5, 7, 8, 8]


# Faults


def test_lost_frames_can_be_counted_exactly():
    host = stream(8000, Faults(drop=0.05, seed=3))
    frames = host.samples()
    lost_frames = sum((b.seq - a.seq - 1) % 65536 for a, b in itertools.pairwise(frames))
    lost_samples = sum(b.index - a.index - a.n for a, b in itertools.pairwise(frames))
    assert lost_frames == 1000 - len(frames)
    assert 30 <= lost_frames <= 70
    assert lost_samples == 8 * lost_frames


def test_corrupted_frames_are_lost_and_counted_and_the_rest_is_whole():
    host = stream(8000, Faults(corrupt=0.05, truncate=0.02, rubbish=0.02, seed=3))
    reference = {f.index: f for f in stream(8000).samples()}
    assert all(reference[f.index] == f for f in host.samples())
    assert 60 <= 1000 - len(host.samples()) <= 120
    assert host.decoder.counters.damaged >= 1000 - len(host.samples())


def test_duplicates_come_twice():
    seen = Counter(f.index for f in stream(8000, Faults(duplicate=0.05, seed=3)).samples())
    assert len(seen) == 1000
    assert set(seen.values()) == {1, 2}


def test_reordered_frames_come_after_the_next_one_and_none_is_missing():
    indices = [f.index for f in stream(8000, Faults(reorder=0.1, seed=3)).samples()]
    assert sorted(indices) == list(range(0, 8000, 8))
    late = [a for a, b in itertools.pairwise(indices) if b < a]
    assert 50 <= len(late) <= 150


def test_overrun_in_the_pen_is_flagged_and_leaves_no_gap_in_the_sequence():
    host = stream(8000, Faults(overrun=0.05, seed=3))
    frames = host.samples()
    assert [f.seq for f in frames] == list(range(len(frames)))
    jumped = [b for a, b in itertools.pairwise(frames) if b.index != a.index + a.n]
    assert jumped == [f for f in frames[1:] if f.flags & Flag.OVERRUN]
    assert 20 <= host.pen.counters.overruns <= 80
    assert host.pen.counters.overruns == 1000 - len(frames)


def test_answers_are_spared_unless_asked():
    whole = Host(PenFirmware(PEN, faults=Faults(drop=1.0)))
    assert whole.ask(commands.hello(1)).ok
    deaf = PenFirmware(PEN, faults=Faults(drop=1.0, responses=True))
    assert deaf.receive(to_serial(encode_frame(command_frame(commands.hello(1))))) == []


def test_a_lost_answer_comes_with_the_next_try():
    pen = PenFirmware(PEN, faults=Faults(drop=0.5, responses=True, seed=1))
    asked = to_serial(encode_frame(command_frame(commands.hello(1))))
    tries = [len(pen.receive(asked)) for _ in range(20)]
    assert 0 < sum(tries) < 20


def test_silent_pen_says_nothing():
    pen = PenFirmware(PEN, faults=Faults(silent=True))
    assert pen.receive(to_serial(encode_frame(command_frame(commands.hello(1))))) == []


def test_pen_without_samples_answers_but_sends_none():
    host = stream(80, Faults(no_samples=True))
    assert host.samples() == []


def test_other_version_is_seen_by_the_host():
    pen = PenFirmware(PEN, faults=Faults(version=2))
    decoder = FrameDecoder()
    for item in pen.receive(to_serial(encode_frame(command_frame(commands.hello(1))))):
        assert decoder.feed(item) == []
    assert decoder.counters.last_foreign_version == 2


def test_same_seed_same_damage():
    faults = Faults(drop=0.1, corrupt=0.1, duplicate=0.1, reorder=0.1, truncate=0.1, rubbish=0.1, seed=5)
    assert stream(800, faults).arrived == stream(800, faults).arrived


def test_impossible_probability_is_refused():
    with pytest.raises(ValueError, match="drop"):
        Faults(drop=1.5)


def test_pen_survives_rubbish_from_the_host():
    host = Host(PenFirmware(PEN))
    rng = np.random.default_rng(1)
    for _ in range(200):
        assert host.pen.receive(rng.bytes(100)) == []
    empty_command = Frame(FrameType.CMD, payload=b"\x01")
    assert host.pen.receive(b"\x00" + to_serial(encode_frame(empty_command))) == []
    assert host.ask(commands.hello(1)).ok


# Messages


def test_messages_come_back_as_they_were():
    command, response = Command(Op.STOP, 255, b"ab"), Response(Op.STOP, 3, Status.BUSY, b"x")
    event = Event(EventCode.BUTTON, b"\x01")
    assert parse_command(command_frame(command)) == command
    assert parse_response(response_frame(response)) == response
    assert parse_event(event_frame(event)) == event
    assert parse_event(event_frame(Event(200))) == Event(200)


def test_samples_of_a_frame_with_other_channels_are_refused():
    frame = stream(8).samples()[0]
    assert samples(frame, 13).flags.writeable is False
    with pytest.raises(FrameError, match="HELLO"):
        samples(frame, 12)
    with pytest.raises(FrameError, match="no RSP message"):
        parse_response(frame)


def test_join_of_nothing_is_no_sample():
    assert join_samples([], 13).shape == (0, 13)


def test_answer_that_is_too_short_is_named():
    with pytest.raises(FrameError, match="BatteryReading has 2 bytes"):
        commands.BatteryReading.decode(b"\x01\x02")
    assert commands.BatteryReading.decode(b"\x01\x02\x03\x00future").percent == 1


def test_a_faster_rate_is_no_step_of_the_clock():
    host = Host(PenFirmware(PEN))
    host.start()
    host.read(host.pen.take(counts(4), 0))
    assert host.ask(commands.set_rate(3, 0, 400.0)).ok
    host.read(host.pen.take(counts(8, 4), 3 * PERIOD_US + 2500))
    assert [bool(f.flags & Flag.DISCONTINUITY) for f in host.samples()] == [False, False]


def test_a_reboot_leaves_no_flag_of_the_time_before():
    host = Host(PenFirmware(PEN))
    host.start()
    host.read(host.pen.take(counts(4), 10**6))
    host.read(host.pen.take(counts(4, 4), 0))
    host.pen.reboot(boot_id=8)
    host.start()
    host.read(host.pen.take(counts(8), 0))
    assert host.samples()[-1].flags == Flag.NONE
