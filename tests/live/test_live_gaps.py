"""What a gap is called: exact within one boot, whatever the pen does to its clock meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_protocol.descriptor import standard_descriptor
from firmware_protocol.framing import Flag, Frame, FrameType
from firmware_protocol.messages import Op, Response, Status, response_frame
from penapp.device.source import ArrivedFrame
from penapp.live_gaps import Gap, GapCause, GapFinder
from penapp.stream.assemble import StreamAssembler
from penapp.stream.clock_follow import ClockFollower
from penapp.stream.merge import assembled
from penapp.stream.queue import Arrival

PEN = standard_descriptor(100.0, boot_id=1)


def frame(index, t_us, flags=Flag.NONE):
    return Frame(FrameType.DATA, 0, 0, 8, flags, index, t_us, bytes(8 * 26))


def gaps_of(*batches):
    """Gaps as a session finds them; each batch is a list of (frame, seconds of its arrival)."""
    assembler, clock, finder, found = StreamAssembler(PEN), ClockFollower(), GapFinder(), []
    for batch in batches:
        arrived = [ArrivedFrame(f, round((1000 + at_s) * 1e9)) for f, at_s in batch]
        for segment, blocks in assembled(assembler, clock.following(assembler, arrived)):
            arrival = Arrival(blocks, segment, arrived[-1].arrival_ns)
            found += finder.push(arrival, assembler.rate_hz, clock.breaks)
    return found, finder.tally


def test_a_pen_that_sets_its_clock_was_not_started_again():
    gaps, tally = gaps_of([(frame(0, 10**6), 0.08)], [(frame(58, 5, Flag.DISCONTINUITY), 0.66)])
    assert gaps == [Gap(GapCause.SAMPLES, 50, 0.5, 0.0, 8)]
    assert (tally.restarts, tally.lost) == (0, 50)


def test_a_clock_that_is_set_without_a_loss_is_no_gap():
    gaps, tally = gaps_of([(frame(0, 10**6), 0.08)], [(frame(8, 5, Flag.DISCONTINUITY), 0.16)])
    assert (gaps, tally.count) == ([], 0)


def test_a_restart_and_a_loss_behind_it_in_one_delivery_are_told_apart():
    hello = response_frame(Response(Op.HELLO, 0, Status.OK, replace(PEN, boot_id=2).encode()))
    again = [(hello, 0.0), (frame(0, 0), 5.0), (frame(8 + 300, 3_080_000), 8.08)]
    restart, loss = gaps_of([(frame(0, 10**6), 0.0)], again)[0]
    assert (restart.cause, restart.lost) == (GapCause.RESTART, None)
    assert restart.duration_s == pytest.approx(4.93, abs=2 * restart.uncertainty_s)
    assert (loss.cause, loss.lost) == (GapCause.SAMPLES, 300)
