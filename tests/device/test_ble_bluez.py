"""The BLE client over bleak's Linux back-end and a fake BlueZ: what arrives, how the link is used."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.device.fake_bluez.daemon import missing

if missing():
    pytest.skip(missing(), allow_module_level=True)

from firmware_protocol import links
from firmware_protocol.commands import BatteryReading
from firmware_protocol.messages import Op, join_samples
from firmware_protocol.virtual_pen import Faults
from penapp.device.ble_connect import BleTiming
from penapp.device.ble_scan import PenScanner, find_pen
from penapp.device.ble_source import BleSource
from penapp.device.radio import Radio
from penapp.device.requests import LinkTiming
from penapp.device.transport import LinkStage
from penapp.live import LiveSession, TextCommitted
from tests.device.fake_bluez.daemon import private_bus
from tests.device.fake_bluez.harness import with_bluez
from tests.device.fake_bluez.pens import FakePen
from tests.device.toy_pens import EventLog, ToyInk, ToyPipeline

QUICK = BleTiming(scan_s=2.0, settle_s=0.05, connect_s=2.0, mtu_s=0.1, close_s=2.0)
PATIENT = LinkTiming(answer_s=5.0)
SECOND = "C0:FF:EE:00:00:02"
LONG_RUN = 60 * 60 * 400 if os.environ.get("PENAPP_SOAK") == "1" else 20_000


@pytest.fixture(scope="module", autouse=True)
def _bus():
    with private_bus():
        yield


def source(pen="", **options):
    return BleSource(pen, ble_timing=QUICK, timing=PATIENT, **options)


async def read(pen_source, samples):
    """Open, start, read that many samples, stop, close: the descriptor and the arrived frames."""
    try:
        descriptor = await pen_source.open()
        await pen_source.start()
        arrived = []
        async for batch in pen_source.frames():
            arrived += batch
            if sum(a.frame.n for a in arrived) >= samples:
                break
        await pen_source.stop()
    finally:
        await pen_source.close()
    return descriptor, arrived


def samples_of(arrived):
    return join_samples([a.frame for a in arrived], 13)


@pytest.mark.parametrize("uart", [False, True], ids=["pen service", "Nordic UART"])
def test_every_sample_of_a_400_hz_pen_arrives_unchanged(uart):
    ink = ToyInk("abcdefghij", 400.0)
    pen = FakePen(ink)
    if uart:
        pen.speak_uart()
    descriptor, arrived = with_bluez(lambda _: read(source(), 992), pen)
    assert descriptor == ink.descriptor
    np.testing.assert_array_equal(samples_of(arrived), ink.counts[:992])
    assert [a.frame.index for a in arrived] == list(range(0, 992, 8))


def test_a_long_stream_has_no_gap_and_keeps_no_memory(report):
    """As fast as the bus carries; with PENAPP_SOAK=1 an hour of a 400 Hz pen."""
    ink = ToyInk("abcdefghij", 400.0, endless=True)
    memory_mb = []

    async def stream(_):
        pen_source = source()
        await pen_source.open()
        await pen_source.start()
        expected, started_s, cpu_s = 0, time.perf_counter(), time.process_time()
        async for batch in pen_source.frames():
            for arrived in batch:
                assert arrived.frame.index == expected
                expected += arrived.frame.n
            if expected >= LONG_RUN * (1 + len(memory_mb)) // 4:
                memory_mb.append(resident_mb())
            if expected >= LONG_RUN:
                break
        spent = time.perf_counter() - started_s, time.process_time() - cpu_s
        await pen_source.stop()
        await pen_source.close()
        return expected, spent, pen_source.counters

    samples, (seconds, cpu_s), counters = with_bluez(stream, FakePen(ink), limit_s=600.0)
    assert counters.damaged_frames == 0
    assert max(memory_mb) - memory_mb[0] < 2.0
    report(
        f"BLE over a fake BlueZ: {samples:,} samples, 0 gaps, {samples / seconds:,.0f} samples/s, "
        f"{100 * cpu_s / (samples / 400):.2f} % of a core at 400 Hz (both sides), "
        f"memory +{max(memory_mb) - memory_mb[0]:.2f} MB"
    )


def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def test_arrival_is_stamped_when_the_notification_comes():
    before = time.perf_counter_ns()
    _, arrived = with_bluez(lambda _: read(source(), 200), FakePen(ToyInk("abc")))
    stamps = [a.arrival_ns for a in arrived]
    assert before < stamps[0]
    assert stamps == sorted(stamps)
    assert stamps[-1] < time.perf_counter_ns()


def test_the_pen_in_real_time_over_the_air_keeps_its_rate():
    pen = FakePen(ToyInk("ab", 400.0), speed=1.0)
    _, arrived = with_bluez(lambda _: read(source(), 160), pen)
    spread_s = (arrived[-1].arrival_ns - arrived[0].arrival_ns) / 1e9
    assert 0.3 < spread_s < 3.0


def test_stages_are_told_as_the_link_advances():
    stages = []
    with_bluez(lambda _: read(source(on_stage=stages.append), 8), FakePen(ToyInk()))
    wanted = ("SCANNING", "CONNECTING", "DISCOVERING", "STREAMING")
    assert stages == [LinkStage[name] for name in wanted]


def test_commands_are_answered_and_written_without_response():
    pen = FakePen(ToyInk())

    async def ask(_):
        pen_source = source()
        await pen_source.open()
        name = (await pen_source.ask(Op.NAME)).data.decode()
        battery = BatteryReading.decode((await pen_source.ask(Op.BATTERY)).data)
        await pen_source.close()
        return name, battery.percent

    assert with_bluez(ask, pen) == ("toy pen", 87)
    assert {kind for _, kind in pen.writes} == {"command"}


def test_a_command_longer_than_a_packet_is_written_with_response():
    """START takes 30 bytes: at MTU 32 a write without response carries 29."""
    ink = ToyInk()
    stream = ink.descriptor.streams[0]
    few = stream.channels[:3]
    ink.descriptor = replace(ink.descriptor, streams=(replace(stream, channels=few),))
    ink.counts = ink.counts[:, :3]
    pen = FakePen(ink, mtu=32)
    with_bluez(lambda _: read(source(), 8), pen)
    assert {len(value): kind for value, kind in pen.writes} == {22: "command", 30: "request"}


def test_a_pen_can_be_left_and_taken_again():
    pen = FakePen(ToyInk("abcdef", endless=True))

    async def twice(_):
        for _ in range(2):
            await read(source(pen.address), 64)
            assert not pen.connected

    with_bluez(twice, pen)
    assert pen.connects == 2


def test_two_pens_stream_at_once_each_its_own():
    first, second = ToyInk("aaaa", 400.0), ToyInk("zzzz", 400.0)
    pens = FakePen(first), FakePen(second, SECOND)

    async def both(_):
        return await asyncio.gather(*(read(source(pen.address), 320) for pen in pens))

    for (_, arrived), ink in zip(with_bluez(both, *pens), (first, second), strict=True):
        np.testing.assert_array_equal(samples_of(arrived), ink.counts[:320])


@pytest.mark.parametrize(
    ("faults", "lost"),
    [
        (Faults(drop=0.2, seed=1), True),
        (Faults(corrupt=0.2, seed=2), True),
        (Faults(duplicate=0.2, seed=3), False),
        (Faults(reorder=0.2, seed=4), False),
    ],
    ids=["lost", "corrupted", "duplicated", "reordered"],
)
def test_damaged_notifications_cost_themselves_and_nothing_is_invented(faults, lost):
    ink = ToyInk("abcdefgh", 400.0)
    pen = FakePen(ink, faults=faults)
    _, arrived = with_bluez(lambda _: read(source(), 400), pen)
    indices = [a.frame.index for a in arrived]
    for a in arrived:
        np.testing.assert_array_equal(
            join_samples([a.frame], 13), ink.counts[a.frame.index : a.frame.index + a.frame.n]
        )
    whole = set(range(0, max(indices) + 8, 8))
    assert (set(indices) < whole) is lost or set(indices) == whole
    if faults.duplicate:
        assert len(indices) > len(set(indices))
    if faults.reorder:
        assert indices != sorted(indices)


def test_corrupted_notifications_are_counted():
    pen_source = source()
    pen = FakePen(ToyInk("abcdefgh", 400.0), faults=Faults(corrupt=0.2, seed=2))
    _, arrived = with_bluez(lambda _: read(pen_source, 400), pen)
    assert pen_source.counters.damaged_frames > 3
    assert pen_source.counters.frames >= len(arrived)


def test_a_scan_hears_pens_alone_by_what_they_offer_never_by_name():
    pen, uart, other = FakePen(ToyInk(), name=""), FakePen(ToyInk(), SECOND, name="penapp"), stranger()
    uart.speak_uart()

    async def scan(_):
        async with PenScanner(Radio()) as scanner:
            await scanner.wait_for(lambda: len(scanner.sightings()) == 2, 2.0)
            return scanner.sightings()

    heard = with_bluez(scan, pen, uart, other)
    assert [(s.address, s.name, s.is_pen) for s in heard] == [
        (pen.address, "", True),
        (SECOND, "penapp", False),
    ]


def stranger():
    """Something near that is no pen, and calls itself one."""
    other = FakePen(ToyInk(), "C0:FF:EE:00:00:09", name="penapp pen")
    other.advertised = [links.BATTERY_SERVICE_UUID]
    other.services = {links.BATTERY_SERVICE_UUID: {}}
    return other


def test_signal_strength_follows_while_scanning():
    pen = FakePen(ToyInk())

    async def scan(_):
        async with PenScanner(Radio()) as scanner:
            await scanner.wait_for(lambda: bool(scanner.sightings()), 2.0)
            pen.rssi = -80
            assert await scanner.wait_for(lambda: scanner.sightings()[0].rssi_dbm < -70, 2.0)

    with_bluez(scan, pen)


def test_a_pen_that_the_system_forgot_is_no_longer_listed():
    pen = FakePen(ToyInk())

    async def scan(bluez):
        async with PenScanner(Radio()) as scanner:
            await scanner.wait_for(lambda: bool(scanner.sightings()), 2.0)
            await bluez.vanish(pen)
            other = FakePen(ToyInk(), SECOND)
            bluez.arrive(other)
            await scanner.wait_for(lambda: SECOND in [s.address for s in scanner.sightings()], 2.0)
            return [s.address for s in scanner.sightings()]

    assert with_bluez(scan, pen) == [SECOND]


def test_a_sighting_is_connected_without_another_scan():
    pen = FakePen(ToyInk())

    async def seen_then_read(bluez):
        seen = await find_pen(Radio(), pen.address, patience_s=2.0, settle_s=0.0)
        scans = bluez.scans
        await read(source(seen), 8)
        return bluez.scans - scans

    assert with_bluez(seen_then_read, pen) == 0


def test_a_pen_that_another_program_left_connected_is_taken_over():
    """It advertises no more: a scan alone would never hear it."""
    pen = FakePen(ToyInk())

    async def held_then_read(_):
        await pen.hold()
        await read(source(pen.address), 8)

    with_bluez(held_then_read, pen)
    assert pen.connects == 1


def test_an_mtu_that_grows_after_the_connection_is_waited_for():
    pen = FakePen(ToyInk(), mtu=23)

    async def grow(_):
        reading = asyncio.ensure_future(read(BleSource(pen.address, timing=PATIENT), 8))
        await pen.shown.wait()
        pen.grow_mtu(247)
        return await reading

    _, arrived = with_bluez(grow, pen)
    assert arrived[0].frame.n == 8


def test_text_over_bluetooth_is_the_text_that_was_written():
    """The whole session on its own threads and loop, the radio on another: as in the program."""
    pen = FakePen(ToyInk("abcabc", 400.0))
    log = EventLog()

    async def session(_):
        live = LiveSession(source(pen.address), ToyPipeline, on_event=log)
        live.start()
        await asyncio.to_thread(log.wait_for, lambda _: len(texts(log)) >= 5)
        await asyncio.to_thread(live.stop)
        return live.status()

    status = with_bluez(session, pen)
    assert "".join(texts(log))[:5] == "abcab"
    assert (status.lost, status.pen_name) == (0, f"penapp ({pen.address})")


def texts(log):
    return [event.hypothesis.text for event in log.of(TextCommitted)]
