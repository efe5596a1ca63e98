"""What a person sees when the thing on the port is not a healthy pen. Every byte passes a real pty."""

import asyncio
import errno
import os
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.framing import Frame, FrameType, encode_frame, to_serial
from firmware_protocol.messages import join_samples
from firmware_protocol.virtual_pen import Faults, PenFirmware
from penapp.device.carrier import PtyCarrier, TcpCarrier
from penapp.device.errors import (
    PenLostError,
    PenSilentError,
    PortAbsentError,
    PortBusyError,
    PortError,
    PortPermissionError,
    ProtocolVersionError,
    WrongDeviceError,
)
from penapp.device.far_end import VirtualPen
from penapp.device.port import _port_error, open_port
from penapp.device.requests import LinkTiming
from penapp.device.serial_source import SerialSource
from penapp.device.virtual import VirtualPenSource
from tests.device.toy_pens import IMPATIENT, RudeFirmware, ToyInk, toy_counts

needs_pty = pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")


async def opened_and_closed(source):
    try:
        descriptor = await source.open()
        await source.start()
        async for _ in source.frames():
            pass
    finally:
        await source.stop()
        await source.close()
    return descriptor


def use(firmware=None, *, ink=None, timing=IMPATIENT):
    """Open, start and read a pen until it ends or fails."""
    pen = VirtualPen(ink or ToyInk(), speed=None, firmware=firmware)
    try:
        asyncio.run(opened_and_closed(SerialSource(pen.address, timing=timing)))
    finally:
        pen.unplug()


async def everything(source):
    descriptor = await source.open()
    await source.start()
    frames = [a.frame async for batch in source.frames() for a in batch]
    await source.stop()
    await source.close()
    return descriptor, frames


@pytest.mark.parametrize("carrier", [pytest.param(PtyCarrier, marks=needs_pty), TcpCarrier])
def test_every_sample_the_pen_took_arrives_unchanged(monkeypatch, carrier):
    monkeypatch.setattr("penapp.device.far_end.new_carrier", carrier)
    ink = ToyInk("abcdefghijklmnop" * 10)
    descriptor, frames = asyncio.run(everything(VirtualPenSource(ink, speed=None)))
    assert descriptor == ink.descriptor
    np.testing.assert_array_equal(join_samples(frames, 13), ink.counts)


def test_the_last_samples_arrive_even_when_they_fill_no_batch():
    ink = ToyInk("a")
    ink.counts = ink.counts[:83]
    _, frames = asyncio.run(everything(VirtualPenSource(ink, speed=None)))
    assert sum(f.n for f in frames) == 83


def test_a_device_that_is_no_pen_is_named_with_what_it_said():
    with pytest.raises(WrongDeviceError, match=r"not one valid frame.*GPS READY") as caught:
        use(RudeFirmware(b"GPS READY\r\n"))
    assert "penapp devices" in caught.value.advice


def test_binary_rubbish_is_shown_in_hexadecimal():
    with pytest.raises(WrongDeviceError, match="01 fe 00"):
        use(RudeFirmware(b"\x01\xfe\x00\x07"))


def test_another_protocol_version_names_found_and_expected():
    ink = ToyInk()
    with pytest.raises(ProtocolVersionError, match="version 2, this build speaks 1"):
        use(PenFirmware(ink.descriptor, faults=Faults(version=2)), ink=ink)


def test_a_port_where_nothing_answers():
    ink = ToyInk()
    with pytest.raises(PenSilentError, match=r"nothing at .* answers"):
        use(PenFirmware(ink.descriptor, faults=Faults(silent=True)), ink=ink)


def test_a_pen_that_answers_but_sends_nothing():
    ink = ToyInk()
    with pytest.raises(PenSilentError, match=r"no samples for 0\.2 s"):
        use(PenFirmware(ink.descriptor, faults=Faults(no_samples=True)), ink=ink)


