"""The pen out through LSL and in again, over this machine's loopback: samples, gaps, words, and failures."""

import asyncio
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from firmware_protocol.channels import Quantity
from firmware_protocol.messages import join_samples
from penapp.cli.run_cli import run_cli
from penapp.device.errors import PenLostError, PenSilentError
from penapp.device.source import ArrivedFrame
from penapp.live import LiveSession
from penapp.live_types import TextCommitted
from penapp.lsl.channels import LABELS, UNITS
from penapp.lsl.inlet import LslSource
from penapp.lsl.library import LslStreamError
from penapp.lsl.outlet import LslOutlet
from penapp.stream.assemble import StreamAssembler
from tests.cli.toy_cli import toy_modules
from tests.device.test_recording_and_replay import DESCRIPTOR, data_frames
from tests.device.toy_pens import EventLog, ToyInk, ToyPipeline, toy_counts


@pytest.fixture
def outlet(pylsl, stream_name):
    assert pylsl.local_clock() > 0.0
    made = LslOutlet(stream_name)
    yield made
    made.close()


def arrived(frames):
    return [ArrivedFrame(frame, time.perf_counter_ns()) for frame in frames]


def sent_when_heard(outlet, frames):
    """A thread that sends once somebody listens."""

    def send():
        assert outlet._signals.wait_for_consumers(10.0)
        outlet.push(arrived(frames))

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def received(name, wanted):
    """Frames of the stream until so many samples have come."""

    async def read():
        source = LslSource(name)
        got = []
        try:
            descriptor = await source.open()
            await source.start()
            async with asyncio.timeout(15.0):
                async for batch in source.frames():
                    got += [a.frame for a in batch]
                    if sum(f.n for f in got) >= wanted:
                        break
        finally:
            await source.stop()
            await source.close()
        return descriptor, got

    return asyncio.run(read())


def test_every_count_of_the_pen_comes_out_again(outlet, stream_name):
    outlet.begin(DESCRIPTOR)
    thread = sent_when_heard(outlet, data_frames("abc"))
    descriptor, frames = received(stream_name, 300)
    thread.join()
    np.testing.assert_array_equal(join_samples(frames, 13), toy_counts("abc"))
    np.testing.assert_array_equal(descriptor.streams[0].scale_row, DESCRIPTOR.streams[0].scale_row)
    assert descriptor.streams[0].rate_hz == 100.0


def test_what_the_pen_lost_is_lost_there_too_exactly(outlet, stream_name):
    """The stamps alone carry the gap: one clock for the whole recording, as from a pen in real time."""
    outlet.begin(DESCRIPTOR)
    frames = data_frames("abc")
    kept = frames[:20] + frames[23:]
    start_ns = time.perf_counter_ns()
    batch = [ArrivedFrame(f, start_ns + 1000 * (f.t_us + 80_000)) for f in kept]

    def send():
        assert outlet._signals.wait_for_consumers(10.0)
        outlet.push(batch)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    _, got = received(stream_name, 276)
    thread.join()
    assembler = StreamAssembler(DESCRIPTOR)
    for frame in got:
        assembler.push(frame)
    assert (assembler.counters.samples, assembler.counters.lost) == (276, 24)


def test_other_programs_see_names_units_and_lsl_time(pylsl, outlet, stream_name):
    lacking = tuple(c for c in DESCRIPTOR.streams[0].channels if c.quantity != Quantity.MAG)
    descriptor = replace(DESCRIPTOR, streams=(replace(DESCRIPTOR.streams[0], channels=lacking),))
    outlet.begin(descriptor)
    (info,) = pylsl.resolve_byprop("name", stream_name, timeout=5.0)
    inlet = pylsl.StreamInlet(info)
    described = inlet.info(5.0)
    assert described.get_channel_labels() == list(LABELS)
    assert described.get_channel_units() == list(UNITS)
    inlet.open_stream(5.0)
    before = pylsl.local_clock()
    frame = data_frames("a")[0]
    outlet.push(arrived([replace(frame, payload=toy_counts("a")[:8, :10].tobytes())]))
    values, stamps = inlet.pull_chunk(5.0, 8, as_numpy=True)
    after = pylsl.local_clock()
    assert values.shape == (8, 13)
    assert np.isnan(values[:, 9:12]).all()
    assert np.isfinite(values[:, :9]).all()
    np.testing.assert_allclose(np.diff(stamps), 0.01, atol=1e-4)
    assert before <= stamps[-1] <= after
    inlet.close_stream()


def test_channels_that_the_stream_lacks_arrive_as_invalid_not_as_zeros_made_up(outlet, stream_name):
    lacking = tuple(c for c in DESCRIPTOR.streams[0].channels if c.quantity != Quantity.MAG)
    outlet.begin(replace(DESCRIPTOR, streams=(replace(DESCRIPTOR.streams[0], channels=lacking),)))
    frame = data_frames("a")[0]
    counts = toy_counts("a")[:8, [*range(9), 12]]
    thread = sent_when_heard(outlet, [replace(frame, payload=counts.tobytes())])
    descriptor, frames = received(stream_name, 8)
    thread.join()
    (block,) = StreamAssembler(descriptor).push(frames[0])
    np.testing.assert_array_equal(np.flatnonzero(~block.valid), [9, 10, 11])
    np.testing.assert_array_equal(join_samples(frames, 10), counts)


