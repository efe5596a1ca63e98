"""What happens to a link on the simulated radio: dropped, lost, vanished, rebooted, switched off, damaged."""

import asyncio

import numpy as np
import pytest
from bleak.exc import BleakError
from bumble import ll

from firmware_protocol.fault_plan import FaultKind, FaultPlan, PenFault
from firmware_protocol.faults import Faults
from firmware_protocol.links import DESCRIPTOR_UUID
from firmware_protocol.messages import Op
from penapp.device.virtual_ble.faults import BleFaults
from tests.device.radio_rig import CountingInk, Host, counted, eventually, found, listening, on_radio, scanner
from tests.device.toy_pens import ToyInk

N = 2_000


async def drop_link(_radio, pen):
    await pen.drop_link()


async def lose_link(_radio, pen):
    pen.lose_link()


async def vanish(_radio, pen):
    pen.vanish()


async def reboot(_radio, pen):
    pen.reboot(99)


async def switch_off(radio, _pen):
    radio.power_off()


async def remove(radio, pen):
    await radio.remove_pen(pen.address)


@pytest.mark.parametrize("end", [drop_link, lose_link, vanish, reboot, switch_off, remove])
def test_a_link_that_ends_is_told_at_once_and_nothing_hangs(end):
    @on_radio
    async def body(radio):
        pen = await radio.add_pen(CountingInk(10 * N), speed=None)
        async with listening(radio, pen) as host:
            await host.start()
            await host.samples(N)
            reading = asyncio.create_task(host.client.read_gatt_char(DESCRIPTOR_UUID))
            await asyncio.sleep(0)
            await end(radio, pen)
            await host.gone()
            (outcome,) = await asyncio.gather(reading, return_exceptions=True)
            assert isinstance(outcome, bytearray | BleakError)
            assert not host.client.is_connected
            assert not pen.streaming
            with pytest.raises(BleakError):
                await host.client.read_gatt_char(DESCRIPTOR_UUID)

    body()


@pytest.mark.parametrize("end", [drop_link, lose_link])
def test_the_gap_of_a_link_that_broke_in_mid_word_is_exact(end):
    @on_radio
    async def body(radio):
        ink = ToyInk("abcdef", rate_hz=400.0, hold_at=123)
        pen = await radio.add_pen(ink, speed=None)
        async with listening(radio, pen) as host:
            await host.start()
            await host.samples(120)
            await end(radio, pen)
            await host.gone()
            first = host.frames
        ink.hold.set()
        assert pen.write_unseen(77) == 77
        async with listening(radio, await found(radio, pen.address)) as host:
            assert host.descriptor.boot_id == ink.descriptor.boot_id
            await host.start()
            await host.samples(300)
        assert first[-1].index + first[-1].n == 120
        assert host.frames[0].index == 123 + 77
        assert host.frames[0].t_us == round(200 * 1e6 / 400)
        np.testing.assert_array_equal(
            np.frombuffer(host.frames[0].payload, "<i2").reshape(-1, 13), ink.counts[200:208]
        )

    body()


@on_radio
async def test_a_pen_with_a_pace_goes_on_writing_while_nobody_listens(radio):
    pen = await radio.add_pen(CountingInk(1_000_000), speed=50.0)
    async with listening(radio, pen) as host:
        await host.start()
        await host.samples(80)
        pen.lose_link()
        await host.gone()
        last = host.frames[-1]
    async with listening(radio, pen) as host:
        await host.start()
        await host.samples(80)
        missing = host.frames[0].index - last.index - last.n
        assert missing > 0
        np.testing.assert_array_equal(
            np.frombuffer(host.frames[0].payload, "<i2").reshape(-1, 13), counted(host.frames[0].index, 8)
        )


@on_radio
async def test_a_pen_that_vanished_is_not_heard_until_it_comes_back(radio):
    pen = await radio.add_pen(CountingInk(8))
    heard = asyncio.Event()
    async with scanner(radio, lambda _device, _seen: heard.set()):
        await asyncio.wait_for(heard.wait(), 5.0)
        pen.vanish()
        await asyncio.sleep(0.02)
        heard.clear()
        await asyncio.sleep(0.15)
        assert not heard.is_set()
        pen.come_back()
        await asyncio.wait_for(heard.wait(), 5.0)
    async with Host(radio, pen) as host:
        assert host.client.is_connected


@on_radio
async def test_a_reboot_is_a_new_boot_with_index_and_clock_from_zero(radio):
    pen = await radio.add_pen(CountingInk(10 * N), speed=None)
    async with listening(radio, pen) as host:
        await host.start()
        await host.samples(N)
        pen.reboot(boot_id=99)
        await host.gone()
    async with listening(radio, pen) as host:
        assert host.descriptor.boot_id == 99
        await host.start()
        await host.samples(80)
        assert (host.frames[0].index, host.frames[0].t_us, host.frames[0].seq) == (0, 0, 0)


