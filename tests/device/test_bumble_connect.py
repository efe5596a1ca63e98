"""Scanning, connecting and commands over the simulated radio, with plain bleak on the host's side."""

import asyncio

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bumble import hci
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
from penapp.device.virtual_ble.adapter import Adapter
from penapp.device.virtual_ble.chips import RadioController
from penapp.device.virtual_ble.faults import BleFaults
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
NOBODY = "F0:00:00:00:00:00"


def hello():
    return encode_frame(command_frame(Command(Op.HELLO, 1), 0))


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
