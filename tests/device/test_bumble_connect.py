"""Scanning, connecting and commands over the simulated radio, with plain bleak on the host's side."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bumble import hci
from bumble.core import AdvertisingData
from bumble.device import Peer
from bumble.transport.common import AsyncPipeSink

from firmware_protocol.commands import BatteryReading, TimeSyncReading
from firmware_protocol.framing import encode_frame
from firmware_protocol.links import (
    BATTERY_SERVICE_UUID,
    CONTROL_UUID,
    DATA_UUID,
    DESCRIPTOR_UUID,
    DEVICE_INFORMATION_UUID,
    SERVICE_UUID,
)
from firmware_protocol.messages import Command, Op, Status, command_frame
from penapp.device import virtual_ble
from penapp.device.virtual_ble.adapter import Adapter
from penapp.device.virtual_ble.chips import RadioController
from penapp.device.virtual_ble.faults import BleFaults
from penapp.device.virtual_ble.gatt import ADVERTISEMENT_BYTES, advertisement
from penapp.device.virtual_ble.peripheral import PenIdentity
from tests.device.radio_rig import (
    PATIENCE_S,
    CountingInk,
    Host,
    eventually,
    found,
    listening,
    on_radio,
    scanner,
)

BATTERY_LEVEL_UUID = "00002a19-0000-1000-8000-00805f9b34fb"
FIRMWARE_REVISION_UUID = "00002a26-0000-1000-8000-00805f9b34fb"
SERIAL_NUMBER_UUID = "00002a25-0000-1000-8000-00805f9b34fb"
ROOT = Path(__file__).parents[2]
NOBODY = "F0:00:00:00:00:00"


def hello():
    return encode_frame(command_frame(Command(Op.HELLO, 1), 0))


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


@on_radio
async def test_a_pen_tells_who_it_is(radio):
    ink = CountingInk(8)
    pen = await radio.add_pen(ink)
    async with Host(radio, await found(radio, pen.address)) as host:
        client = host.client
        assert client.mtu_size == pen.mtu == 247
        assert {SERVICE_UUID, BATTERY_SERVICE_UUID, DEVICE_INFORMATION_UUID} <= {
            service.uuid for service in client.services
        }
        control = client.services.get_characteristic(CONTROL_UUID)
        assert {"write", "write-without-response"} == set(control.properties)
        assert control.max_write_without_response_size == 244
        assert bytes(await client.read_gatt_char(DESCRIPTOR_UUID)) == ink.descriptor.encode()
        assert bytes(await client.read_gatt_char(BATTERY_LEVEL_UUID)) == bytes([87])
        assert (await client.read_gatt_char(FIRMWARE_REVISION_UUID)).decode() == ink.descriptor.firmware
        assert (await client.read_gatt_char(SERIAL_NUMBER_UUID)).decode() == ink.descriptor.device_id.hex()


@pytest.mark.parametrize("response", [True, False])
def test_commands_are_answered(response):
    @on_radio
    async def body(radio):
        pen = await radio.add_pen(CountingInk(8))
        async with listening(radio, pen) as host:
            battery = await host.ask(Op.BATTERY, response=response)
            assert BatteryReading.decode(battery.data).percent == 87
            assert (await host.ask(Op.NAME, b"my pen", response=response)).status is Status.OK
            assert pen.firmware.descriptor.name == "my pen"
            sync = await host.ask(Op.TIME_SYNC, (123).to_bytes(8, "little"), response=response)
            assert TimeSyncReading.decode(sync.data).host_us == 123
            assert (await host.ask(Op.DFU, response=response)).status is Status.NOT_SUPPORTED

    body()


@on_radio
async def test_a_host_with_a_public_address_is_answered_too(radio):
    """As BlueZ has one; Bumble's own link answers random addresses alone."""
    pen = await radio.add_pen(CountingInk(8))
    chip = RadioController("public", radio.air, public_address="C0:FF:EE:00:00:01")
    adapter = Adapter(chip, AsyncPipeSink(chip))
    await adapter.start()
    connection = await adapter.device.connect_le(
        pen.address, own_address_type=hci.OwnAddressType.PUBLIC, timeout=PATIENCE_S
    )
    async with asyncio.timeout(PATIENCE_S):
        assert await Peer(connection).request_mtu(517) == 247
    await connection.disconnect()
    await adapter.stop()


