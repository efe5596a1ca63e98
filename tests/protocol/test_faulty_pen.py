"""A plan of faults happens to a pen when it says so, whatever carries the bytes."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol import commands
from firmware_protocol.descriptor import standard_descriptor
from firmware_protocol.fault_plan import FaultKind, FaultPlan, PenFault
from firmware_protocol.faulty_pen import FaultyPen
from firmware_protocol.framing import FrameDecoder, FrameType, encode_frame, to_serial
from firmware_protocol.messages import command_frame, parse_response

DESCRIPTOR = standard_descriptor(100.0, boot_id=7)


class Host:
    """Talks to a faulty pen by hand; the clock is a number."""

    def __init__(self, *faults):
        self.pen = FaultyPen(DESCRIPTOR, FaultPlan(faults), batch=4)
        self.now_s, self.taken, self.tag = 0.0, 0, 0
        self.decoder = FrameDecoder()

    def ask(self, make, *args):
        self.tag += 1
        raw = to_serial(encode_frame(command_frame(make(self.tag, *args))))
        return self.frames(self.pen.receive(raw))

    def start(self):
        return self.ask(commands.start, DESCRIPTOR.schema_hash)

    def measure(self, n):
        items = self.pen.take(np.zeros((n, 13), np.int16), self.taken * 10_000)
        self.taken += n
        return self.frames(items)

    def wait(self, seconds):
        self.now_s += seconds
        return self.frames(self.pen.tick(self.now_s))

    def frames(self, items):
        return [frame for item in items for frame in self.decoder.feed(item)]


def indices(frames):
    return [f.index for f in frames if f.type is FrameType.DATA]


def test_a_pen_unplugged_at_a_sample_counts_on_and_comes_back():
    host = Host(PenFault(FaultKind.UNPLUG, 10, 0.5))
    host.wait(0.0)
    host.start()
    assert indices(host.measure(20)) == [0, 4]  # samples 8 and 9 were waiting for their frame
    assert (host.pen.away, host.pen.cuts) == (True, 1)
    assert host.start() == []
    host.wait(0.6)
    assert not host.pen.away
    host.start()
    assert indices(host.measure(4)) == [20]
    assert (host.pen.history[0].index, host.pen.history[0].over_s) == (10, 0.6)


def test_after_a_reboot_everything_counts_from_nothing():
    host = Host(PenFault(FaultKind.REBOOT, 8, 0.2))
    host.start()
    host.measure(30)
    host.wait(0.3)
    assert host.pen.descriptor.boot_id != DESCRIPTOR.boot_id
    assert host.pen.descriptor.device_id == DESCRIPTOR.device_id
    host.start()
    (frame,) = host.measure(4)
    assert (frame.index, frame.t_us) == (0, 0)


def test_another_pen_is_there_for_a_while():
    host = Host(PenFault(FaultKind.REPLACED, 0, 1.0))
    host.start()
    host.measure(4)
    host.wait(0.06)
    assert host.pen.descriptor.device_id != DESCRIPTOR.device_id
    host.wait(1.1)
    assert host.pen.away
    host.wait(0.06)
    assert host.pen.descriptor == DESCRIPTOR


def test_a_pen_that_hangs_reads_its_commands_late():
    host = Host(PenFault(FaultKind.STALL, 4, 1.0))
    host.start()
    assert indices(host.measure(12)) == [0]
    assert host.ask(commands.hello) == []
    assert [f.type for f in host.wait(1.1)] == [FrameType.RSP]
    assert indices(host.measure(4)) == [12]


def test_what_was_asked_before_the_host_hung_up_is_answered_no_more():
    host = Host(PenFault(FaultKind.STALL, 4, 1.0))
    host.start()
    host.measure(12)
    host.ask(commands.hello)
    host.pen.disconnect()
    assert host.wait(1.1) == []


def test_the_pens_own_time_counts_from_its_last_start():
    """The carrier's clock runs through; what the host is told does not."""
    host = Host(PenFault(FaultKind.REBOOT, 4, 0.5))
    host.start()
    host.measure(8)
    host.wait(0.6)
    host.measure(4)
    asked = to_serial(encode_frame(command_frame(commands.time_sync(9, 1))))
    (answer,) = host.frames(host.pen.receive(asked, now_us=150_000))
    assert commands.TimeSyncReading.decode(parse_response(answer).data).device_rx_us == 70_000


def test_a_silent_pen_answers_and_sends_nothing():
    host = Host(PenFault(FaultKind.SILENCE, 4, 1.0))
    host.start()
    assert indices(host.measure(12)) == [0]
    assert len(host.ask(commands.hello)) == 1
    host.wait(1.1)
    assert indices(host.measure(4)) == [12]


def test_slow_answers_come_late_until_samples_flow():
    host = Host(PenFault(FaultKind.SLOW, 0, 0.3))
    host.start()
    host.measure(4)
    host.wait(0.06)
    assert host.start() == []
    assert host.wait(0.2) == []
    (answer,) = host.wait(0.2)
    assert parse_response(answer).ok
    assert len(host.ask(commands.hello)) == 1


def test_connects_are_refused_for_a_while():
    host = Host(PenFault(FaultKind.REFUSE, 0, 0.5))
    host.start()
    host.measure(4)
    host.wait(0.06)
    assert (host.pen.away, host.pen.refusing) == (False, True)
    host.wait(0.6)
    assert (host.pen.refusing, host.pen.well) == (False, True)


@pytest.mark.parametrize("kind", [FaultKind.LOSS, FaultKind.DAMAGE])
def test_a_bad_wire_costs_frames_only_as_long_as_it_is_bad(kind):
    host = Host(PenFault(kind, 0, 1.0))
    host.start()
    assert 50 < len(host.measure(400)) < 90
    host.wait(1.1)
    assert len(host.measure(400)) == 100


def test_a_fault_waits_until_samples_flow_again():
    host = Host(PenFault(FaultKind.UNPLUG, 4, 0.5), PenFault(FaultKind.REBOOT, 5, 0.5))
    host.start()
    host.measure(100)
    host.wait(0.6)
    host.measure(4)
    assert host.pen.ahead == 1
    host.start()
    host.measure(4)
    assert (host.pen.ahead, host.pen.away) == (0, True)


def test_the_sensors_stop_with_stop():
    host = Host()
    host.start()
    assert host.pen.streaming
    host.ask(commands.stop)
    assert not host.pen.streaming


def test_a_drawn_plan_holds_every_kind_alike_and_is_the_same_for_a_seed():
    plan = FaultPlan.drawn(28, 3, every_samples=500)
    kinds = [fault.kind for fault in plan.faults]
    assert {kinds.count(kind) for kind in FaultKind} == {2}
    assert plan == FaultPlan.drawn(28, 3, every_samples=500)
    assert plan != FaultPlan.drawn(28, 4, every_samples=500)


def test_a_plan_out_of_order_is_refused():
    with pytest.raises(ValueError, match="rising order"):
        FaultPlan((PenFault(FaultKind.STALL, 9), PenFault(FaultKind.STALL, 3)))