def test_unplugged_in_mid_word_is_lost_and_what_came_before_was_delivered():
    ink = ToyInk("ab", hold_at=120)
    pen = VirtualPen(ink, speed=None)
    got = []

    async def read():
        source = SerialSource(pen.address, timing=IMPATIENT)
        await source.open()
        await source.start()
        try:
            async for batch in source.frames():
                got.extend(batch)
                if sum(a.frame.n for a in got) >= 104:
                    await asyncio.to_thread(pen.unplug)
        finally:
            await source.stop()
            await source.close()

    with pytest.raises(PenLostError, match="is gone") as caught:
        asyncio.run(read())
    assert "recorded so far is kept" in caught.value.advice
    taken = sum(a.frame.n for a in got)
    np.testing.assert_array_equal(join_samples([a.frame for a in got], 13), ink.counts[:taken])


def test_a_pen_unplugged_while_it_is_being_asked_is_noticed_at_once():
    ink = ToyInk()
    pen = VirtualPen(ink, firmware=PenFirmware(ink.descriptor, faults=Faults(silent=True)))

    async def ask():
        source = SerialSource(pen.address, timing=LinkTiming(answer_s=60.0))
        asking = asyncio.ensure_future(source.open())
        await asyncio.sleep(0.05)
        await asyncio.to_thread(pen.unplug)
        try:
            async with asyncio.timeout(10.0):
                await asking
        finally:
            await source.close()

    with pytest.raises(PenLostError):
        asyncio.run(ask())


def test_answers_that_say_nothing_neither_stop_the_link_nor_hide_who_sent_them(caplog):
    mute = to_serial(encode_frame(Frame(FrameType.RSP, 0, payload=b"\x81")))
    with pytest.raises(PenSilentError, match="does not answer HELLO"):
        use(RudeFirmware(mute))
    assert not caplog.records


def test_half_a_command_of_another_host_costs_nothing():
    """The host clears the pen's buffer first: HELLO is answered at once, not at the second attempt."""
    firmware = PenFirmware(ToyInk().descriptor)
    firmware.receive(b"\x05\x01\x20half")
    pen = VirtualPen(ToyInk(), firmware=firmware)
    source = SerialSource(pen.address, timing=LinkTiming(answer_s=5.0, retries=0))

    async def greeted():
        try:
            return await source.open()
        finally:
            await source.close()

    try:
        assert asyncio.run(greeted()) == firmware.descriptor
    finally:
        pen.unplug()


def test_lost_answers_are_asked_for_again():
    ink = ToyInk("abc")
    faults = Faults(drop=0.4, responses=True, seed=1)
    source = VirtualPenSource(ink, speed=None, faults=faults, timing=LinkTiming(0.1, 30))
    descriptor, _ = asyncio.run(everything(source))
    assert descriptor == ink.descriptor


def test_damaged_frames_are_counted():
    source = VirtualPenSource(ToyInk("abcdefgh" * 4), speed=None, faults=Faults(corrupt=0.1, seed=3))
    _, frames = asyncio.run(everything(source))
    counters = source.counters
    assert counters.damaged_frames >= 400 - len(frames) > 10


def test_a_host_that_reads_slowly_loses_nothing():
    """Back-pressure: the pen waits, no buffer grows without bound."""
    ink = ToyInk("abcdefghijklmnop" * 100)

    async def read_slowly():
        source = VirtualPenSource(ink, speed=None)
        await source.open()
        await source.start()
        ahead = await stands_still(lambda: ink.at)
        n = sum([a.frame.n async for batch in source.frames() for a in batch])
        await source.stop()
        await source.close()
        return ahead, n

    ahead, n = asyncio.run(read_slowly())
    assert n == len(ink.counts)
    assert ahead < len(ink.counts) / 2


async def stands_still(value):
    """The value once it has not changed for 20 looks: the pen has run ahead as far as it can."""
    last, same = value(), 0
    while same < 20:
        await asyncio.sleep(0.01)
        last, same = value(), same + 1 if value() == last else 0
    return last


def test_a_port_that_is_not_there(tmp_path):
    with pytest.raises(PortAbsentError, match="there is no pen at") as caught:
        open_port(str(tmp_path / "ttyACM9"))
    assert "penapp devices" in caught.value.advice


