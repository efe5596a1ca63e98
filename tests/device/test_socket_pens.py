"""A pen behind TCP: served, left, found again; and what each failure says."""

import asyncio
import errno
import gc
import socket
import threading

import numpy as np
import pytest

from firmware_protocol.messages import Op, join_samples
from firmware_protocol.virtual_pen import PenFirmware
from penapp.device.errors import PenLostError, PortAbsentError, PortBusyError, PortError
from penapp.device.far_end import VirtualPen
from penapp.device.port import open_port
from penapp.device.requests import Requests
from penapp.device.serial_source import SerialSource
from penapp.device.tcp_server import TcpServerCarrier
from tests.device.toy_pens import IMPATIENT, ToyInk, toy_counts


@pytest.fixture
def served():
    """A pen behind a port that hosts may leave: (pen, firmware, carrier, ink)."""
    ink = ToyInk(endless=True)
    firmware, carrier = PenFirmware(ink.descriptor), TcpServerCarrier()
    carrier.on_gone = firmware.disconnect
    pen = VirtualPen(ink, speed=4.0, firmware=firmware, carrier=carrier)
    yield pen, firmware, carrier, ink
    pen.unplug()


async def first_frames(address, samples=40):
    """At least so many samples; the connection is then dropped without a word, as a crash does."""
    source = SerialSource(address, timing=IMPATIENT)
    await source.open()
    await source.start()
    got = []
    async for batch in source.frames():
        got += [a.frame for a in batch]
        if sum(f.n for f in got) >= samples:
            break
    await source.close()
    return got


def test_a_host_that_vanished_finds_the_pen_again_and_the_index_tells_the_gap(served):
    pen, firmware, carrier, _ = served
    before = asyncio.run(first_frames(pen.address))
    after = asyncio.run(first_frames(pen.address))
    assert carrier.hosts == 2
    assert after[0].index >= before[-1].index + before[-1].n
    counts = toy_counts("abc")
    for frame in (before[0], after[0]):
        rows = np.arange(frame.index, frame.index + frame.n) % len(counts)
        np.testing.assert_array_equal(join_samples([frame], 13), counts[rows])
    assert firmware.descriptor.boot_id == 7


def test_a_host_that_vanished_is_noticed_and_the_pen_stops_streaming(served):
    pen, firmware, carrier, _ = served
    noticed = threading.Event()

    def gone():
        firmware.disconnect()
        noticed.set()

    carrier.on_gone = gone
    asyncio.run(first_frames(pen.address))
    assert noticed.wait(10.0)
    assert not firmware.streaming


def test_a_second_host_is_turned_away_and_told_why_while_the_first_goes_on(served):
    pen, *_ = served

    async def both():
        first = SerialSource(pen.address, timing=IMPATIENT)
        await first.open()
        await first.start()
        second = SerialSource(pen.address, timing=IMPATIENT)
        with pytest.raises(PenLostError, match="closed the connection") as caught:
            await second.open()
        await second.close()
        seen = 0
        async for batch in first.frames():
            seen += len(batch)
            if seen >= 5:
                break
        await first.stop()
        await first.close()
        return caught.value

    assert "is another one using it?" in asyncio.run(both()).advice


def test_a_command_that_cannot_even_be_written_leaves_nothing_behind_in_the_log(caplog):
    async def send(_):
        requests.fail(PenLostError("gone"))
        raise PenLostError("gone")

    requests = Requests(send, IMPATIENT)

    async def ask():
        with pytest.raises(PenLostError):
            await requests.ask(Op.HELLO)
        gc.collect()

    asyncio.run(ask())
    assert not caplog.records
    assert not requests._waiting


def test_a_server_that_resets_the_connection_in_mid_stream_is_a_lost_pen(served):
    pen, _, carrier, _ = served

    async def read():
        source = SerialSource(pen.address, timing=IMPATIENT)
        await source.open()
        await source.start()
        try:
            async for _ in source.frames():
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # close with RST
                carrier._host.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                await asyncio.to_thread(pen.unplug)
        finally:
            await source.close()

    with pytest.raises(PenLostError, match="closed the connection, or its machine is out of reach"):
        asyncio.run(read())


@pytest.mark.parametrize(
    ("failure", "message", "advice"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name 'pen' is not known", "spelling"),
        (TimeoutError("timed out"), "no answer within 3 s", "firewall"),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "x"),
            "nothing listens on that port",
            "virtual-pen --tcp",
        ),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no way leads to that machine", "same network"),
    ],
)
def test_each_way_to_reach_nobody_is_named(monkeypatch, failure, message, advice):
    def fail(*_):
        raise failure

    monkeypatch.setattr("socket.create_connection", fail)
    with pytest.raises(PortAbsentError, match=message) as caught:
        open_port("socket://pen:4000")
    assert "socket://pen:4000" in str(caught.value)
    assert advice in caught.value.advice


def test_a_connection_that_is_reset_before_the_first_byte_is_a_lost_pen(monkeypatch):
    class Reset:
        def read(self):
            return b""

        def write(self, _):
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

        def cancel(self):
            """Nothing waits."""

        def close(self):
            """Nothing is open."""

    monkeypatch.setattr("penapp.device.serial_transport.open_port", lambda _: Reset())

    async def opened():
        source = SerialSource("socket://pen:4000", timing=IMPATIENT)
        try:
            await source.open()
        finally:
            await source.close()

    with pytest.raises(PenLostError, match="closed the connection"):
        asyncio.run(opened())


@pytest.mark.parametrize("name", ["socket://", "socket://pen", "socket://pen:0x1", "socket://pen:99999"])
def test_an_address_that_is_none_says_how_one_looks(name):
    with pytest.raises(PortError, match="expected socket://HOST:PORT") as caught:
        open_port(name)
    assert "socket://192.168.0.7:4000" in caught.value.advice


def test_a_machine_that_vanished_without_a_goodbye_is_missed(served):
    """The keep-alive is the system's; what it reports must not be taken for silence."""
    pen, *_ = served
    port = open_port(pen.address)
    assert port._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    class Vanished:
        def recv(self, _):
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

        def close(self):
            whole.close()

    whole, port._socket = port._socket, Vanished()
    with pytest.raises(OSError, match="other machine is gone"):
        port.read()
    port.close()


def test_a_port_that_is_taken_is_named():
    taken = TcpServerCarrier()
    number = int(taken.address.rpartition(":")[2])
    with pytest.raises(PortBusyError, match=rf"127\.0\.0\.1:{number} is in use"):
        TcpServerCarrier("127.0.0.1", number)
    with pytest.raises(PortError, match="is no address of this machine"):
        TcpServerCarrier("192.0.2.1", 0)
    taken.close()
