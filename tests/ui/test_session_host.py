"""Opening and stopping happen elsewhere; nothing is left over, whatever comes first."""

from __future__ import annotations

import threading
import time

import pytest

from penapp.live_types import Failed
from penapp.ui.session_host import Closed, OpenPen, SessionHost
from penapp.ui.view_state import Phase, SourceChoice


class SlowPen:
    """An opener that waits until it is allowed to go on; its session counts starts and stops."""

    ring = None

    def __init__(self):
        self.go = threading.Event()
        self.started = self.stopped = 0
        self.fault: Exception | None = None

    def __call__(self, choice, on_event):
        assert self.go.wait(10)
        if self.fault is not None:
            raise self.fault
        return OpenPen(self)

    def start(self):
        self.started += 1

    def stop(self):
        self.stopped += 1

    def status(self):
        return None


def until(host, phase, seen=None):
    end = time.monotonic() + 5
    while host.phase is not phase:
        assert time.monotonic() < end, host.phase
        events = host.drain()
        if seen is not None:
            seen += events
        time.sleep(0.001)


def test_connecting_does_not_wait_for_the_pen():
    pen = SlowPen()
    host = SessionHost(pen)
    host.connect(SourceChoice())
    assert host.phase is Phase.CONNECTING
    pen.go.set()
    until(host, Phase.CONNECTED)
    host.close()
    assert (pen.started, pen.stopped, host.phase) == (1, 1, Phase.IDLE)


def test_cancelling_while_connecting_stops_what_was_opened():
    pen = SlowPen()
    host = SessionHost(pen)
    host.connect(SourceChoice())
    host.disconnect()
    pen.go.set()
    until(host, Phase.IDLE)
    assert pen.started == pen.stopped == 1
    host.close()


def test_closing_while_connecting_stops_what_was_opened():
    pen = SlowPen()
    host = SessionHost(pen)
    host.connect(SourceChoice())
    threading.Timer(0.05, pen.go.set).start()
    host.close()
    assert (pen.started, pen.stopped, host.phase) == (1, 1, Phase.IDLE)


def test_a_second_connection_is_not_opened_beside_the_first():
    pen = SlowPen()
    pen.go.set()
    host = SessionHost(pen)
    host.connect(SourceChoice())
    host.connect(SourceChoice())
    until(host, Phase.CONNECTED)
    host.connect(SourceChoice())
    host.close()
    assert pen.started == 1


@pytest.mark.parametrize("fault", [ValueError("strange"), OSError("no")])
def test_an_unforeseen_fault_is_told_and_the_host_is_idle_again(fault, caplog):
    pen = SlowPen()
    pen.fault = fault
    pen.go.set()
    host = SessionHost(pen)
    host.connect(SourceChoice())
    seen = []
    until(host, Phase.IDLE, seen)
    assert [type(event) for event in seen] == [Failed, Closed]
    assert str(fault) in seen[0].message
    assert seen[0].advice
    assert "could not be opened" in caplog.text
