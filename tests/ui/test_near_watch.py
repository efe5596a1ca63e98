"""The list of Bluetooth pens over bleak's Linux back-end and a fake BlueZ, up to words in the window."""

from __future__ import annotations

import threading
import time

import pytest

from tests.device.fake_bluez.daemon import missing

if missing():
    pytest.skip(missing(), allow_module_level=True)

from penapp.live import LiveSession
from penapp.ui.ble_control import BleControl
from penapp.ui.main_window import MainWindow
from penapp.ui.near_state import NearView, WatchState
from penapp.ui.near_watch import NearWatch
from penapp.ui.pens import pen_source
from penapp.ui.session_host import OpenPen
from penapp.ui.theme import ThemeChoice
from penapp.ui.view_state import Phase, SourceChoice, SourceKind
from tests.device.fake_bluez.daemon import private_bus
from tests.device.fake_bluez.harness import bluez_beside
from tests.device.fake_bluez.pens import FakePen
from tests.device.toy_pens import ToyInk, ToyPipeline

SECOND = "C0:FF:EE:00:00:02"


@pytest.fixture(scope="module", autouse=True)
def _bus():
    with private_bus():
        yield


@pytest.fixture
def watch():
    found = NearWatch()
    yield found
    found.close()
    assert "penapp-ble-scan" not in {thread.name for thread in threading.enumerate()}


def until(condition, limit_s=10.0):
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def test_pens_come_go_and_keep_their_order(watch):
    far = FakePen(ToyInk(), name="far")
    far.rssi = -85
    with bluez_beside(far) as beside:
        assert watch.view() == NearView()
        watch.start()
        until(lambda: len(watch.view().pens) == 1)
        beside.do(lambda bluez: bluez.arrive(FakePen(ToyInk(), SECOND, name="near")))
        until(lambda: len(watch.view().pens) == 2)
        assert [pen.name for pen in watch.view().pens] == ["far", "near"]
        watch.stop()
        assert watch.view() == NearView()
        until(lambda: not beside.bluez.scanning)


def test_an_adapter_that_is_off_is_told_and_its_return_is_noticed(watch, monkeypatch):
    monkeypatch.setattr("penapp.ui.near_watch.RETRY_S", 0.05)
    with bluez_beside(FakePen(ToyInk()), powered=False) as beside:
        watch.start()
        until(lambda: watch.view().state is WatchState.FAILED)
        assert "switched off" in watch.view().message
        assert watch.view().advice
        beside.do(lambda bluez: bluez.power(on=True))
        until(lambda: len(watch.view().pens) == 1)
        watch.close()


def test_an_adapter_that_is_switched_off_while_it_listens_is_noticed(watch, monkeypatch):
    monkeypatch.setattr("penapp.ui.near_watch.RESCAN_S", 0.1)
    with bluez_beside(FakePen(ToyInk())) as beside:
        watch.start()
        until(lambda: len(watch.view().pens) == 1)
        beside.do(lambda bluez: bluez.power(on=False))
        until(lambda: watch.view().state is WatchState.FAILED)
        watch.close()


def test_starting_and_stopping_in_a_hurry_leaves_nothing(watch):
    with bluez_beside() as beside:
        for _ in range(5):
            watch.start()
            watch.start()
            watch.stop()
        watch.close()
        assert not beside.bluez.scanning


@pytest.mark.gui
def test_a_pen_is_chosen_from_the_list_and_its_words_appear(bench):
    pen = FakePen(ToyInk("abc", 400.0, endless=True), name="toy", speed=2.0)

    def open_pen(choice, on_event):
        source, _, _ = pen_source(choice)
        return OpenPen(LiveSession(source, ToyPipeline, on_event=on_event))

    with bluez_beside(FakePen(ToyInk(), SECOND, name="other"), pen):
        window = MainWindow(open_pen, lambda: (), ThemeChoice.LIGHT, ble=BleControl(NearWatch(), None))
        window.show()
        window.connect_panel.choose(SourceChoice(SourceKind.BLE))
        page = window.connect_panel.ble_page
        bench.until(lambda: page.list.count() == 2, timeout_s=15)
        page.choose(pen.address)
        window.connect_panel.button.click()
        bench.until(lambda: len(window.text.view.words) >= 2, timeout_s=15)
        assert "toy" in window.connect_panel._state.text()
        window.connect_panel.button.click()
        bench.until(lambda: window.host.phase is Phase.IDLE, timeout_s=15)
        window.close()
        assert not pen.connected
