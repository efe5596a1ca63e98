"""Frames to samples: exact losses, clocks that wrap, and no trace of how bytes were split."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.channels import Mount, Quantity
from firmware_protocol.descriptor import standard_descriptor
from firmware_protocol.framing import Flag, Frame, FrameDecoder, FrameType, encode_frame, to_serial
from firmware_protocol.messages import Op, Response, Status, response_frame
from firmware_protocol.streams import counts_to_si
from firmware_protocol.virtual_pen import Faults, PenFirmware
from penapp.errors import BadInputError
from penapp.stream.assemble import StreamAssembler
from penapp.stream.block import SampleBlock
from penapp.stream.merge import merged
from penapp.stream.queue import Arrival, BlockQueue
from penapp.stream.ring import SampleRing

PEN = standard_descriptor(100.0, boot_id=1)


def counts_of(first, n):
    """Each sample says its own number in the gyroscope's z."""
    counts = np.zeros((n, 13), dtype=np.int16)
    counts[:, 8] = np.arange(first, first + n) % 30000
    counts[:, 0] = 1000
    return counts


def frame(index, n=8, *, flags=Flag.NONE, rate_hz=100.0, t_us=None, ppm=0.0):
    t = round(index * 1e6 / rate_hz * (1 + ppm * 1e-6)) if t_us is None else t_us
    index, t = index % 2**32, t % 2**32
    return Frame(FrameType.DATA, 0, 0, n, flags, index, t, counts_of(index, n).tobytes())


def assembled(frames, descriptor=PEN):
    assembler = StreamAssembler(descriptor)
    blocks = [b for f in frames for b in assembler.push(f)]
    return assembler, blocks + assembler.finish()


def joined(blocks):
    return np.concatenate([b.t for b in blocks]), np.concatenate([b.values for b in blocks])


def test_counts_become_si_values_in_field_order():
    _, (block,) = assembled([frame(0)])
    np.testing.assert_array_equal(block.values, counts_to_si(counts_of(0, 8), PEN.streams[0]))
    assert block.valid.all()
    np.testing.assert_allclose(block.t, np.arange(8) / 100.0)


def test_lost_samples_are_counted_exactly():
    assembler, blocks = assembled([frame(0), frame(8), frame(40), frame(48), frame(100, 3)])
    assert [b.lost for b in blocks] == [0, 0, 24, 0, 44]
    assert assembler.counters.lost == 68
    assert assembler.counters.loss_percent == pytest.approx(100 * 68 / 103)


def test_time_runs_on_through_a_loss():
    _, blocks = assembled([frame(0), frame(400)])
    assert blocks[1].t[0] == pytest.approx(4.0)


def test_duplicates_and_late_frames_are_dropped_and_counted():
    assembler, blocks = assembled([frame(0), frame(8), frame(8), frame(24), frame(16), frame(32)])
    assert [round(b.t[0] * 100) for b in blocks] == [0, 8, 24, 32]
    assert (assembler.counters.repeated, assembler.counters.lost) == (2, 8)


@pytest.mark.parametrize("first", [2**32 - 20, 2**32 - 16, 2**31 - 4])
def test_the_index_wraps_without_a_trace(first):
    frames = [frame(first + k, t_us=k * 10_000) for k in range(0, 80, 8)]
    assembler, blocks = assembled(frames)
    t, _ = joined(blocks)
    np.testing.assert_allclose(np.diff(t), 0.01, rtol=1e-6)
    assert (assembler.counters.lost, assembler.counters.segments) == (0, 1)


def test_the_clock_wraps_without_a_trace_even_across_a_loss_of_two_hours():
    start_us = 2**32 - 35_000
    places = [0, 8, 16, 24, 720_024, 720_032]
    _, blocks = assembled([frame(k, t_us=start_us + k * 10_000) for k in places])
    assert blocks[4].lost == 720_024 - 32
    assert blocks[4].t[0] == pytest.approx(7200.24)


@pytest.mark.parametrize("ppm", [-40_000, -300, 300, 40_000])
def test_a_pen_clock_that_is_off_gives_strictly_rising_even_times(ppm):
    _, blocks = assembled([frame(k, ppm=ppm) for k in range(0, 2400, 8)])
    t, _ = joined(blocks)
    assert (np.diff(t) > 0).all()
    np.testing.assert_allclose(np.diff(t)[800:], 0.01 * (1 + ppm * 1e-6), rtol=2e-3)