@on_radio
async def test_bluetooth_switched_off_in_mid_word_and_on_again(radio):
    pen = await radio.add_pen(CountingInk(10 * N), speed=None)
    async with listening(radio, pen) as host:
        await host.start()
        await host.samples(N)
        radio.power_off()
        await host.gone()
        last = host.frames[-1]
    radio.power_on()
    async with listening(radio, await found(radio, pen.address)) as host:
        await host.start()
        await host.samples(N)
        assert host.frames[0].index >= last.index + last.n


async def damaged(radio, faults, n=N):
    pen = await radio.add_pen(CountingInk(n), speed=None, faults=BleFaults(wire=faults))
    async with listening(radio, pen) as host:
        await host.start()
        await eventually(lambda: pen.firmware.counters.samples_taken == n)
        await host.ask(Op.STOP)
        return host


def samples_of(frames):
    return {f.index: f.payload for f in frames}


@on_radio
async def test_lost_notifications_are_gaps_of_exactly_their_samples(radio):
    host = await damaged(radio, Faults(drop=0.1, seed=1))
    lost = [gap for gap in host.gaps() if gap]
    assert lost
    assert all(gap % 8 == 0 for gap in lost)
    for frame in host.frames:
        np.testing.assert_array_equal(
            np.frombuffer(frame.payload, "<i2").reshape(-1, 13), counted(frame.index, frame.n)
        )


@on_radio
async def test_corrupted_notifications_are_counted_and_never_believed(radio):
    host = await damaged(radio, Faults(corrupt=0.1, seed=2))
    hurt = host.decoder.counters.damaged
    assert hurt > 5
    assert len(host.frames) == N // 8 - hurt
    assert all(samples_of(host.frames)[i] == counted(i, 8).tobytes() for i in samples_of(host.frames))


@on_radio
async def test_duplicated_and_reordered_notifications_arrive_as_such(radio):
    host = await damaged(radio, Faults(duplicate=0.1, reorder=0.1, seed=3))
    order = [f.index for f in host.frames]
    assert len(order) > len(set(order))
    assert order != sorted(order)
    assert sorted(set(order)) == list(range(0, N, 8))


@on_radio
async def test_a_planned_fault_switches_the_adapter_off_and_on(radio):
    plan = FaultPlan((PenFault(FaultKind.ADAPTER_OFF, 40, 0.3),))
    pen = await radio.add_faulty_pen(CountingInk(100_000), plan, speed=4.0)
    async with listening(radio, pen) as host:
        await host.start()
        await host.gone()
        assert not radio.adapter.powered
        last = host.frames[-1]
    await eventually(lambda: radio.adapter.powered)
    async with listening(radio, await found(radio, pen.address)) as host:
        await host.start()
        await host.samples(8)
        first = host.frames[0]
        assert first.index > last.index + last.n
        assert first.payload == counted(first.index, first.n).tobytes()


@on_radio
async def test_a_pen_that_goes_away_while_it_is_connected_to_is_noticed_at_once(radio):
    pen = await radio.add_pen(CountingInk(8))
    send = radio.air.send_advertising_pdu

    def leaving(sender, packet):
        if isinstance(packet, ll.ConnectInd):
            pen.vanish()
        send(sender, packet)

    radio.air.send_advertising_pdu = leaving
    with pytest.raises(BleakError):
        await asyncio.wait_for(Host(radio, pen).client.connect(), 5.0)
    radio.air.send_advertising_pdu = send
    pen.come_back()
    async with Host(radio, pen) as host:
        assert host.client.is_connected


@on_radio
async def test_a_pen_refuses_on_demand(radio):
    pen = await radio.add_pen(CountingInk(8))
    pen.refuse_connects(1)
    with pytest.raises(BleakError):
        await Host(radio, pen).client.connect()
    async with Host(radio, pen) as host:
        assert host.client.is_connected


@pytest.mark.parametrize("mtu", [22, 518])
def test_an_mtu_that_att_does_not_know_is_refused(mtu):
    with pytest.raises(ValueError, match="expected 23 to 517"):
        BleFaults(max_mtu=mtu)


@on_radio
async def test_the_same_address_twice_is_refused(radio):
    pen = await radio.add_pen(CountingInk(8))
    with pytest.raises(ValueError, match="already a pen"):
        await radio.add_pen(CountingInk(8), identity=pen.identity)
