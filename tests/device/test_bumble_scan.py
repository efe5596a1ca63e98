"""What a scan over the simulated radio hears; what is said where there is no simulated radio."""

import subprocess
import sys
from pathlib import Path

import pytest
from bumble.core import AdvertisingData

from firmware_protocol.links import SERVICE_UUID
from penapp.device import virtual_ble
from penapp.device.virtual_ble.gatt import ADVERTISEMENT_BYTES, advertisement
from penapp.device.virtual_ble.peripheral import PenIdentity
from tests.device.radio_rig import CountingInk, eventually, on_radio, scanner

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["pen", "penapp 1", "a pen with a long name", "Füller ⅓ rot"])
def test_name_and_service_fit_one_advertisement(name):
    raw = advertisement(name)
    assert len(raw) <= ADVERTISEMENT_BYTES
    parts = dict(AdvertisingData.from_bytes(raw).ad_structures)
    whole = AdvertisingData.COMPLETE_LOCAL_NAME in parts
    shown = parts[AdvertisingData.COMPLETE_LOCAL_NAME if whole else AdvertisingData.SHORTENED_LOCAL_NAME]
    assert name.startswith(shown.decode())
    assert whole == (shown.decode() == name)


@on_radio
async def test_a_scan_finds_pens_with_name_and_signal_and_nothing_else(radio):
    near = await radio.add_pen(CountingInk(8))
    far = await radio.add_pen(CountingInk(8))
    stranger = PenIdentity("F0:99:99:99:99:99", "thermo")
    other = await radio.add_pen(CountingInk(8), identity=stranger)
    await other.peripheral.advertise(b"\x02\x01\x06\x07\x09thermo")
    everything, sightings = set(), []
    async with scanner(radio, lambda device, _seen: everything.add(device.address), services=()):
        await eventually(lambda: len(everything) == 3)
    async with scanner(radio, lambda device, seen: sightings.append((device, seen))):
        await eventually(lambda: len(sightings) >= 12)
    heard = {device.address: seen for device, seen in sightings}
    assert set(heard) == {near.address, far.address} == everything - {stranger.address}
    assert [heard[p.address].local_name for p in (near, far)] == ["penapp 1", "penapp 2"]
    assert heard[near.address].service_uuids == [SERVICE_UUID]
    assert -127 < heard[far.address].rssi < heard[near.address].rssi < 0


def test_without_bumble_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr(virtual_ble, "find_spec", lambda _name: None)
    assert not virtual_ble.simulated_radio_installed()
    with pytest.raises(virtual_ble.SimulatedRadioMissingError, match="bumble is not installed") as caught:
        virtual_ble.virtual_ble_pen(CountingInk(8))
    assert "penapp[radio]" in caught.value.advice


def test_asking_for_the_simulated_radio_does_not_load_it():
    ask = "import sys, penapp.device.virtual_ble as v; v.simulated_radio_installed()"
    code = f"{ask}; print('bumble' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@on_radio
async def test_no_two_pens_of_a_radio_share_an_address_not_even_after_each_other(radio):
    first = await radio.add_pen(CountingInk(8))
    await radio.remove_pen(first.address)
    assert (await radio.add_pen(CountingInk(8))).address != first.address