def test_a_trembling_clock_never_goes_backwards():
    rng = np.random.default_rng(5)
    frames = [frame(k, t_us=k * 10_000 + 2**16 + int(rng.normal(0, 6000))) for k in range(0, 4000, 4)]
    _, blocks = assembled(frames)
    assert (np.diff(joined(blocks)[0]) > 0).all()


@pytest.mark.parametrize(
    "second", [frame(0), frame(400, flags=Flag.DISCONTINUITY, t_us=5), frame(10, t_us=9**9)]
)
def test_a_restarted_pen_begins_a_segment_and_time_still_rises(second):
    frames = [frame(k) for k in range(0, 400, 8)]
    assembler, blocks = assembled([*frames, replace(second, index=second.index)])
    assert assembler.counters.segments == 2
    assert blocks[-1].lost == 0
    assert (np.diff(joined(blocks)[0]) > 0).all()


def test_a_recorded_second_hello_with_another_boot_begins_a_segment():
    again = replace(PEN, boot_id=2).encode()
    hello = response_frame(Response(Op.HELLO, 1, Status.OK, again))
    assembler, blocks = assembled([frame(0), hello, frame(8)])
    assert (assembler.counters.segments, blocks[1].lost) == (2, 0)


def test_the_same_hello_again_changes_nothing():
    hello = response_frame(Response(Op.HELLO, 1, Status.OK, PEN.encode()))
    assembler, _ = assembled([frame(0), hello, frame(8)])
    assert assembler.counters.segments == 1


def test_a_frame_that_does_not_fit_the_descriptor_is_counted():
    odd = replace(frame(8), payload=bytes(24))
    assembler, blocks = assembled([frame(0), odd, frame(16)])
    assert assembler.counters.malformed == 1
    assert blocks[1].lost == 8


def test_flags_are_counted():
    assembler, _ = assembled([frame(0), frame(8, flags=Flag.OVERRUN | Flag.CLIPPED)])
    assert (assembler.counters.overruns, assembler.counters.clipped) == (1, 1)


def test_a_pen_with_fewer_channels_says_so():
    stream = PEN.streams[0]
    keep = [0, 1, 2, 6, 7, 8]
    small = replace(PEN, streams=(replace(stream, channels=tuple(stream.channels[i] for i in keep)),))
    counts = np.arange(6, dtype=np.int16).reshape(1, 6)
    _, (block,) = assembled([Frame(FrameType.DATA, n=1, payload=counts.tobytes())], small)
    assert np.flatnonzero(block.valid).tolist() == keep
    assert not block.values[:, ~block.valid].any()


def test_a_sensor_mounted_the_other_way_round_is_turned_into_the_pens_frame():
    turned = ((0, -1, 0), (1, 0, 0), (0, 0, 1))
    pen = replace(PEN, mounts=(Mount(Quantity.ACC1, turned, (0.0, 0.0, 25.0)),))
    counts = np.zeros((1, 13), dtype=np.int16)
    counts[0, :3] = 100, 200, 300
    _, (block,) = assembled([Frame(FrameType.DATA, n=1, payload=counts.tobytes())], pen)
    seen = block.values[0, :3] / PEN.streams[0].scale_row[0]
    np.testing.assert_allclose(seen, [-200, 100, 300], rtol=1e-6)


def test_a_mount_that_is_no_quarter_turn_is_refused():
    pen = replace(PEN, mounts=(Mount(Quantity.GYRO, ((1, 0, 0), (1, 0, 0), (0, 0, 1)), (0.0, 0.0, 0.0)),))
    with pytest.raises(BadInputError, match="GYRO"):
        StreamAssembler(pen)


FAULTY = Faults(drop=0.05, corrupt=0.03, duplicate=0.03, reorder=0.03, rubbish=0.02, seed=11)


def faulty_wire():
    pen = PenFirmware(PEN, faults=FAULTY)
    start = Frame(
        FrameType.CMD,
        payload=bytes((Op.START, 1)) + bytes((255,) * 4) + PEN.schema_hash.to_bytes(4, "little"),
    )
    pen.receive(to_serial(encode_frame(start)))
    taken = [pen.take(counts_of(k, 8), k * 10_000) for k in range(0, 4000, 8)]
    return b"".join(item for items in taken for item in items)


WIRE = faulty_wire()


