"""The window over the real link: virtual pen, pseudo-terminal, session; only the recogniser is missing."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from penapp.live import LiveSession
from penapp.stream.block import FORCE
from penapp.ui.main_window import MainWindow
from penapp.ui.pens import pen_source
from penapp.ui.session_host import OpenPen
from penapp.ui.theme import ThemeChoice
from penapp.ui.view_state import SourceChoice, SourceKind

pytestmark = pytest.mark.gui


class NoText:
    """A pipeline that reads nothing."""

    contact = False

    def push(self, block):
        return []

    def tentative(self):
        return None

    def finish(self):
        return []

    def reset(self):
        pass


def open_pen(choice, on_event):
    source, pad, ink = pen_source(choice)
    return OpenPen(LiveSession(source, lambda _: NoText(), on_event=on_event), pad, ink)


@pytest.fixture
def window(bench):  # noqa: ARG001  closes what is open
    found = MainWindow(open_pen, lambda: (), ThemeChoice.LIGHT)
    found.show()
    return found


def test_the_demo_moves_strips_and_ink_and_closing_ends_every_thread(bench, window):
    before = set(threading.enumerate())
    window.connect_to(SourceChoice(SourceKind.DEMO))
    bench.until(lambda: len(window.strips.chart._t) > 100, timeout_s=20)
    bench.until(lambda: window.pad._shown.strokes, timeout_s=20)
    assert window.host.status().lost == 0
    window.close()
    assert set(threading.enumerate()) <= before


def test_writing_on_the_pad_comes_back_through_the_wire_as_force(bench, window):
    window.write_here()
    bench.until(lambda: window.pad.writable and len(window.strips.chart._t) > 20, timeout_s=20)

    def force():
        return window.host.pen.session.ring.latest(10)[1][:, FORCE].mean()

    assert force() < 0.2
    QTest.mousePress(window.pad, Qt.MouseButton.LeftButton, pos=QPoint(50, 60))
    QTest.mouseMove(window.pad, QPoint(60, 66))
    bench.until(lambda: force() > 0.4)
    QTest.mouseRelease(window.pad, Qt.MouseButton.LeftButton, pos=QPoint(60, 66))
    bench.until(lambda: force() < 0.2)


def test_a_port_that_is_not_there_is_one_line_with_advice(bench, window):
    window.connect_to(SourceChoice(SourceKind.SERIAL, "/dev/no-such-pen"))
    bench.until(lambda: "no-such-pen" in window.banner.text, timeout_s=20)
    bench.until(lambda: window.connect_panel.button.text() == "Connect", timeout_s=20)


def test_an_empty_recording_is_one_line_with_advice(bench, window, tmp_path):
    empty = tmp_path / "empty.pen"
    empty.touch()
    window.connect_to(SourceChoice(SourceKind.REPLAY, str(empty)))
    bench.until(lambda: "empty.pen" in window.banner.text, timeout_s=20)
    bench.until(lambda: window.connect_panel.button.text() == "Connect", timeout_s=20)
