"""Samples over the simulated radio: whole, in order, at every MTU, from two pens at once, up to the end."""

import asyncio
import time

import numpy as np
import pytest

from firmware_protocol.messages import Op, Status
from firmware_protocol.virtual_pen import PenFirmware
from penapp.device.virtual_ble.faults import BleFaults
from penapp.device.virtual_ble.pace import SampleClock
from tests.device.radio_rig import CountingInk, Host, counted, listening, on_radio
from tests.device.toy_pens import ToyInk, toy_counts


@pytest.mark.parametrize("speed", [None, 25.0])
def test_every_sample_at_400_hz_arrives_unchanged_and_without_a_gap(speed):
    @on_radio
    async def body(radio):
        n = 4_000
        pen = await radio.add_pen(CountingInk(n), speed=speed)
        async with listening(radio, pen) as host:
            assert (await host.start()).ok
            np.testing.assert_array_equal(await host.all_samples(n), counted(0, n))
            assert set(host.gaps()) == {0}
            assert [f.seq for f in host.frames] == list(range(n // 8))
            assert host.decoder.counters.damaged == 0

    body()


@pytest.mark.parametrize(("mtu", "batch"), [(49, 1), (185, 6), (247, 8), (517, 8)])
def test_a_notification_holds_what_the_mtu_carries(mtu, batch):
    @on_radio
    async def body(radio):
        pen = await radio.add_pen(CountingInk(100), speed=None, faults=BleFaults(max_mtu=mtu))
        async with listening(radio, pen) as host:
            assert host.client.mtu_size == mtu
            assert (await host.start()).ok
            np.testing.assert_array_equal(await host.all_samples(96), counted(0, 100))
            assert {f.n for f in host.frames[:-1]} == {batch}

    body()


@on_radio
async def test_an_mtu_too_small_for_one_sample_is_refused(radio):
    pen = await radio.add_pen(CountingInk(8), faults=BleFaults(max_mtu=48))
    async with listening(radio, pen) as host:
        assert (await host.start()).status is Status.MTU_TOO_SMALL
        assert not pen.streaming


@on_radio
async def test_the_smallest_mtu_cannot_even_carry_an_answer_but_the_descriptor_can_be_read(radio):
    ink = CountingInk(8)
    pen = await radio.add_pen(ink, faults=BleFaults(max_mtu=23))
    async with listening(radio, pen) as host:
        assert host.descriptor == ink.descriptor
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(host.start(), 0.2)
        assert host.answers == []
        assert not pen.streaming


@on_radio
async def test_stop_sends_the_unfinished_batch_first_and_then_silence(radio):
    ink = ToyInk("a", rate_hz=400.0, hold_at=83)
    pen = await radio.add_pen(ink, speed=None)
    async with listening(radio, pen) as host:
        await host.start()
        await host.samples(80)
        await host.ask(Op.STOP)
        assert [f.n for f in host.frames] == [8] * 10 + [3]
        ink.hold.set()
        await asyncio.sleep(0.02)
        assert len(host.frames) == 11


@on_radio
async def test_the_end_of_the_ink_is_told_once_and_the_pen_still_answers(radio):
    ends = []
    pen = await radio.add_pen(CountingInk(20), speed=None, on_ink_over=lambda: ends.append(1))
    async with listening(radio, pen) as host:
        await host.start()
        await host.all_samples(20)
        await host.start()
        assert (await host.ask(Op.BATTERY)).ok
    assert ends == [1]


@on_radio
async def test_two_pens_at_once_each_send_their_own(radio):
    words = ("ab", "yz")
    pens = [await radio.add_pen(ToyInk(w, rate_hz=400.0), speed=None) for w in words]
    hosts = [Host(radio, pen) for pen in pens]
    await asyncio.gather(*(host.client.connect() for host in hosts))
    for host in hosts:
        await host.listen()
    await asyncio.gather(*(host.start() for host in hosts))
    arrived = await asyncio.gather(*(host.all_samples(200) for host in hosts))
    for word, samples in zip(words, arrived, strict=True):
        np.testing.assert_array_equal(samples, toy_counts(word))
    await asyncio.gather(*(host.client.disconnect() for host in hosts))


@on_radio
async def test_a_host_that_is_full_is_waited_for(radio):
    full = True
    pen = await radio.add_pen(CountingInk(4_000), speed=None)
    pen.host_full = lambda: full
    async with listening(radio, pen) as host:
        await host.start()
        await host.samples(64)
        await asyncio.sleep(0.05)
        assert len(host.frames) == 8, "one look at the sensors, then it waits"
        full = False
        await host.samples(4_000)


@on_radio
async def test_two_seconds_in_which_the_host_does_nothing_lose_nothing(radio):
    speed = 20.0
    pen = await radio.add_pen(CountingInk(100_000), speed=speed)
    async with listening(radio, pen) as host:
        await host.start()
        before = len(await host.samples(80))
        time.sleep(2.0 / speed)  # noqa: ASYNC251 -- the fault itself
        n = len(await host.samples(before + 800))
        np.testing.assert_array_equal(await host.samples(n), counted(0, len(host.frames) * 8))
        assert set(host.gaps()) == {0}


@on_radio
async def test_a_host_that_leaves_stops_the_stream_and_can_come_again(radio):
    pen = await radio.add_pen(CountingInk(100_000), speed=None)
    for _ in range(3):
        async with listening(radio, pen) as host:
            await host.start()
            await host.samples(200)
            assert set(host.gaps()) == {0}
        assert host.lost.is_set()
        assert not pen.streaming


def test_a_clock_counts_what_is_due_and_makes_up_for_a_stall():
    now = [10.0]
    clock = SampleClock(400.0, 2.0, now=lambda: now[0])
    assert (clock.due(), clock.ahead()) == (0, 0.0)
    clock.start()
    now[0] += 0.01 + 1e-9
    assert clock.due() == 8
    clock.took(8)
    assert clock.due() == 0
    assert clock.seconds_until(8) == pytest.approx(0.01, abs=1e-6)
    now[0] += 2.0 + 1e-9
    assert clock.due() == 1600
    clock.stop()
    assert clock.due() == 0


def test_a_serial_pen_has_no_mtu():
    with pytest.raises(ValueError, match="serial line has no MTU"):
        PenFirmware(CountingInk(1).descriptor).link_mtu(247)
