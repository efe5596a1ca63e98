"""The program's own way over the simulated radio: our scanner and our BLE link on bleak, text at the end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from firmware_protocol.faults import Faults
from firmware_protocol.messages import join_samples
from penapp.device.ble_errors import (
    BluetoothOffError,
    MtuTooSmallError,
    PairingNeededError,
    PenNotFoundError,
    PenRefusedError,
    SeveralPensError,
    SlowDiscoveryError,
)
from penapp.device.ble_scan import PenScanner
from penapp.device.ble_source import BleSource
from penapp.device.ble_transport import BleTiming
from penapp.device.errors import PenLostError
from penapp.device.transport import LinkStage
from penapp.device.virtual import VirtualPenSource
from penapp.device.virtual_ble import virtual_ble_pen
from penapp.device.virtual_ble.faults import BleFaults
from penapp.device.virtual_ble.source import VirtualBlePenSource
from penapp.live import LiveSession, TextCommitted
from tests.device.radio_rig import CountingInk, counted, eventually, on_radio
from tests.device.toy_pens import EventLog, ToyInk, ToyPipeline

HASTY = BleTiming(scan_s=0.3, settle_s=0.1, connect_s=0.5, mtu_s=0.1, close_s=2.0)


async def everything(source):
    descriptor = await source.open()
    await source.start()
    frames = [a.frame async for batch in source.frames() for a in batch]
    await source.stop()
    await source.close()
    return descriptor, frames


@pytest.mark.parametrize("n", [3, 4_003])
def test_every_sample_arrives_and_the_source_ends_with_the_ink(n):
    ink = CountingInk(n)
    descriptor, frames = asyncio.run(everything(virtual_ble_pen(ink, speed=None)))
    assert descriptor == ink.descriptor
    np.testing.assert_array_equal(join_samples(frames, 13), counted(0, n))


def test_a_slow_program_is_waited_for_and_memory_stays_bounded():
    async def body():
        source = VirtualBlePenSource(CountingInk(4_000), speed=None)
        await source.open()
        await source.start()
        waiting, n = [], 0
        async for batch in source.frames():
            n += sum(a.frame.n for a in batch)
            waiting.append(source._link.waiting)
            await asyncio.sleep(0.0002)
        await source.stop()
        await source.close()
        return n, max(waiting)

    n, most = asyncio.run(body())
    assert n == 4_000
    assert most < 100


def text_of(source):
    seen = EventLog()
    session = LiveSession(source, ToyPipeline, on_event=seen)
    session.start()
    assert session.wait(30.0)
    session.stop()
    assert session.error is None
    return [e.hypothesis.text for e in seen.of(TextCommitted)]


def test_a_live_session_reads_the_same_over_ble_as_over_serial():
    words = "thequickbrownfox"
    over_ble = text_of(VirtualBlePenSource(ToyInk(words), speed=None))
    assert over_ble == text_of(VirtualPenSource(ToyInk(words), speed=None)) == list(words)


def test_two_live_sessions_at_once_each_read_their_own_pen():
    words = ("abcdefgh", "zyxwvuts")
    with ThreadPoolExecutor(2) as together:
        texts = list(together.map(lambda w: text_of(virtual_ble_pen(ToyInk(w), speed=None)), words))
    assert texts == [list(w) for w in words]


def test_damage_on_the_air_is_counted_by_the_link():
    source = VirtualBlePenSource(CountingInk(4_000), speed=None, faults=BleFaults(wire=Faults(corrupt=0.05)))
    _, frames = asyncio.run(everything(source))
    assert source.counters.damaged_frames > 5
    assert len(frames) + source.counters.damaged_frames == 500


@on_radio
async def test_our_scanner_lists_the_pens_by_strength(radio):
    pens = [await radio.add_pen(CountingInk(8)) for _ in range(3)]
    async with PenScanner(radio.as_radio()) as near:
        await eventually(lambda: len(near.sightings()) == 3)
        strengths = {s.address: s.rssi_dbm for s in near.sightings()}
    assert [pen.address for pen in pens] == sorted(strengths, key=strengths.get, reverse=True)


async def refused(radio, error, *, match, pen="", **faults):
    """Open a pen that has these faults; the error that the person sees."""
    if faults:
        await radio.add_pen(CountingInk(8), faults=BleFaults(**faults))
    source = BleSource(pen, radio=radio.as_radio(), ble_timing=HASTY)
    with pytest.raises(error, match=match) as caught:
        await source.open()
    await source.close()
    assert caught.value.advice


@pytest.mark.parametrize(
    ("error", "match", "faults"),
    [
        (PenRefusedError, "no connection came about", {"refused_connects": 1}),
        (SlowDiscoveryError, "has not told its services", {"discovery_delay_s": 30.0}),
        (MtuTooSmallError, "MTU of 48 bytes", {"max_mtu": 48}),
        (MtuTooSmallError, "MTU of 23 bytes", {"max_mtu": 23}),
        (PairingNeededError, "paired computers alone", {"denied": True}),
    ],
)
def test_a_pen_with_a_fault_ends_in_a_truthful_refusal(error, match, faults):
    @on_radio
    async def body(radio):
        await refused(radio, error, match=match, **faults)

    body()


@on_radio
async def test_no_pen_several_pens_and_bluetooth_off_are_told_apart(radio):
    await refused(radio, PenNotFoundError, match="no pen was heard")
    for _ in range(2):
        await radio.add_pen(CountingInk(8))
    await refused(radio, SeveralPensError, match="2 pens are near")
    radio.power_off()
    await refused(radio, BluetoothOffError, match="switched off")


@on_radio
async def test_a_pen_that_vanishes_in_mid_word_is_lost_and_found_again(radio):
    ink = ToyInk("abc", hold_at=120)
    pen = await radio.add_pen(ink, speed=None)
    stages = []
    source = BleSource(pen.address, radio=radio.as_radio(), on_stage=stages.append)
    await source.open()
    await source.start()

    async def read():
        got = 0
        async for batch in source.frames():
            got += sum(a.frame.n for a in batch)
            if got == 120:
                pen.vanish()

    with pytest.raises(PenLostError, match="penapp 1"):
        await read()
    await source.close()
    assert stages == list(LinkStage)
    ink.hold.set()
    pen.come_back()
    again = BleSource(pen.address, radio=radio.as_radio())
    await again.open()
    await again.start()
    async for batch in again.frames():
        assert batch[0].frame.index == 120
        break
    await again.stop()
    await again.close()