@pytest.fixture
def foreign(pylsl, stream_name):
    """An outlet of another program: 7 channels in g, deg/s and N."""
    info = pylsl.StreamInfo(stream_name, "IMU", 7, 200.0, pylsl.cf_double64, "board")
    info.set_channel_labels(["AccX", "AccY", "AccZ", "GyrX", "GyrY", "GyrZ", "Force"])
    info.set_channel_units(["g", "g", "g", "deg/s", "deg/s", "deg/s", "N"])
    return pylsl.StreamOutlet(info)


def test_another_programs_stream_is_a_pen_with_fewer_channels(foreign, stream_name):
    values = np.tile([0.0, 0.5, -1.0, 90.0, 0.0, -90.0, 1.5], (40, 1))
    values[10, 3] = np.nan

    def send():
        assert foreign.wait_for_consumers(10.0)
        foreign.push_chunk(values, (np.arange(40) / 200.0 + 100.0).tolist())

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    descriptor, frames = received(stream_name, 39)
    thread.join()
    assembler = StreamAssembler(descriptor)
    blocks = [b for f in frames for b in assembler.push(f)]
    row = blocks[0].values[0]
    np.testing.assert_allclose(row[:3], [0.0, 4.903, -9.807], atol=2e-3)
    np.testing.assert_allclose(row[6:9], [1.5708, 0.0, -1.5708], atol=1e-3)
    assert row[12] == pytest.approx(1.5, abs=1e-3)
    assert descriptor.streams[0].rate_hz == 200.0
    assert (assembler.counters.samples, assembler.counters.lost) == (39, 1)


def test_a_stream_that_ends_is_a_lost_pen(outlet, stream_name):
    outlet.begin(DESCRIPTOR)
    thread = sent_when_heard(outlet, data_frames("a"))

    async def read():
        source = LslSource(stream_name)
        try:
            await source.open()
            await source.start()
            async with asyncio.timeout(15.0):
                async for _ in source.frames():
                    outlet.close()
        finally:
            await source.close()

    with pytest.raises(PenLostError, match="has ended") as caught:
        asyncio.run(read())
    thread.join()
    assert stream_name in str(caught.value)


def test_a_stream_that_sends_nothing_is_said_to_be_silent(outlet, stream_name):
    outlet.begin(DESCRIPTOR)

    async def read():
        source = LslSource(stream_name, silence_s=0.2)
        try:
            await source.open()
            await source.start()
            async for _ in source.frames():
                raise AssertionError
        finally:
            await source.close()

    with pytest.raises(PenSilentError, match=r"no samples for 0\.2 s"):
        asyncio.run(read())


async def opened(name):
    source = LslSource(name, find_s=0.3)
    try:
        await source.open()
    finally:
        await source.close()


def test_a_name_that_nobody_has_lists_those_that_are_there(outlet, stream_name):
    outlet.begin(DESCRIPTOR)
    with pytest.raises(LslStreamError, match=rf"no LSL stream has the name 'nobody'.*'{stream_name}'"):
        asyncio.run(opened("nobody"))


def test_the_text_stream_is_no_pen(outlet, stream_name):
    outlet.begin(DESCRIPTOR)
    with pytest.raises(LslStreamError, match="is no pen: its values are text"):
        asyncio.run(opened(f"{stream_name} text"))


def test_a_session_on_an_lsl_stream_reads_its_words(outlet, stream_name):
    outlet.begin(DESCRIPTOR)
    thread = sent_when_heard(outlet, data_frames("abc"))
    log = EventLog()
    session = LiveSession(LslSource(stream_name), lambda _: ToyPipeline(), on_event=log)
    session.start()
    log.wait_for(lambda e: isinstance(e, TextCommitted) and e.hypothesis.text == "c")
    session.stop()
    thread.join()
    assert [e.hypothesis.text for e in log.of(TextCommitted)] == ["a", "b", "c"]


def test_live_sends_its_words_out_with_the_time_at_which_they_ended(pylsl, stream_name, monkeypatch, capsys):
    """`penapp live --lsl`, heard by another LSL program from the first word on."""
    ink = ToyInk("ab", hold_at=10)
    modules = toy_modules()
    modules["penapp.simulation.sources"].DemoSource = lambda **_: ink
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    heard = []

    def hear():
        (info,) = pylsl.resolve_byprop("name", f"{stream_name} text", timeout=10.0)
        inlet = pylsl.StreamInlet(info)
        inlet.open_stream(5.0)
        ink.hold.set()
        while len(heard) < 2:
            (text,), stamp = inlet.pull_sample(10.0)
            heard.append((text, stamp, pylsl.local_clock()))
        inlet.close_stream()

    listener = threading.Thread(target=hear, daemon=True)
    listener.start()
    assert run_cli(["live", f"--lsl={stream_name}"]) == 0
    listener.join(10.0)
    assert capsys.readouterr().out == "a b\n"
    assert [text for text, *_ in heard] == ["a", "b"]
    (_, first_s, first_heard_s), (_, second_s, _) = heard
    assert second_s - first_s == pytest.approx(1.0, abs=0.02)
    assert 0.0 < first_heard_s - first_s < 2.0


def test_lsl_and_another_pace_do_not_go_together(capsys):
    assert run_cli(["live", "--lsl", "--speed", "4"]) == 2
    assert "--lsl needs real time" in capsys.readouterr().err
