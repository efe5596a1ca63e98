"""Runs in the virtual machine: the virtual pen behind the kernel's virtual HCI, our BLE client before BlueZ.

Pen and client share a process and a loop, and yet every byte goes the whole way: Bumble's pen and chip, the
kernel's Bluetooth, BlueZ, D-Bus, bleak, `BleSource`. Ends with the line `BLE-VM: passed` or with a traceback.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from bumble.transport.vhci import open_vhci_transport
from dbus_fast import BusType, Message, Variant
from dbus_fast.aio import MessageBus

from penapp.device.ble_errors import (
    BluetoothOffError,
    MtuTooSmallError,
    PairingNeededError,
    PenRefusedError,
)
from penapp.device.ble_scan import PenScanner, Sighting
from penapp.device.ble_source import BleSource
from penapp.device.ble_transport import BleTiming
from penapp.device.errors import PenLostError
from penapp.device.radio import Radio
from penapp.device.requests import LinkTiming
from penapp.device.virtual_ble.chips import RadioController
from penapp.device.virtual_ble.faults import BleFaults
from penapp.device.virtual_ble.radio import SimulatedRadio
from penapp.errors import DeviceError
from penapp.stream.assemble import StreamAssembler
from tests.device.radio_rig import CountingInk, counted

RATE_HZ = 100.0
STREAM_S = 10
ADAPTER_S = 60.0
PATIENT = BleTiming(scan_s=60.0, settle_s=3.0, connect_s=20.0, mtu_s=5.0, close_s=20.0)
ANSWERS = LinkTiming(answer_s=10.0, silence_s=20.0)
FAULTS = (
    ("an MTU of 48", BleFaults(max_mtu=48), MtuTooSmallError),
    ("an MTU of 23", BleFaults(max_mtu=23), MtuTooSmallError),
    ("pairing wanted", BleFaults(denied=True), PairingNeededError),
    ("slow discovery", BleFaults(discovery_delay_s=0.2), type(None)),
)
REFUSED = ("one refused connection", BleFaults(refused_connects=1), PenRefusedError)
"""The last thing that is tried: bluetoothd 5.66 crashes at the next connection after it."""
PROPERTIES = "org.freedesktop.DBus.Properties"
STARTED = time.monotonic()


def say(text):
    print(f"BLE-VM: {time.monotonic() - STARTED:5.1f} s  {text}", flush=True)


@contextlib.asynccontextmanager
async def kernel_chip(air):
    """A chip on the air that the kernel of this machine drives: hci0."""
    transport = await open_vhci_transport(None)
    chip = RadioController("hci0", air, public_address="C0:FF:EE:00:00:01")
    transport.source.set_packet_sink(chip)
    chip.set_packet_sink(transport.sink)
    try:
        yield
    finally:
        await transport.close()


async def sighting(radio, address):
    """The pen as BlueZ hears it, once there is an adapter that is switched on."""
    deadline = time.monotonic() + ADAPTER_S
    while True:
        try:
            async with PenScanner(radio) as near:
                await near.wait_for(
                    lambda: any(s.address == address for s in near.sightings()), PATIENT.scan_s
                )
                return next(s for s in near.sightings() if s.address == address)
        except Exception as error:
            if time.monotonic() > deadline:
                raise
            say(f"not yet: {error}")
            await asyncio.sleep(1.0)


async def opened(pen: Sighting | str, radio) -> BleSource:
    source = BleSource(pen, radio=radio, ble_timing=PATIENT, timing=ANSWERS)
    started = time.monotonic()
    descriptor = await source.open()
    await source.start()
    say(f"connected and streaming after {time.monotonic() - started:.2f} s: {descriptor.name}")
    source.assembler = StreamAssembler(descriptor)
    return source


async def stream(source, seconds):
    """Read for so long; every sample is the right one and none is missing."""
    wanted, n, first = int(seconds * RATE_HZ), 0, None
    started = time.monotonic()
    async for batch in source.frames():
        for arrived in batch:
            frame = arrived.frame
            first = frame.index if first is None else first
            assert frame.payload == counted(frame.index, frame.n).astype("<i2").tobytes()
            source.assembler.push(frame)
            n += frame.n
        if n >= wanted:
            break
    took = time.monotonic() - started
    lost = source.assembler.counters.lost
    say(f"{n} samples from {first} on in {took:.1f} s = {n / took:.1f} Hz, {lost} lost")
    assert lost == 0
    if n < 0.9 * RATE_HZ * took:
        say("(slower than real time: the emulated processor is busy)")


async def shut(source):
    await source.stop()
    await source.close()


async def lost_by(source, happens):
    """The link ends in mid-stream and we are told."""

    async def read():
        async for _ in source.frames():
            pass

    started = time.monotonic()
    happening = asyncio.create_task(happens())
    try:
        await asyncio.wait_for(read(), 60.0)
    except PenLostError as error:
        say(f"told after {time.monotonic() - started:.2f} s: {error}")
    else:
        raise AssertionError("the end of the link was not told")
    await happening
    await source.close()


async def refused(simulated, radio, what, faults, expected):
    """A pen with this fault ends in this error, whatever BlueZ makes of it."""
    pen = await simulated.add_pen(CountingInk(10**9, RATE_HZ), faults=faults)
    started = time.monotonic()
    source = BleSource(pen.address, radio=radio, ble_timing=PATIENT, timing=ANSWERS)
    try:
        await source.open()
    except DeviceError as error:
        found = error
    else:
        found = None  # it connects after all
    say(f"{what}: after {time.monotonic() - started:.1f} s {type(found).__name__}: {found}")
    assert type(found) is expected, f"expected {expected}"
    await source.close()
    await simulated.remove_pen(pen.address)


async def power(on):
    """What the person does in the system's Bluetooth settings."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    body = ["org.bluez.Adapter1", "Powered", Variant("b", on)]
    message = Message("org.bluez", "/org/bluez/hci0", PROPERTIES, "Set", signature="ssv", body=body)
    reply = await asyncio.wait_for(bus.call(message), 60.0)
    say(f"Powered={on}: {reply.message_type.name} {reply.body}")
    bus.disconnect()


