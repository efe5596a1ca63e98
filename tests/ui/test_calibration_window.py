"""The calibration wizard in the window: steps, refusals, saving, keys, colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from calibration.coverage import CELLS
from calibration.progress import Progress
from calibration.sensor import Figure
from calibration.steps import MASSES_G, Shows
from calibration.store import CalibrationStore
from firmware_protocol.channels import standard_descriptor
from penapp.calibrate import pen_id_of
from penapp.live_types import LinkChanged, LinkState
from penapp.stream.block import SampleBlock
from penapp.ui.calibration_picture import CalibrationPicture
from penapp.ui.calibration_state import facing, rows
from penapp.ui.theme import DARK, LIGHT, ThemeChoice
from penapp.ui.view_state import CALIBRATION_PEN, Phase, SourceChoice, SourceKind, pen_to_calibrate

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
SERIAL = SourceChoice(SourceKind.SERIAL, "COM3")
PEN_ID = pen_id_of(standard_descriptor())


@pytest.fixture
def store(monkeypatch, tmp_path):
    monkeypatch.setattr("penapp.calibrate.user_data_path", lambda _: tmp_path)
    return CalibrationStore(tmp_path / "calibration")


@pytest.fixture
def open_wizard(bench, store):  # noqa: ARG001  no test touches the user's records
    def call():
        window = bench.window()
        window.connect_to(SERIAL)
        bench.until(lambda: window.host.phase is Phase.CONNECTED)
        window.calibration.begin()
        bench.until(lambda: window.calibration.dialog is not None)
        dialog = window.calibration.dialog
        dialog._timer.stop()
        return window, dialog, bench.sessions[-1]

    return call


def still(seconds, *, gyro=0.01, force=0.0):
    rng = np.random.default_rng(0)
    n = round(100 * seconds)
    values = np.zeros((n, 13), dtype=np.float32)
    values[:, [2, 5]] = 9.81
    values[:, 6:9] = gyro
    values[:, 12] = force
    values += rng.normal(0.0, 0.004, (n, 13)).astype(np.float32)
    return SampleBlock(np.arange(n) / 100.0, values)


def feed(dialog, session, block):
    session.push(block)
    dialog._poll()


def test_a_step_ends_by_itself_shows_what_it_found_and_saving_connects_the_pen_anew(
    bench, open_wizard, store
):
    window, dialog, session = open_wizard()
    assert "penapp virtual pen" in dialog.windowTitle()
    assert dialog._title.text() == "Rest"
    assert not dialog.save.isEnabled()
    feed(dialog, session, still(5.0))
    assert 300 < dialog._bar.value() < 700
    feed(dialog, session, still(6.5))
    assert dialog._title.text() == "Poses"
    assert dialog._steps[0].accessibleName() == "Rest: done"
    assert dialog._results._rows[0][0] == "gyroscope at rest"
    for _ in range(3):
        QTest.mouseClick(dialog.skip, LEFT)
    assert dialog._title.text() == "Done"
    assert dialog._steps[1].accessibleName() == "Poses: skipped"
    QTest.mouseClick(dialog.save, LEFT)
    record = store.newest(PEN_ID)
    assert record is not None
    np.testing.assert_allclose(record.gyro.offset, 0.01, atol=1e-3)
    assert window.calibration.dialog is None
    bench.until(lambda: len(bench.choices) == 2 and window.host.phase is Phase.CONNECTED)
    assert bench.choices[1] == SERIAL


def test_a_refusal_stays_on_screen_with_advice_and_nothing_is_lost(open_wizard):
    _, dialog, session = open_wizard()
    feed(dialog, session, still(5.0))
    QTest.mouseClick(dialog.finish, LEFT)
    assert "at least 8 s are needed" in dialog._message.text()
    assert "take your hand away" in dialog._message.text()
    assert LIGHT.bad in dialog._message.styleSheet()
    feed(dialog, session, still(0.5))
    assert "are needed" in dialog._message.text()
    feed(dialog, session, still(6.0))
    assert dialog._title.text() == "Poses"
    assert dialog._message.text() == ""


def test_a_moving_pen_is_told_to_lie_still(open_wizard):
    _, dialog, session = open_wizard()
    moving = still(2.0)
    moving.values[:, :9] += np.random.default_rng(1).normal(0.0, 1.0, (200, 9)).astype(np.float32)
    feed(dialog, session, moving)
    assert "put it down" in dialog._message.text()
    assert "put it down" in dialog._picture.accessibleDescription()


def to_force(dialog):
    for _ in range(3):
        QTest.mouseClick(dialog.skip, LEFT)
    assert dialog._title.text() == "Force"


def test_space_takes_the_mass_that_the_scale_shows(bench, open_wizard):
    _, dialog, session = open_wizard()
    dialog.activateWindow()
    bench.until(dialog.isActiveWindow)
    assert not dialog.confirm.isVisible()
    to_force(dialog)
    for count, mass in enumerate(MASSES_G[:3]):
        assert f"{mass:.0f} g" in dialog._what.text()
        QTest.keyClick(dialog, Qt.Key.Key_Space)
        bench.until(lambda: not dialog.confirm.isEnabled())
        feed(dialog, session, still(1.6, force=0.05 + mass * 9.81e-3))
        assert dialog._line.text() == f"{count + 1} of {len(MASSES_G)} levels"
    QTest.mouseClick(dialog.back, LEFT)
    assert "50 g" in dialog._what.text()


def test_escape_closes_and_nothing_is_saved(open_wizard, store):
    window, dialog, session = open_wizard()
    feed(dialog, session, still(12.0))
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.calibration.dialog is None
    assert store.entries() == ()
    assert window.host.phase is Phase.CONNECTED


def test_a_pen_that_goes_away_leaves_what_was_measured(bench, open_wizard, store):
    window, dialog, session = open_wizard()
    feed(dialog, session, still(12.0))
    session.current = replace(session.current, link=LinkState.FAILED)
    session.say(LinkChanged(session.current))
    bench.until(lambda: "no longer connected" in dialog._message.text())
    assert not dialog.finish.isEnabled()
    QTest.mouseClick(dialog.save, LEFT)
    assert store.newest(PEN_ID) is not None
    assert window.host.phase is Phase.IDLE


def test_a_record_that_cannot_be_saved_is_told(open_wizard, tmp_path):
    window, dialog, session = open_wizard()
    feed(dialog, session, still(12.0))
    (tmp_path / "calibration").write_text("in the way", encoding="utf-8")
    QTest.mouseClick(dialog.save, LEFT)
    assert "could not be written" in window.banner.text


def test_a_second_call_shows_the_same_wizard_and_the_window_takes_it_along(bench, open_wizard):
    window, dialog, _ = open_wizard()
    window.calibration.begin()
    bench.app.processEvents()
    assert window.calibration.dialog is dialog
    window.close()
    assert window.calibration.dialog is None
    assert bench.sessions[0].stopped == 1


@pytest.mark.usefixtures("store")
def test_the_demo_and_the_pad_give_way_to_a_virtual_pen_that_can_be_calibrated(bench):
    window = bench.window()
    window.calibration.begin()
    bench.until(lambda: window.calibration.dialog is not None)
    assert bench.choices == [SourceChoice(SourceKind.DEMO, CALIBRATION_PEN)]
    window.calibration.dialog.close()
    bench.until(lambda: window.host.phase is Phase.IDLE)
    for kind in (SourceKind.DEMO, SourceKind.PAD, SourceKind.VIRTUAL_BLE, SourceKind.REPLAY):
        assert pen_to_calibrate(SourceChoice(kind)).target == CALIBRATION_PEN
    for real in (SERIAL, SourceChoice(SourceKind.BLE, "AA:BB:CC:DD:EE:FF")):
        assert pen_to_calibrate(real) == real


@pytest.mark.usefixtures("store")
def test_without_a_port_the_window_says_what_to_do_first(bench):
    window = bench.window()
    window.connect_panel.choose(SourceChoice(SourceKind.SERIAL, " "))
    window.connect_panel._port.setEditText("")
    window.calibration.begin()
    assert "serial port first" in window.banner.text
    assert bench.sessions == []


def painted(shows, progress, theme):
    """Pixels in the accent colour."""
    picture = CalibrationPicture()
    picture.resize(430, 220)
    picture.set_theme(theme)
    picture.show_progress(shows, progress)
    image = picture.grab().toImage()
    accent = QColor(theme.accent).rgb()
    return sum(
        image.pixel(x, y) == accent for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.usefixtures("bench")
def test_the_sphere_fills_with_what_was_seen(theme):
    some = np.zeros(CELLS, dtype=np.bool_)
    seen = []
    for count in (0, 12, 48):
        some[:count] = True
        seen.append(painted(Shows.COVERAGE, Progress(0.5, "", cells=some), theme))
    assert seen[0] == 0
    assert 500 < seen[1] < 0.5 * seen[2]
    dots = Progress(0.5, "", points=np.eye(3))
    assert painted(Shows.POSES, dots, theme) > 20


def test_the_two_spheres_show_every_direction_once():
    view = np.array([0.8, 0.42, 0.42]) / np.linalg.norm([0.8, 0.42, 0.42])
    points = np.eye(3)
    front, back = facing(points, view), facing(points, -view)
    np.testing.assert_allclose(front[:, 2], -back[:, 2])
    np.testing.assert_allclose(np.linalg.norm(front, axis=1), 1.0)
    assert front[2, 1] > 0.8


def test_figures_are_readable_with_their_units():
    shown = rows([Figure("a", "mm/s2", 1.234, 412.3), Figure("b", "deg", 0.0456), Figure("c", "", 0.9)])
    assert shown == (("a", "412 mm/s²", "1.23 mm/s²"), ("b", "", "0.046 °"), ("c", "", "0.900"))


def test_the_wizard_follows_the_theme(open_wizard):
    window, dialog, _ = open_wizard()
    window.set_theme(ThemeChoice.DARK)
    assert DARK.accent in dialog._steps[0].styleSheet()
    window.set_theme(ThemeChoice.LIGHT)
    assert LIGHT.accent in dialog._steps[0].styleSheet()
