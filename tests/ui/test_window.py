"""The whole window over a session that behaves like a live one."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from penapp.device.errors import PortAbsentError
from penapp.live_gaps import Gap, GapCause, GapTally
from penapp.live_types import Failed, LinkChanged, LinkState, Search, TextCommitted, TextTentative
from penapp.ui.layout import first_size
from penapp.ui.theme import ThemeChoice
from penapp.ui.view_state import Phase, SourceChoice, SourceKind

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton


def connected(bench, *words):
    bench.words = words
    window = bench.window()
    QTest.mouseClick(window.connect_panel.button, LEFT)
    bench.until(lambda: window.host.phase is Phase.CONNECTED)
    bench.until(lambda: len(window.text.view.words) == len(words))
    return window, bench.sessions[0]


def test_on_start_the_demo_is_one_click_away(bench):
    window = bench.window()
    assert window.connect_panel.choice() == SourceChoice(SourceKind.DEMO)
    assert window.connect_panel.button.isEnabled()
    assert "Press Connect" in window.banner.text
    assert bench.sessions == []


def test_connecting_shows_words_strips_and_state(bench, read):
    window, _ = connected(bench, read("the"), read("fox"))
    paper = window.text._paper
    assert paper.toPlainText() == "the fox "
    bench.until(lambda: len(window.strips.chart._t) == 400)
    bench.until(lambda: window.state._tiles["Tip"].accessibleName() == "Tip: Down on paper")
    assert "Connected" in window.connect_panel._state.text()


def test_tentative_text_is_grey_italic_underlined_and_committed_text_is_not(bench, read):
    window, session = connected(bench, read("the"))
    session.say(TextTentative(read("fo"), 0))
    bench.until(lambda: window.text._paper.toPlainText() == "the fo")
    cursor = window.text._paper.textCursor()
    styles = []
    for position in (2, 6):
        cursor.setPosition(position)
        style = cursor.charFormat()
        styles.append((style.fontItalic(), style.fontUnderline(), style.foreground().color().name()))
    assert styles[0][:2] == (False, False)
    assert styles[1][:2] == (True, True)
    assert styles[0][2] != styles[1][2]
    session.say(TextTentative(None, 0))
    bench.until(lambda: window.text._paper.toPlainText() == "the ")


def test_clicking_a_word_and_then_a_reading_takes_it(bench, read):
    window, _ = connected(bench, read("the", "thc"), read("fox", "for", "ffox"), read("runs"))
    paper = window.text._paper
    cursor = paper.textCursor()
    cursor.setPosition(5)
    QTest.mouseClick(paper.viewport(), LEFT, pos=paper.cursorRect(cursor).center() + QPoint(3, 0))
    assert window.text.view.selected == 1
    QTest.mouseClick(window.text._candidates._buttons[2], LEFT)
    assert paper.toPlainText() == "the ffox runs "


def test_readings_answer_to_the_keyboard(bench, read):
    window, _ = connected(bench, read("the", "thc"), read("fox", "for", "ffox"))
    window.text._paper.setFocus()
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.text.view.plain == "the for"
    QTest.keyClick(window.text._paper, Qt.Key.Key_Left)
    assert window.text.view.selected == 0


def test_undo_copy_and_clear(bench, read):
    window, _ = connected(bench, read("the"), read("fox"), read("runs"))
    window.text.undo()
    window.text.copy_all()
    assert QGuiApplication.clipboard().text() == "the fox"
    window.text.clear()
    assert window.text._paper.toPlainText() == ""


def test_committed_text_never_moves_while_more_is_written(bench, read):
    window, session = connected(bench, read("the"), read("fox"))
    paper = window.text._paper
    cursor = paper.textCursor()
    cursor.setPosition(4)
    before = paper.cursorRect(cursor)
    session.say(TextTentative(read("jumped"), 0))
    bench.until(lambda: window.text.view.tentative == "jumped")
    session.say(TextCommitted(read("jumped"), 0))
    bench.until(lambda: len(window.text.view.words) == 3)
    assert paper.cursorRect(cursor) == before


def test_an_error_is_one_line_with_advice_and_nothing_below_it_moves(bench, read):
    window, session = connected(bench, read("the"))
    place = window.text.mapTo(window, QPoint(0, 0))
    session.say(Failed("The pen went away.", "Plug it in again."))
    session.say(Failed("The pen went away.", "Plug it in again."))
    bench.until(lambda: window.banner.text == "The pen went away. Plug it in again.")
    assert window.text.mapTo(window, QPoint(0, 0)) == place
    assert QApplication.activeModalWidget() is None
    QTest.mouseClick(window.banner._dismiss, LEFT)
    assert "went away" not in window.banner.text


def test_a_warning_stands_as_long_as_its_cause_and_has_no_dismiss(bench, read):
    window, session = connected(bench, read("the"))
    session.current = replace(session.current, message="The pen is silent.", advice="Wake it.")
    bench.until(lambda: window.banner.text == "The pen is silent. Wake it.")
    assert not window.banner._dismiss.isVisible()
    session.current = replace(session.current, message="", advice="")
    bench.until(lambda: "silent" not in window.banner.text)


def test_the_newest_word_stays_in_sight_when_the_window_shrinks(bench, read):
    window, session = connected(bench, read("the"))
    window.resize(1280, 1000)
    for k in range(40):
        session.say(TextCommitted(read(f"word{k}"), 0))
    bench.until(lambda: len(window.text.view.words) == 41)
    window.resize(960, 680)
    bench.app.processEvents()
    scrolled = window.text._paper.verticalScrollBar()
    assert scrolled.maximum() > 0
    assert scrolled.value() == scrolled.maximum()


def test_force_text_and_force_bar_are_from_one_moment(bench, read):
    window, session = connected(bench, read("the"))
    for force_n in (2.0, 0.5, 3.0):
        session.current = replace(session.current, force_n=force_n)
        window._frame()
        assert window.state._tiles["Force"]._value.text() == f"{force_n:.1f} N"
        assert window.state._bar._share == force_n / 4.0


@pytest.mark.parametrize("choice", [ThemeChoice.LIGHT, ThemeChoice.DARK])
def test_what_is_chosen_or_switched_on_can_be_seen(bench, choice):
    window = bench.window()
    window.set_theme(choice)
    off = colours(window.strips.freeze)
    window.strips.freeze.click()
    assert colours(window.strips.freeze) != off
    box = window.connect_panel._kind
    box.showPopup()
    bench.app.processEvents()
    line = box.view().visualRect(box.view().currentIndex()).adjusted(2, 2, -2, -2)
    shown = box.view().viewport().grab(line).toImage()
    lightness = [
        shown.pixelColor(x, y).lightness() for x in range(shown.width()) for y in range(shown.height())
    ]
    box.hidePopup()
    assert max(lightness) - min(lightness) > 90


def colours(widget):
    image = widget.grab().toImage()
    return image.pixelColor(image.width() // 2, 4).name()


@pytest.mark.parametrize(
    ("screen", "window"), [((1920, 1040), (1280, 800)), ((1366, 728), (1280, 680)), ((800, 600), (960, 680))]
)
def test_the_window_opens_as_large_as_the_screen_allows(screen, window):
    assert first_size(QSize(*screen)) == QSize(*window)


@pytest.mark.parametrize("end", [LinkState.FAILED, LinkState.ENDED, LinkState.CLOSED])
def test_a_session_that_ends_keeps_the_text_and_offers_to_connect(bench, read, end):
    window, session = connected(bench, read("the"))
    session.current = replace(session.current, link=end)
    session.say(LinkChanged(session.current))
    bench.until(lambda: window.host.phase is Phase.IDLE)
    assert session.stopped == 1
    assert window.connect_panel.button.text() == "Connect"
    assert window.text.view.plain == "the"


def test_a_port_that_is_not_there_is_told_and_leaves_the_window_usable(bench):
    bench.fails = PortAbsentError("There is no port COM9.", advice="Check the cable.")
    window = bench.window()
    window.connect_to(SourceChoice(SourceKind.SERIAL, "COM9"))
    bench.until(lambda: window.banner.text == "There is no port COM9. Check the cable.")
    bench.until(lambda: window.connect_panel.button.text() == "Connect")


def test_disconnecting_stops_the_session_and_connecting_again_works(bench, read):
    window, session = connected(bench, read("the"))
    QTest.mouseClick(window.connect_panel.button, LEFT)
    bench.until(lambda: window.host.phase is Phase.IDLE)
    assert session.stopped == 1
    assert window.connect_panel._state.text() == "Not connected"
    QTest.mouseClick(window.connect_panel.button, LEFT)
    bench.until(lambda: len(bench.sessions) == 2 and window.host.phase is Phase.CONNECTED)


def test_closing_the_window_leaves_no_thread_behind(bench, read):
    before = set(threading.enumerate())
    window, session = connected(bench, read("the"))
    assert any(thread.name == "fake-device" for thread in threading.enumerate())
    window.close()
    assert set(threading.enumerate()) <= before
    assert session.stopped == 1


def test_closing_while_connecting_leaves_no_thread_behind(bench):
    before = set(threading.enumerate())
    window = bench.window()
    window.connect_to(SourceChoice(SourceKind.DEMO))
    window.close()
    assert set(threading.enumerate()) <= before


def test_the_pad_sends_points_only_while_it_is_the_pen(bench):
    window = bench.window()
    pad = window.pad
    QTest.mousePress(pad, LEFT, pos=QPoint(20, 40))
    QTest.mouseRelease(pad, LEFT, pos=QPoint(20, 40))
    assert bench.pad.points == []
    window.write_here()
    bench.until(lambda: window.pad.writable)
    QTest.mousePress(pad, LEFT, pos=QPoint(20, 40))
    QTest.mouseMove(pad, QPoint(60, 30))
    QTest.mouseRelease(pad, LEFT, pos=QPoint(60, 30))
    x, y, down, t = zip(*bench.pad.points, strict=True)
    assert down[0] is True
    assert down[-1] is False
    assert x[-1] > x[0]
    assert y[-1] > y[0]
    assert np.all(np.diff(t) > 0)
    assert len(pad._ink.strokes) == 1


def test_write_here_takes_over_from_the_demo(bench, read):
    window, session = connected(bench, read("the"))
    QTest.mouseClick(window._write_here, LEFT)
    bench.until(lambda: window.pad.writable)
    assert session.stopped == 1
    assert [choice.kind for choice in bench.choices] == [SourceKind.DEMO, SourceKind.PAD]


def test_freeze_keeps_the_strips_and_lock_keeps_the_scale(bench, read):
    window, session = connected(bench, read("the"))
    chart = window.strips.chart
    bench.until(lambda: len(chart._t) == 400)
    window.strips.lock.click()
    scales = list(chart._scales)
    window.strips.freeze.click()
    session.push(replace(_block(500), values=_block(500).values * 50))
    window._frame()
    assert len(chart._t) == 400
    window.strips.freeze.click()
    bench.until(lambda: len(chart._t) == 900)
    chart.grab()
    assert chart._scales == scales
    window.strips.lock.click()
    bench.until(lambda: not chart.grab().isNull() and chart._scales != scales)


def _block(n):
    t = 4.0 + np.arange(n) / 100.0
    from penapp.stream.block import SampleBlock

    return SampleBlock(t, np.tile(np.sin(9 * t)[:, None], 13).astype(np.float32))


def test_serial_field_takes_the_list_and_free_text(bench):
    window = bench.window()
    panel = window.connect_panel
    panel.choose(SourceChoice(SourceKind.SERIAL, ""))
    window.refresh_ports()
    assert panel.choice().target == "/dev/ttyACM0"
    panel._port.setEditText("socket://pen:9000")
    assert panel.choice() == SourceChoice(SourceKind.SERIAL, "socket://pen:9000")
    panel._port.setEditText("")
    assert not panel.button.isEnabled()


def test_every_part_has_an_accessible_name_and_the_strips_speak(bench, read):
    window, _ = connected(bench, read("the"))
    for widget in (window.pad, window.strips.chart, window.text._paper, window.connect_panel._kind):
        assert widget.accessibleName()
    bench.until(lambda: "100 samples a second" in window.strips.chart.accessibleDescription())


def test_both_themes_paint_text_that_can_be_read(bench, read):
    window, _ = connected(bench, read("the"))
    for choice in (ThemeChoice.LIGHT, ThemeChoice.DARK):
        window.set_theme(choice)
        image = window.text.grab().toImage()
        lightness = {image.pixelColor(x, y).lightness() for x in range(10, 300, 2) for y in range(40, 100, 2)}
        assert max(lightness) - min(lightness) > 150


def test_tab_order_starts_at_the_source_and_reaches_the_text(bench):
    window = bench.window()
    widget, seen = window.connect_panel._kind, []
    for _ in range(60):
        widget = widget.nextInFocusChain()
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(window):
            seen.append(widget)
    assert seen.index(window.connect_panel.button) < seen.index(window.text._paper)


def stylus(pad, kind, x, pressure):
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QPointingDevice, QTabletEvent

    place = QPointF(x, 40.0)
    event = QTabletEvent(
        getattr(QEvent.Type, kind),
        QPointingDevice.primaryPointingDevice(),
        place,
        QPointF(pad.mapToGlobal(place)),
        pressure,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        Qt.KeyboardModifier.NoModifier,
        LEFT,
        LEFT,
    )
    QApplication.sendEvent(pad, event)


def test_a_stylus_touches_by_its_pressure(bench):
    window = bench.window()
    window.write_here()
    bench.until(lambda: window.pad.writable)
    points = []
    window.pad.moved.connect(points.append)
    for kind, x, pressure in (
        ("TabletMove", 10, 0.0),
        ("TabletPress", 20, 0.4),
        ("TabletMove", 30, 0.7),
        ("TabletRelease", 30, 0.0),
    ):
        stylus(window.pad, kind, x, pressure)
    assert [point.down for point in points] == [False, True, True, False]
    assert [point.pressure for point in points] == pytest.approx([0.0, 0.4, 0.7, 0.0])


def test_a_lost_pen_is_shown_as_lost_and_its_return_with_what_is_missing(bench, read):
    window, session = connected(bench, read("the"))
    session.current = replace(
        session.current,
        link=LinkState.LOST,
        silent_s=3.2,
        rate_hz=0.0,
        message="there is no pen at COM9.",
        advice="Bring it back.",
        search=Search(attempt=4, out_s=3.2, next_try_s=0.5, losses=1),
    )
    session.say(LinkChanged(session.current))
    bench.until(lambda: window.connect_panel._state.text() == "Pen lost 3 s ago, looking for it (try 4)")
    assert window.banner.text.endswith("there is no pen at COM9. Bring it back.")
    assert window.connect_panel.button.text() == "Disconnect"
    bench.until(lambda: window.state._tiles["Tip"].accessibleName() == "Tip: –")
    bench.until(lambda: window.strips._note.text() == "no samples for 3 s")
    assert session.stopped == 0
    tally = GapTally().with_gap(Gap(GapCause.LINK, 350, 3.5, 0.0, 1200))
    session.current = replace(
        session.current, link=LinkState.STREAMING, silent_s=0.0, message="", search=None, gaps=tally
    )
    session.say(LinkChanged(session.current))
    bench.until(lambda: window.state._tiles["Gaps"].accessibleName() == "Gaps: 1 last 3.5 s")
    assert window.state._tiles["Gaps"].toolTip() == "Lost once; last: 350 samples (3.5 s) missing"
    assert window.connect_panel._state.text() == "Connected · fake pen"
    assert window.strips._note.text() == ""