async def switched_off_and_on(pen, radio):
    """Bluetooth off in mid-stream is a lost link, then a truthful refusal, then it works again."""
    source = await opened(pen.address, radio)
    await stream(source, 1)
    await lost_by(source, lambda: power(False))
    source = BleSource(pen.address, radio=radio, ble_timing=PATIENT, timing=ANSWERS)
    try:
        await source.open()
    except BluetoothOffError as error:
        say(f"{type(error).__name__}: {error}")
    else:
        raise AssertionError("Bluetooth is off and nobody said so")
    await source.close()
    await power(True)
    source = await opened(pen.address, radio)
    await stream(source, 1)
    await shut(source)


async def main():
    radio = Radio()
    async with SimulatedRadio() as simulated, kernel_chip(simulated.air):
        pen = await simulated.add_pen(CountingInk(10**9, RATE_HZ))
        seen = await sighting(radio, pen.address)
        say(f"heard {seen.name} at {seen.address}, {seen.rssi_dbm} dBm, MTU to be agreed")
        source = await opened(seen, radio)
        say(f"MTU {pen.mtu} at the pen")
        await stream(source, STREAM_S)
        await shut(source)
        assert not pen.streaming
        source = await opened(pen.address, radio)
        await stream(source, STREAM_S / 2)
        await lost_by(source, pen.drop_link)
        source = await opened(pen.address, radio)
        await stream(source, 2)

        async def vanish():
            pen.vanish()

        await lost_by(source, vanish)
        pen.come_back()
        source = await opened(pen.address, radio)
        await stream(source, 2)
        await shut(source)
        await switched_off_and_on(pen, radio)
        for what, faults, expected in FAULTS:
            await refused(simulated, radio, what, faults, expected)
        source = await opened(pen.address, radio)
        await stream(source, 2)
        await shut(source)
        await refused(simulated, radio, *REFUSED)
    print("BLE-VM: passed", flush=True)


asyncio.run(main())
