"""`penapp devices` and `--pen ble:...` over a fake BlueZ."""

from __future__ import annotations

import json
import sys

import click
import pytest

from tests.device.fake_bluez.daemon import missing

if missing():
    pytest.skip(missing(), allow_module_level=True)

from penapp.cli.devices import devices
from penapp.cli.run_cli import run_cli
from penapp.cli.sources import source_for
from penapp.device.ble_source import BleSource
from penapp.device.discover import ble_address
from penapp.device.supervise import SupervisedSource
from penapp.device.virtual_ble.source import VirtualBlePenSource
from tests.cli.toy_cli import toy_modules
from tests.device.fake_bluez.daemon import private_bus
from tests.device.fake_bluez.harness import bluez_beside
from tests.device.fake_bluez.pens import FakePen
from tests.device.toy_pens import ToyInk


@pytest.fixture(scope="module", autouse=True)
def _bus():
    with private_bus():
        yield


def listed(capsys, *arguments):
    code = run_cli(["devices", "--seconds", "0.3", *arguments])
    seen = capsys.readouterr()
    return code, seen.out, seen.err


def two_pens():
    left, right = FakePen(ToyInk(), name="left"), FakePen(ToyInk(), "C0:FF:EE:00:00:02", name="right")
    right.rssi = -80
    return left, right


def test_devices_lists_bluetooth_pens_with_their_strength_the_nearest_first(capsys):
    with bluez_beside(*two_pens()):
        code, out, _ = listed(capsys, "--json")
        shown = listed(capsys)[1]
    near = [place for place in json.loads(out) if place["kind"] == "ble"]
    assert code == 0
    assert [(p["address"], p["description"]) for p in near] == [
        ("ble:C0:FF:EE:00:00:01", "left"),
        ("ble:C0:FF:EE:00:00:02", "right"),
    ]
    assert near[0]["rssi_dbm"] > near[1]["rssi_dbm"]
    assert any(line.startswith("ble:C0:FF:EE:00:00:02") and "dBm" in line for line in shown.splitlines())


def test_devices_without_an_adapter_still_lists_the_rest(capsys):
    with bluez_beside(adapter=False):
        code, out, err = listed(capsys)
    assert code == 0
    assert out.startswith("virtual")
    assert "no Bluetooth pens are listed" in err
    assert "no adapter was found" in err


def test_devices_says_when_no_pen_was_heard(capsys):
    with bluez_beside():
        assert "no Bluetooth pen was heard in 0.3 s" in listed(capsys)[2]


def test_devices_can_leave_bluetooth_alone(capsys):
    pen = FakePen(ToyInk())
    with bluez_beside(pen) as beside:
        assert "ble:" not in listed(capsys, "--no-ble")[1]
        assert beside.bluez.scans == 0


def test_live_over_bluetooth_without_a_pen_is_one_line_and_exit_code_1(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "penapp.pipeline", toy_modules()["penapp.pipeline"])
    with bluez_beside(powered=False):
        code = run_cli(["live", "--pen", "ble:"])
    assert code == 1
    err = capsys.readouterr().err
    assert "Bluetooth is switched off" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("pen", "address"),
    [("ble:C0:FF:EE:00:00:01", "C0:FF:EE:00:00:01"), ("BLE: c0 ", "c0"), ("ble:", ""), ("COM3", None)],
)
def test_what_names_a_bluetooth_pen(pen, address):
    assert ble_address(pen) == address


def test_sources_behind_the_names(monkeypatch):
    monkeypatch.setitem(sys.modules, "penapp.simulation.sources", toy_modules()["penapp.simulation.sources"])
    looked_after = source_for("ble:C0:FF:EE:00:00:01", None)
    assert isinstance(looked_after, SupervisedSource)
    assert isinstance(looked_after._make_link(print), BleSource)
    assert looked_after.name == "C0:FF:EE:00:00:01"
    assert isinstance(source_for("virtual-ble", 2.0), VirtualBlePenSource)
    with pytest.raises(click.UsageError):
        source_for("ble:", 2.0)
    assert "ble:" in (devices.epilog or "")
