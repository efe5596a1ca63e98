"""The same samples are the same text whichever way they came: BLE, serial line, TCP, recordings.

Twenty seconds of the demo here, all of it with PENAPP_SOAK=1.
"""

from __future__ import annotations

import os

import pytest

from penapp.device.carrier import TcpCarrier
from penapp.device.far_end import VirtualPen
from penapp.device.replay import ReplaySource
from penapp.device.serial_source import SerialSource
from penapp.device.virtual import VirtualPenSource
from penapp.device.virtual_ble import virtual_ble_pen
from penapp.live import LiveSession, TextCommitted
from penapp.pipeline import default_pipeline
from penapp.scores import error_rates
from penapp.simulation.demo_ink import demo_sentences
from penapp.simulation.sources import DemoSource
from tests.device.toy_pens import EventLog

SOAK = os.environ.get("PENAPP_SOAK") == "1"
SAMPLES = 100_000 if SOAK else 2000


class Writing:
    """The first samples of the demo, then nothing."""

    def __init__(self) -> None:
        self._demo = DemoSource(once=True)
        self.descriptor = self._demo.descriptor
        self._left = SAMPLES

    def read(self, n: int):
        if not self._left:
            return None
        counts = self._demo.read(min(n, self._left))
        self._left -= 0 if counts is None else len(counts)
        return counts


def readings(source, record_to=None):
    """Everything that was committed: text, score, confidence, times, alternatives."""
    seen = EventLog()
    session = LiveSession(source, default_pipeline, record_to=record_to, on_event=seen)
    session.start()
    assert session.wait(60.0)
    session.stop()
    assert (session.error, session.recording_error) == (None, None)
    assert session.status().lost == 0
    return [event.hypothesis for event in seen.of(TextCommitted)]


@pytest.fixture(scope="module")
def over_serial(tmp_path_factory):
    """What a pseudo-terminal gives, and its recordings."""
    folder = tmp_path_factory.mktemp("serial")
    read = readings(VirtualPenSource(Writing(), speed=None), folder / "serial.pen")
    assert readings(VirtualPenSource(Writing(), speed=None), folder / "serial.mcap") == read
    return read, folder


def cer(read):
    """Character error rate against what the demo says, as far as it was read; words may be cut otherwise."""
    said = " ".join(sentence.text for sentence in demo_sentences())
    text = " ".join(h.text for h in read)
    return error_rates([said if SOAK else said[: len(text)]], [text]).cer


def test_the_demo_is_read_at_all(over_serial):
    read, _ = over_serial
    assert len(read) >= 4
    assert cer(read) < 50.0


def test_bluetooth_gives_what_the_serial_line_gives(over_serial, tmp_path, report):
    pytest.importorskip("bumble", reason="the simulated radio is Bumble's (extra `radio`)")
    read, _ = over_serial
    over_ble = readings(virtual_ble_pen(Writing(), speed=None), tmp_path / "ble.mcap")
    assert over_ble == read
    assert cer(over_ble) == cer(read)
    assert readings(ReplaySource(tmp_path / "ble.mcap", None)) == read
    report(
        f"{len(read)} words, CER {cer(read):.2f} % over BLE, serial and from the file, all alike bit for bit"
    )


def test_tcp_gives_what_the_serial_line_gives(over_serial):
    read, _ = over_serial
    pen = VirtualPen(Writing(), speed=None, carrier=TcpCarrier())
    seen = EventLog()
    session = LiveSession(SerialSource(pen.address), default_pipeline, on_event=seen)
    session.start()
    seen.wait_for(lambda _: len(seen.of(TextCommitted)) >= len(read) - 1, 60.0)
    session.stop()
    pen.unplug()
    over_tcp = [event.hypothesis for event in seen.of(TextCommitted)]
    assert over_tcp[: len(read) - 1] == read[:-1]


@pytest.mark.parametrize("name", ["serial.pen", "serial.mcap"])
def test_a_recording_gives_what_was_read_live(over_serial, name):
    read, folder = over_serial
    replayed = readings(ReplaySource(folder / name, None))
    assert replayed == read