def through(chunks):
    decoder, assembler = FrameDecoder(), StreamAssembler(PEN)
    blocks = [b for c in chunks for f in decoder.feed(c) for b in assembler.push(f)]
    return assembler, blocks


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(WIRE)), max_size=200))
def test_samples_do_not_depend_on_how_bytes_were_split(cuts):
    edges = [0, *sorted(cuts), len(WIRE)]
    whole_counters, whole = through([WIRE])
    part_counters, parts = through([WIRE[a:b] for a, b in pairwise(edges)])
    assert part_counters.counters == whole_counters.counters
    assert [len(b) for b in parts] == [len(b) for b in whole]
    for ours, theirs in zip(joined(parts), joined(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_under_faults_every_sample_is_either_there_or_counted_as_lost():
    assembler, blocks = through([WIRE])
    _, values = joined(blocks)
    numbers = np.rint(values[:, 8] / PEN.streams[0].scale_row[8]).astype(int)
    assert (np.diff(numbers) > 0).all()
    assert assembler.counters.lost > 0
    assert assembler.counters.lost + len(numbers) == numbers[-1] + 1


def test_reset_forgets_everything():
    assembler = StreamAssembler(PEN)
    first = assembler.push(frame(0)) + assembler.push(frame(80))
    assembler.reset()
    again = assembler.push(frame(0)) + assembler.push(frame(80))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.t, b.t)
        assert a.lost == b.lost


def block(first, n):
    return SampleBlock(
        np.arange(first, first + n) / 100,
        np.repeat(np.arange(first, first + n)[:, None], 13, 1).astype(np.float32),
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 25), min_size=1, max_size=30), st.integers(1, 40))
def test_the_ring_always_holds_the_newest_samples_in_order(sizes, wanted):
    ring = SampleRing(10)
    for first, n in zip(np.cumsum([0, *sizes[:-1]]), sizes, strict=True):
        ring.push(block(first, n))
        total = first + n
        kept = min(total, 10, wanted)
        t, values = ring.latest(wanted)
        np.testing.assert_array_equal(values[:, 0], np.arange(total - kept, total))
        np.testing.assert_array_equal(t, np.arange(total - kept, total) / 100)
    assert ring.total == sum(sizes)


def test_merging_keeps_every_sample_and_every_loss():
    _, blocks = assembled([frame(0), frame(8), frame(40), frame(48), frame(56), frame(100, 3)])
    few = merged(blocks)
    assert [(len(b), b.lost) for b in few] == [(16, 0), (24, 24), (3, 36)]
    for ours, theirs in zip(joined(few), joined(blocks), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_empty_ring_gives_nothing():
    t, values = SampleRing(10).latest(5)
    assert (len(t), values.shape) == (0, (0, 13))


def test_the_queue_refuses_instead_of_dropping():
    queue = BlockQueue(20)
    arrivals = [Arrival((block(k, 8),)) for k in range(0, 32, 8)]
    assert [queue.offer(a) for a in arrivals] == [True, True, False, False]
    assert queue.take() is arrivals[0]
    assert queue.offer(arrivals[2])
    queue.close()
    assert [queue.take(), queue.take(), queue.take()] == [arrivals[1], arrivals[2], None]


CLOCK_SET = Flag.DISCONTINUITY


def test_a_clock_that_is_set_costs_no_count_of_what_is_lost():
    assembler, blocks = assembled([frame(0), frame(58, flags=CLOCK_SET, t_us=5), frame(66, t_us=80_005)])
    assert (assembler.counters.lost, assembler.counters.segments) == (50, 2)
    assert [b.lost for b in blocks] == [0, 0, 0], "the new clock does not say how long it took"


@pytest.mark.parametrize("late", [frame(8, flags=CLOCK_SET, t_us=5), frame(0, flags=CLOCK_SET, t_us=5)])
def test_the_frame_that_sets_the_clock_counts_once_even_if_it_comes_twice(late):
    frames = [frame(0), frame(8, flags=CLOCK_SET, t_us=5), late, frame(16, t_us=80_005)]
    assembler, blocks = assembled(frames)
    assert (assembler.counters.segments, assembler.counters.repeated) == (2, 1)
    np.testing.assert_array_equal(
        joined(blocks)[1][:, 8], counts_to_si(counts_of(0, 24), PEN.streams[0])[:, 8]
    )


def test_a_pen_that_comes_back_with_another_name_goes_on():
    hello = Response(Op.HELLO, 0, Status.OK, replace(PEN, name="mine").encode())
    assembler, blocks = assembled([frame(0), response_frame(hello), frame(40)])
    assert (assembler.counters.segments, [b.lost for b in blocks]) == (1, [0, 32])
