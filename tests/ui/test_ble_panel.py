"""Bluetooth pens in the connect panel: what is listed, when the window listens, the pen of last time."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from penapp import app
from penapp.live_types import LinkChanged
from penapp.ui import near_state as near
from penapp.ui.ble_control import BleControl
from penapp.ui.last_pen import LastPen, LastPenStore
from penapp.ui.main_window import MainWindow
from penapp.ui.near_state import NearPen, NearView, WatchState
from penapp.ui.theme import ThemeChoice
from penapp.ui.tone import Tone
from penapp.ui.view_state import Phase, PortChoice, SourceChoice, SourceKind

LEFT = NearPen("C0:FF:EE:00:00:01", "left", -50, 0.0)
RIGHT = NearPen("C0:FF:EE:00:00:02", "right", -80, 0.0)
BOTH = NearView(WatchState.SCANNING, (LEFT, RIGHT))
OFF = NearView(WatchState.FAILED, (), "Switched off", "Bluetooth is switched off.", "Switch it on.")
PORTS = (PortChoice("/dev/ttyACM0", "Pen board"),)
BLE_LEFT = SourceChoice(SourceKind.BLE, LEFT.address)


@dataclass
class FakeWatch:
    """Listens or not, and shows what the test says."""

    shown: NearView = BOTH
    listening: bool = False
    closed: bool = False

    def start(self):
        self.listening = True

    def stop(self):
        self.listening = False

    def view(self):
        return self.shown if self.listening else NearView()

    def close(self):
        self.stop()
        self.closed = True


@pytest.fixture
def watch():
    return FakeWatch()


@pytest.fixture
def store(tmp_path):
    return LastPenStore(tmp_path / "penapp" / "last-pen.json")


def window_with(bench, watch, store=None):
    found = MainWindow(bench.open, lambda: PORTS, ThemeChoice.LIGHT, ble=BleControl(watch, store))
    found.show()
    return found


def choose(window, kind):
    window.connect_panel.choose(SourceChoice(kind))


# What is said.


@pytest.mark.parametrize(
    ("rssi", "filled"), [(None, 0), (-100, 0), (-90, 1), (-78, 2), (-67, 3), (-56, 3), (-55, 4), (-20, 4)]
)
def test_bars(rssi, filled):
    assert near.bars(rssi) == filled


@pytest.mark.parametrize(
    ("view", "line", "tone"),
    [
        (NearView(), "", Tone.NEUTRAL),
        (NearView(WatchState.SCANNING), "Looking for pens …", Tone.WARN),
        (replace(BOTH, pens=(LEFT,)), "1 pen near", Tone.GOOD),
        (BOTH, "2 pens near", Tone.GOOD),
        (OFF, "Switched off", Tone.BAD),
    ],
)
def test_the_line_beside_the_list(view, line, tone):
    assert near.near_line(view) == (line, tone)


def test_strength_in_figures_and_its_age_once_it_matters():
    assert near.strength_text(LEFT, 1.0) == "-50 dBm"
    assert near.strength_text(LEFT, 8.0) == "-50 dBm, heard 8 s ago"
    assert "not told" in near.strength_text(replace(LEFT, rssi_dbm=None), 1.0)


def test_a_nameless_pen_and_a_mere_uart_are_told_apart():
    assert "without a name" in replace(LEFT, name="").label
    assert "perhaps a pen" in replace(LEFT, is_pen=False).label


@pytest.mark.parametrize(
    ("text", "address"),
    [(LEFT.label, LEFT.address), (" AA:BB ", "AA:BB"), ("ble:AA:BB", "AA:BB"), ("", "")],
)
def test_the_address_behind_the_field(text, address):
    assert near.pen_from_field(text, BOTH.pens) == address


@pytest.mark.parametrize(
    ("awaited", "here"),
    [
        (None, False),
        (SourceChoice(SourceKind.BLE, LEFT.address.lower()), True),
        (SourceChoice(SourceKind.BLE, "C0:FF:EE:00:00:77"), False),
        (SourceChoice(SourceKind.SERIAL, "/dev/ttyACM0"), True),
        (SourceChoice(SourceKind.SERIAL, "COM9"), False),
    ],
)
def test_whether_the_pen_of_last_time_is_here(awaited, here):
    assert near.reunion(awaited, BOTH, PORTS) is here


def test_a_pen_on_the_network_is_not_promised_to_connect_by_itself():
    awaited = SourceChoice(SourceKind.SERIAL, "socket://127.0.0.1:4000")
    hint = near.waiting_hint(awaited, "", Phase.IDLE)
    assert hint.message == "Press Connect for socket://127.0.0.1:4000 again."


@pytest.mark.parametrize(
    ("pen", "choice"),
    [
        ("virtual", SourceChoice(SourceKind.DEMO)),
        ("ble:C0:FF:EE:00:00:01", BLE_LEFT),
        ("ble:", SourceChoice(SourceKind.BLE)),
        ("virtual-ble", SourceChoice(SourceKind.VIRTUAL_BLE)),
    ],
)
def test_what_a_pen_option_means_on_bluetooth(pen, choice):
    assert app.choice_from(pen) == choice


# The file.


def test_the_last_pen_is_kept_and_replaced_whole(store, tmp_path):
    assert store.load() is None
    store.save(LastPen(BLE_LEFT, "left"))
    store.save(LastPen(replace(BLE_LEFT, target="other"), "größer"))
    assert store.load() == LastPen(replace(BLE_LEFT, target="other"), "größer")
    assert [path.name for path in (tmp_path / "penapp").iterdir()] == ["last-pen.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"format_version": 2, "kind": "ble", "target": "AA", "name": ""}',
        '{"format_version": 1, "kind": "tube", "target": "AA", "name": ""}',
        '{"format_version": 1, "kind": "demo", "target": "AA", "name": ""}',
        '{"format_version": 1}',
    ],
)
def test_a_broken_file_counts_as_no_last_pen_and_stays(store, tmp_path, content):
    path = tmp_path / "penapp" / "last-pen.json"
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    assert store.load() is None
    assert path.read_text(encoding="utf-8") == content


def test_a_folder_that_cannot_be_written_costs_the_memory_alone(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    LastPenStore(tmp_path / "file" / "last-pen.json").save(LastPen(BLE_LEFT))
    assert "cannot be kept" in caplog.text


# The window.


@pytest.mark.gui
def test_the_window_listens_only_while_the_bluetooth_page_is_open(bench, watch):
    window = window_with(bench, watch)
    window._look_around(None)
    assert not watch.listening
    choose(window, SourceKind.BLE)
    window._look_around(None)
    assert watch.listening
    choose(window, SourceKind.SERIAL)
    window._look_around(None)
    assert not watch.listening


@pytest.mark.gui
def test_it_listens_no_more_once_it_connects_and_closing_ends_it(bench, watch):
    window = window_with(bench, watch)
    choose(window, SourceKind.BLE)
    bench.until(lambda: watch.listening)
    QTest.mouseClick(window.connect_panel.button, Qt.MouseButton.LeftButton)
    bench.until(lambda: window.host.phase is Phase.CONNECTED and not watch.listening)
    assert bench.choices[-1] == BLE_LEFT
    window.close()
    assert watch.closed


@pytest.mark.gui
def test_pens_are_listed_with_bars_and_figures_and_what_was_chosen_stays(bench, watch):
    watch.shown = replace(BOTH, pens=(LEFT,))
    window = window_with(bench, watch)
    page = window.connect_panel.ble_page
    choose(window, SourceKind.BLE)
    bench.until(lambda: page.list.count() == 1)
    assert window.connect_panel.choice() == BLE_LEFT
    watch.shown = BOTH
    bench.until(lambda: page.list.count() == 2)
    page.list.setCurrentIndex(1)
    louder = replace(RIGHT, rssi_dbm=-40, seen_s=time.monotonic() + 60)
    watch.shown = replace(BOTH, pens=(LEFT, louder, replace(LEFT, address="third")))
    bench.until(lambda: page.list.count() == 3)
    assert window.connect_panel.choice() == SourceChoice(SourceKind.BLE, RIGHT.address)
    assert page.list.itemData(1, Qt.ItemDataRole.ToolTipRole) == "-40 dBm"
    assert page.list.accessibleDescription() == "-40 dBm"
    assert not page.list.itemIcon(1).isNull()
    assert page._line.text() == "3 pens near"


@pytest.mark.gui
def test_a_missing_adapter_is_one_line_and_another_source_can_be_taken(bench, watch):
    watch.shown = OFF
    window = window_with(bench, watch)
    choose(window, SourceKind.BLE)
    page = window.connect_panel.ble_page
    bench.until(lambda: page._line.text() == "Switched off")
    bench.until(lambda: window.banner.text == "Bluetooth is switched off. Switch it on.")
    choose(window, SourceKind.DEMO)
    bench.until(lambda: "Press Connect" in window.banner.text)
    assert window.connect_panel.button.isEnabled()


@pytest.mark.gui
def test_an_address_can_be_typed(bench, watch):
    window = window_with(bench, watch)
    choose(window, SourceKind.BLE)
    bench.until(lambda: window.connect_panel.ble_page.list.count() == 2)
    window.connect_panel.ble_page.list.setEditText("ble:AA:BB:CC:DD:EE:FF")
    assert window.connect_panel.choice().target == "AA:BB:CC:DD:EE:FF"
    watch.shown = replace(BOTH, pens=(replace(LEFT, rssi_dbm=-90), RIGHT))
    window._look_around(None)
    assert window.connect_panel.choice().target == "AA:BB:CC:DD:EE:FF"


@pytest.mark.gui
def test_a_source_that_is_not_to_be_had_is_grey_with_its_reason(bench, watch):
    window = window_with(bench, watch)
    window.connect_panel.grey({SourceKind.VIRTUAL_BLE: "Needs bumble"})
    row = list(SourceKind).index(SourceKind.VIRTUAL_BLE)
    item = window.connect_panel._kind.model().item(row)
    assert not item.isEnabled()
    assert item.toolTip() == "Needs bumble"


@pytest.mark.gui
@pytest.mark.parametrize("choice", [BLE_LEFT, SourceChoice(SourceKind.SERIAL, "/dev/ttyACM0")])
def test_a_pen_is_remembered_once_samples_arrive_and_met_again_at_the_next_start(bench, watch, store, choice):
    first = window_with(bench, watch, store)
    first.connect_to(choice)
    bench.until(lambda: store.load() is not None)
    assert store.load() == LastPen(choice, "fake pen")
    first.close()
    second = window_with(bench, watch, store)
    second.refresh_ports()
    second.meet_last_pen()
    bench.until(lambda: second.host.phase is Phase.CONNECTED)
    assert bench.choices == [choice, choice]


@pytest.mark.gui
def test_a_pen_that_was_never_heard_from_is_not_remembered(bench, watch, store):
    window = window_with(bench, watch, store)
    window.connect_to(BLE_LEFT)
    bench.until(lambda: window.host.phase is Phase.CONNECTED)
    session = bench.sessions[0]
    session.current = replace(session.current, samples=0)
    store.forget()
    window._ble._kept = None
    session.say(LinkChanged(session.current))
    window._look_around(session.current)
    assert store.load() is None


@pytest.mark.gui
def test_the_virtual_pens_and_recordings_are_not_remembered(bench, watch, store):
    window = window_with(bench, watch, store)
    window.connect_to(SourceChoice(SourceKind.DEMO))
    bench.until(lambda: window.host.phase is Phase.CONNECTED)
    window._look_around(bench.sessions[0].current)
    assert store.load() is None


@pytest.mark.gui
def test_while_the_last_pen_is_away_it_is_waited_for_and_named(bench, watch, store):
    store.save(LastPen(BLE_LEFT, "left"))
    watch.shown = NearView(WatchState.SCANNING)
    window = window_with(bench, watch, store)
    window.meet_last_pen()
    bench.until(lambda: "Connects to left as soon as it is switched on nearby." in window.banner.text)
    assert window.connect_panel.choice() == BLE_LEFT
    assert bench.sessions == []
    watch.shown = BOTH
    bench.until(lambda: len(bench.sessions) == 1)


@pytest.mark.gui
@pytest.mark.parametrize("act", ["another source", "another pen", "connected to the demo and left"])
def test_who_chooses_something_else_is_not_connected_behind_their_back(bench, watch, store, act):
    store.save(LastPen(BLE_LEFT, "left"))
    watch.shown = NearView(WatchState.SCANNING)
    window = window_with(bench, watch, store)
    window.meet_last_pen()
    if act == "another source":
        choose(window, SourceKind.DEMO)
        choose(window, SourceKind.BLE)
    elif act == "another pen":
        window.connect_panel.ble_page.list.setEditText(RIGHT.address)
    else:
        window.connect_to(SourceChoice(SourceKind.DEMO))
        bench.until(lambda: window.host.phase is Phase.CONNECTED)
        window.host.disconnect()
        bench.until(lambda: window.host.phase is Phase.IDLE)
    before = len(bench.sessions)
    watch.shown = BOTH
    for _ in range(3):
        window._look_around(None)
    assert len(bench.sessions) == before


def test_the_file_holds_what_it_says(store, tmp_path):
    store.save(LastPen(BLE_LEFT, "left"))
    content = json.loads((tmp_path / "penapp" / "last-pen.json").read_text(encoding="utf-8"))
    assert content == {"format_version": 1, "kind": "ble", "target": LEFT.address, "name": "left"}
