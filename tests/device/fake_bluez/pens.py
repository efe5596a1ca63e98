"""A pen as BlueZ shows it: device, services, characteristics, the firmware behind them, and its faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from dbus_fast import Message, Variant

from firmware_protocol import links
from firmware_protocol.framing import FrameType
from firmware_protocol.virtual_pen import Faults, PenFirmware
from penapp.device.source import CountSource
from tests.device.fake_bluez.errors import BluezError

if TYPE_CHECKING:
    from tests.device.fake_bluez.service import FakeBluez

DEVICE, SERVICE, CHARACTERISTIC = (
    "org.bluez.Device1",
    "org.bluez.GattService1",
    "org.bluez.GattCharacteristic1",
)
WRITES = ["write", "write-without-response"]
PEN_CHARACTERISTICS = {
    links.CONTROL_UUID: WRITES,
    links.RESPONSE_UUID: ["notify"],
    links.DATA_UUID: ["notify"],
    links.DESCRIPTOR_UUID: ["read"],
}
UART_CHARACTERISTICS = {links.NORDIC_UART_RX_UUID: WRITES, links.NORDIC_UART_TX_UUID: ["notify"]}
UNPACED_SAMPLES = 64
DRAIN_EVERY = 32


class FakePen:
    """One pen. Its faults are plain attributes that a test sets:

    refuse:   (error, text) that answers Connect
    resolve:  an event that must be set before the services are told
    hang:     Connect is never answered
    locked:   every GATT access is answered as by a pen that wants pairing
    answer:   (error, text) that answers every read
    describe: changes the descriptor that is read
    on_connect: awaited once the connection stands
    at:       {samples taken: what to do then, once}, for what happens in mid-stream
    speed:    1.0 = real time, None = as fast as the bus takes it

    Two events tell a test where things stand: `asked` (Connect was called), `shown` (services were told).
    """

    def __init__(
        self,
        ink: CountSource,
        address: str = "C0:FF:EE:00:00:01",
        *,
        name: str = "penapp",
        mtu: int = 247,
        faults: Faults | None = None,
        speed: float | None = None,
    ) -> None:
        self.ink, self.address, self.name, self.mtu, self.speed = ink, address, name, mtu, speed
        self.rssi = -50
        self.advertised = [links.SERVICE_UUID]
        self.services = {links.SERVICE_UUID: dict(PEN_CHARACTERISTICS)}
        self.firmware = PenFirmware(ink.descriptor, faults=faults, mtu=mtu)
        self.refuse: tuple[str, str] | None = None
        self.answer: tuple[str, str] | None = None
        self.resolve: asyncio.Event | None = None
        self.locked = self.hang = False
        self.describe: Callable[[bytes], bytes] = bytes
        self.on_connect: Callable[[], Awaitable[None]] | None = None
        self.tell_mtu = True
        self.at: dict[int, Callable[[], object]] = {}
        self.writes: list[tuple[bytes, str]] = []
        self.connects = self.taken = self._sent = 0
        self.connected = False
        self.asked, self.shown = asyncio.Event(), asyncio.Event()
        self.bluez: FakeBluez
        self._notifying: set[str] = set()
        self._uuids: dict[str, str] = {}
        self._pump: asyncio.Task[None] | None = None

    @property
    def path(self) -> str:
        return f"/org/bluez/hci0/dev_{self.address.replace(':', '_')}"

    def speak_uart(self, faults: Faults | None = None) -> None:
        """A pen that has only the Nordic UART."""
        self.advertised = [links.NORDIC_UART_UUID]
        self.services = {links.NORDIC_UART_UUID: dict(UART_CHARACTERISTICS)}
        self.firmware = PenFirmware(self.ink.descriptor, faults=faults)

    async def hold(self) -> None:
        """Somebody else connected this pen and left it so."""
        self.bluez.add(self.path, {DEVICE: self.properties(Variant("n", self.rssi))})
        await self._connect()

    def grow_mtu(self, mtu: int) -> None:
        """The two sides agree on a larger MTU after the connection, as they do on a real radio."""
        self.mtu = self.firmware._mtu = mtu
        for path in self._uuids:
            if path in self.bluez.objects:
                self.bluez.change(path, CHARACTERISTIC, MTU=Variant("q", mtu))

    def properties(self, rssi: Variant) -> dict[str, Variant]:
        """Of its Device1."""
        return {
            "Address": Variant("s", self.address),
            "Alias": Variant("s", self.name or self.address.replace(":", "-")),
            **({"Name": Variant("s", self.name)} if self.name else {}),
            "Adapter": Variant("o", "/org/bluez/hci0"),
            "UUIDs": Variant("as", self.advertised),
            "RSSI": rssi,
            "Paired": Variant("b", False),
            "Connected": Variant("b", self.connected),
            "ServicesResolved": Variant("b", False),
        }

    async def call(self, path: str, message: Message) -> tuple[str, list[object]]:
        """What BlueZ does when a method of the pen's objects is called."""
        if path == self.path:
            await (self._connect() if message.member == "Connect" else self.link_lost())
            return "", []
        if not self.connected:
            raise BluezError("Failed", "Not connected")
        if self.locked:
            raise BluezError("NotPermitted", "Not paired")
        uuid = self._uuids[path]
        if message.member == "ReadValue" and self.answer is not None:
            raise BluezError(*self.answer)
        if message.member == "ReadValue":
            return "ay", [self.describe(self.firmware.descriptor.encode())]
        if message.member == "WriteValue":
            self.writes.append((bytes(message.body[0]), message.body[1]["type"].value))
            await self._send(self.firmware.receive(bytes(message.body[0])))
        elif message.member == "StartNotify":
            self._notifying.add(uuid)
        elif message.member == "StopNotify":
            self._notifying.discard(uuid)
        return "", []

    async def link_lost(self) -> None:
        """The connection ends, from whichever side: streaming stops, the services go."""
        if not self.connected:
            return
        self.connected = False
        self._notifying.clear()
        self.firmware.disconnect()
        if self._pump is not None and self._pump is not asyncio.current_task():
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        for path in [
            p for p in self.bluez.objects if p.startswith(f"{self.path}/service") and "char" not in p
        ]:
            self.bluez.remove(path)
        self._say(Connected=Variant("b", False), ServicesResolved=Variant("b", False))

    async def _connect(self) -> None:
        self.connects += 1
        self.asked.set()
        if self.refuse is not None:
            raise BluezError(*self.refuse)
        if self.hang:
            await asyncio.Event().wait()
        self.connected = True
        self._say(Connected=Variant("b", True))
        self._pump = asyncio.get_running_loop().create_task(self._live())
        if self.on_connect is not None:
            await self.on_connect()

    async def _live(self) -> None:
        """A connection: services first, then samples whenever they are asked for."""
        if self.resolve is not None:
            await self.resolve.wait()
        self._show_services()
        self._say(ServicesResolved=Variant("b", True))
        self.shown.set()
        while self.connected:
            if not self.firmware.streaming or not await self._stream():
                await asyncio.sleep(0.002)

    async def _stream(self) -> bool:
        """One look at the sensors; False when there is nothing to take just now."""
        rate_hz = self.firmware.descriptor.streams[0].rate_hz
        n = UNPACED_SAMPLES if self.speed is None else self.firmware.batch
        counts = self.ink.read(n)
        if counts is None or not len(counts):
            return False
        t_us = round(self.taken * 1e6 / rate_hz)
        self.taken += len(counts)
        await self._send(self.firmware.take(counts, t_us))
        for due in [n for n in self.at if n <= self.taken]:
            self.at.pop(due)()
        await asyncio.sleep(0 if self.speed is None else len(counts) / rate_hz / self.speed)
        return True

    async def _send(self, items: list[bytes]) -> None:
        """One notification for each item; now and then the bus is waited for: back-pressure."""
        for item in items:
            self._sent += 1
            if self._sent % DRAIN_EVERY == 0:
                await self.bluez.drained()
            for uuid, piece in self._notifications(item):
                if not self.connected or uuid not in self._notifying:
                    continue
                path = next(p for p, u in self._uuids.items() if u == uuid)
                with contextlib.suppress(KeyError):
                    self.bluez.change(path, CHARACTERISTIC, Value=Variant("ay", piece))

    def _notifications(self, item: bytes) -> list[tuple[str, bytes]]:
        if links.SERVICE_UUID in self.services:
            is_answer = len(item) > 1 and item[1] == FrameType.RSP
            return [(links.RESPONSE_UUID if is_answer else links.DATA_UUID, item)]
        room = links.notification_bytes(self.mtu)
        return [(links.NORDIC_UART_TX_UUID, item[k : k + room]) for k in range(0, len(item), room)]

    def _show_services(self) -> None:
        handle = 0x0A
        for service, characteristics in self.services.items():
            service_path = f"{self.path}/service{handle:04x}"
            own = {"UUID": Variant("s", service), "Primary": Variant("b", True)}
            self.bluez.add(service_path, {SERVICE: {**own, "Device": Variant("o", self.path)}})
            for uuid, flags in characteristics.items():
                handle += 2
                path = f"{service_path}/char{handle:04x}"
                self._uuids[path] = uuid
                shown = {"UUID": Variant("s", uuid), "Service": Variant("o", service_path)}
                mtu = {"MTU": Variant("q", self.mtu)} if self.tell_mtu else {}
                self.bluez.add(path, {CHARACTERISTIC: {**shown, "Flags": Variant("as", flags), **mtu}})
            handle += 2

    def _say(self, **values: Variant) -> None:
        if self.path in self.bluez.objects:
            self.bluez.change(self.path, DEVICE, **values)