def test_a_socket_where_nobody_listens():
    carrier = TcpCarrier()
    carrier.close()
    with pytest.raises(PortAbsentError):
        open_port(carrier.address)


def test_an_ordinary_file_is_no_port(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(PortError, match="could not be opened as a serial port"):
        open_port(str(tmp_path / "notes.txt"))


def test_a_pseudo_terminal_that_knows_only_plain_speeds_is_opened_with_one(monkeypatch):
    asked = []

    def as_on_macos(name, *, baudrate, **_):
        asked.append(baudrate)
        if baudrate > 230_400:
            raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        return name

    monkeypatch.setattr("serial.serial_for_url", as_on_macos)
    open_port("/dev/ttys003")
    assert asked == [921_600, 115_200]


def test_a_device_that_goes_while_it_is_being_opened_is_a_port_that_could_not_be_opened(monkeypatch):
    termios = pytest.importorskip("termios", reason="no termios here")

    def vanish(*_args, **_settings):
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr("serial.serial_for_url", vanish)
    with pytest.raises(PortError, match="Input/output error"):
        open_port("/dev/ttyACM0")


@needs_pty
def test_a_port_held_by_another_program_is_busy():
    carrier = PtyCarrier()
    first = open_port(carrier.address)
    with pytest.raises(PortBusyError, match="in use by another program"):
        open_port(carrier.address)
    first.close()
    carrier.close()


def test_a_port_without_permission_says_what_to_do():
    error = _port_error("/dev/ttyACM0", PermissionError(13, "Permission denied"))
    assert isinstance(error, PortPermissionError)
    assert "dialout" in error.advice


def test_the_pen_in_real_time_keeps_its_rate():
    """Not a benchmark: half a second of ink at 40x must not take a tenth of that, nor for ever."""
    ink = ToyInk("ab")

    async def timed():
        loop = asyncio.get_running_loop()
        started = loop.time()
        _, frames = await everything(VirtualPenSource(ink, speed=8.0))
        return loop.time() - started, frames

    seconds, frames = asyncio.run(timed())
    assert sum(f.n for f in frames) == len(toy_counts("ab"))
    assert 0.22 < seconds < 5.0


def test_closing_at_any_moment_leaves_no_port_open():
    """stop() and close() before open(), and close() while the port is being opened."""

    async def impatient():
        source = VirtualPenSource(ToyInk())
        await source.stop()
        await source.close()
        task = asyncio.ensure_future(source.open())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await source.close()
        await source.close()

    before = open_files()
    asyncio.run(impatient())
    assert open_files() == before


def open_files():
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_an_answer_behind_many_samples_is_heard():
    """A pen may send samples for a while before its answer to START: reads nobody consumes are no wall."""
    ink = ToyInk("abcdefghijklmnop" * 10)
    behind = len(ink.counts)

    class Late(PenFirmware):
        """Answers START when all samples have been sent."""

        def receive(self, raw):
            items = super().receive(raw)
            if self.streaming and items:
                self.answers, items = items, []
            return items

        def take(self, counts, t_us_first):
            items = super().take(counts, t_us_first)
            return items + self.answers if self.state.index >= behind else items

    pen = VirtualPen(ink, speed=None, firmware=Late(ink.descriptor))

    async def started():
        source = SerialSource(pen.address, timing=LinkTiming(answer_s=20.0, retries=0))
        try:
            await source.open()
            await source.start()
            return [arrived.frame async for batch in firsts(source, behind) for arrived in batch]
        finally:
            await source.close()

    try:
        frames = asyncio.run(started())
    finally:
        pen.unplug()
    np.testing.assert_array_equal(join_samples(frames, 13), ink.counts)


async def firsts(source, samples):
    """Batches until so many samples have come."""
    came = 0
    async for batch in source.frames():
        yield batch
        came += sum(arrived.frame.n for arrived in batch)
        if came >= samples:
            return