@on_radio
async def test_what_does_not_fit_a_write_without_response_is_said(radio):
    pen = await radio.add_pen(CountingInk(8), faults=BleFaults(max_mtu=23))
    async with Host(radio, pen) as host:
        with pytest.raises(BleakError, match="22 bytes do not fit"):
            await host.client.write_gatt_char(CONTROL_UUID, hello(), response=False)


@on_radio
async def test_a_pen_that_is_not_there_costs_the_timeout_and_no_more(radio):
    pen = await radio.add_pen(CountingInk(8))
    with pytest.raises(TimeoutError):
        await Host(radio, NOBODY, timeout=0.1).client.connect()
    async with Host(radio, pen) as host:
        assert host.client.is_connected


@on_radio
async def test_giving_up_while_connecting_leaves_nothing_behind(radio):
    pen = await radio.add_pen(CountingInk(8))
    trying = asyncio.create_task(Host(radio, NOBODY).client.connect())
    await asyncio.sleep(0.05)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    async with Host(radio, pen) as host:
        assert host.client.is_connected


@on_radio
async def test_a_refused_connection_is_an_error_and_the_next_one_works(radio):
    pen = await radio.add_pen(CountingInk(8), faults=BleFaults(refused_connects=2))
    for _ in range(2):
        host = Host(radio, pen)
        with pytest.raises(BleakError):
            await host.client.connect()
        assert not host.client.is_connected
        assert not host.lost.is_set(), "a connection that never stood was not lost"
    async with Host(radio, pen) as host:
        assert host.client.is_connected


@on_radio
async def test_slow_discovery_is_waited_for(radio):
    pen = await radio.add_pen(CountingInk(8), faults=BleFaults(discovery_delay_s=0.01))
    async with Host(radio, pen) as host:
        assert host.client.services.get_service(SERVICE_UUID) is not None


@on_radio
async def test_discovery_that_is_too_slow_times_out_and_lets_the_pen_go(radio):
    pen = await radio.add_pen(CountingInk(8), faults=BleFaults(discovery_delay_s=30.0))
    with pytest.raises(TimeoutError):
        await Host(radio, pen, timeout=0.3).client.connect()
    await eventually(lambda: not pen.connected)


@on_radio
async def test_a_pen_that_wants_pairing_denies_everything(radio):
    pen = await radio.add_pen(CountingInk(8), faults=BleFaults(denied=True))
    async with Host(radio, pen) as host:
        client = host.client
        for forbidden in (
            client.read_gatt_char(DESCRIPTOR_UUID),
            client.write_gatt_char(CONTROL_UUID, hello(), response=True),
            client.start_notify(DATA_UUID, lambda *_: None),
        ):
            with pytest.raises(BleakGATTProtocolError) as caught:
                await forbidden
            assert caught.value.code == BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION
        pen.denied = False
        await host.listen()
        assert (await host.ask(Op.HELLO)).ok


@on_radio
async def test_bluetooth_switched_off_is_said_and_on_again_works(radio):
    pen = await radio.add_pen(CountingInk(8))
    device = await found(radio, pen.address)
    radio.power_off()
    for attempt in (scanner(radio).start(), Host(radio, pen).client.connect()):
        with pytest.raises(BleakBluetoothNotAvailableError) as caught:
            await attempt
        assert caught.value.reason is BleakBluetoothNotAvailableReason.POWERED_OFF
    radio.power_on()
    async with Host(radio, device) as host:
        assert host.client.is_connected


@on_radio
async def test_switching_off_ends_an_attempt_to_connect(radio):
    trying = asyncio.create_task(Host(radio, NOBODY).client.connect())
    await asyncio.sleep(0.05)
    radio.power_off()
    with pytest.raises(BleakError):
        await trying


def test_without_bumble_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr(virtual_ble, "find_spec", lambda _name: None)
    assert not virtual_ble.simulated_radio_installed()
    with pytest.raises(virtual_ble.SimulatedRadioMissingError, match="bumble is not installed") as caught:
        virtual_ble.virtual_ble_pen(CountingInk(8))
    assert "pip install bumble" in caught.value.advice


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
