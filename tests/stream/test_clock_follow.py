"""From frames with arrivals to a clock and to breaks whose length is known, or honestly not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from firmware_protocol.channels import standard_descriptor
from firmware_protocol.commands import TimeSyncReading
from firmware_protocol.framing import Flag, Frame, FrameType
from firmware_protocol.messages import Op, Response, Status, response_frame
from penapp.device.source import ArrivedFrame
from penapp.stream.assemble import StreamAssembler
from penapp.stream.clock_follow import ClockFollower
from penapp.stream.merge import assembled
from penapp.stream.moment import Break

PEN = standard_descriptor(100.0, boot_id=1)
HOST_S = 5000.0
DELAY_S = 0.004
WRAPS_SOON_US = 2**32 - 3_000_000


def frame(index, *, flags=Flag.NONE, since_us=WRAPS_SOON_US):
    t_us = (since_us + index * 10_000) % 2**32
    return Frame(FrameType.DATA, 0, 0, 8, flags, index % 2**32, t_us, bytes(8 * 26))


def arrivals(seconds, *, first=0, start_s=HOST_S, skew=0.0, **options):
    """Frames of a pen whose sample 0 was taken at start_s; they arrive 4 ms after their last sample."""
    for index in range(first, first + round(seconds * 100), 8):
        taken_s = start_s + (index + 7) * 0.01 * (1 + skew)
        yield ArrivedFrame(frame(index, **options), round((taken_s + DELAY_S) * 1e9))


def hello(boot_id):
    answer = Response(Op.HELLO, 0, Status.OK, replace(PEN, boot_id=boot_id).encode())
    return ArrivedFrame(response_frame(answer), 0)


def followed(*stretches):
    follower, assembler = ClockFollower(), StreamAssembler(PEN)
    for stretch in stretches:
        for _ in assembled(assembler, follower.following(assembler, stretch)):
            pass
    return follower, assembler


def test_the_newest_sample_is_known_on_the_hosts_clock():
    follower, _ = followed(arrivals(60))
    true_s = HOST_S + 59.99
    assert follower.newest.host_s == pytest.approx(true_s + DELAY_S, abs=1e-4)
    assert follower.reading.uncertainty_s < 0.01
    assert follower.breaks == ()


def test_the_skew_is_found_through_the_wrap_of_the_pens_microseconds():
    follower, _ = followed(arrivals(300, skew=80e-6))
    assert follower.reading.skew_ppm == pytest.approx(80, abs=3)


def test_a_gap_within_one_boot_is_exact_and_the_clock_goes_on():
    follower, assembler = followed(arrivals(60), arrivals(5, first=6000 + 12_345))
    (gap,) = follower.breaks
    assert gap.lost == 12_345
    assert gap.duration_s == pytest.approx(123.46, abs=1e-3)
    assert gap.uncertainty_s < 0.002
    assert (assembler.counters.segments, follower.reading.jumps) == (1, 0)
    assert follower.newest.host_s == pytest.approx(HOST_S + 188.48 + DELAY_S, abs=0.002)


def test_ordinary_losses_are_no_breaks():
    follower, assembler = followed(arrivals(10), arrivals(10, first=1040))
    assert (follower.breaks, assembler.counters.lost) == ((), 40)


@pytest.mark.parametrize("off_s", [0.7, 30.0, 4000.0])
def test_across_a_reboot_the_break_is_a_duration_with_its_uncertainty(off_s):
    again_s = HOST_S + 60 - 0.01 + off_s
    follower, _ = followed(arrivals(60), [hello(2)], arrivals(10, start_s=again_s, since_us=5))
    (gap,) = follower.breaks
    assert gap.lost is None
    assert abs(gap.duration_s - off_s) < 2 * gap.uncertainty_s
    assert gap.uncertainty_s < 0.03
    assert gap.segment == 2


def test_the_length_of_a_break_is_known_better_as_the_new_clock_settles():
    again_s = HOST_S + 70
    first, _ = followed(arrivals(60), [hello(2)], arrivals(0.08, start_s=again_s, since_us=5))
    later, _ = followed(arrivals(60), [hello(2)], arrivals(30, start_s=again_s, since_us=5))
    assert 0.02 < first.breaks[0].uncertainty_s < 0.1
    assert later.breaks[0].uncertainty_s < first.breaks[0].uncertainty_s / 5


def test_an_index_that_happens_to_go_on_behind_a_reboot_counts_nothing():
    follower, _ = followed(arrivals(60), [hello(2)], arrivals(5, first=6500))
    assert [gap.lost for gap in follower.breaks] == [None]


def test_a_reboot_that_only_the_index_tells_is_a_break_too():
    follower, assembler = followed(arrivals(60), arrivals(10, start_s=HOST_S + 65, since_us=0))
    assert assembler.counters.segments == 2
    (gap,) = follower.breaks
    assert abs(gap.duration_s - 5.01) < 2 * gap.uncertainty_s


def test_a_pen_that_sets_its_clock_in_one_boot_keeps_the_count():
    """The index goes on: the gap is exact although the clock is a new one."""
    first, *rest = arrivals(10, first=6000 + 50, since_us=77)
    first = replace(first, frame=replace(first.frame, flags=Flag.DISCONTINUITY))
    follower, assembler = followed(arrivals(60), [first], rest)
    (gap,) = follower.breaks
    assert (gap.lost, assembler.counters.segments) == (50, 2)
    assert gap.duration_s == pytest.approx(0.51, abs=1e-3)


def test_without_arrivals_nothing_is_claimed():
    bare = [replace(a, arrival_ns=0) for a in arrivals(5)]
    follower, _ = followed(bare, [hello(2)], bare)
    assert follower.newest is None
    assert math.isinf(follower.reading.uncertainty_s)
    assert follower.breaks == (Break(2, 0.0, math.inf, None),)
    assert not follower.breaks[0].known


def test_time_sync_frames_on_the_way_bound_the_clock():
    """The pen has the question 1 ms after it was sent: frames wait 4 ms, the clock is known to about 1."""

    def ping(at_s):
        device_us = WRAPS_SOON_US + round((at_s - HOST_S) * 1e6)
        reading = TimeSyncReading(round((at_s - 0.001) * 1e6), device_us, device_us)
        answer = Response(Op.TIME_SYNC, 1, Status.OK, reading.encode())
        return ArrivedFrame(response_frame(answer), round((at_s + 0.001) * 1e9))

    def both():
        for k, arrived in enumerate(arrivals(40)):
            yield arrived
            if k % 12 == 5:
                yield ping(arrived.arrival_ns * 1e-9 - 0.001)

    follower, _ = followed(both())
    assert follower.reading.pings > 30
    assert follower.reading.conflicts == 0
    assert abs(follower.newest.host_s - (HOST_S + 39.99)) < 0.0016


def test_a_lost_or_late_frame_does_not_reach_the_clock():
    whole = list(arrivals(20))
    late = [*whole[:100], *whole[101:110], whole[100], *whole[110:]]
    follower, assembler = followed(late)
    assert assembler.counters.repeated == 1
    assert follower.newest.host_s == followed(whole)[0].newest.host_s


def test_reset_forgets():
    follower, _ = followed(arrivals(10), [hello(2)], arrivals(10))
    follower.reset()
    assert (follower.breaks, follower.newest) == ((), None)


def test_a_thousand_reboots_do_not_pile_up():
    follower, assembler = ClockFollower(), StreamAssembler(PEN)
    for k in range(1100):
        stretch = [hello(10 + k), *arrivals(0.08, start_s=HOST_S + k)]
        list(assembled(assembler, follower.following(assembler, stretch)))
    assert len(follower.breaks) == 1024
    assert follower.breaks[-1].segment == assembler.counters.segments == 1100
