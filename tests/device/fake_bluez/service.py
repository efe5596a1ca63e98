"""A fake `org.bluez`: as much of BlueZ as bleak's own Linux back-end uses, on a private bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Self

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.device.fake_bluez.errors import BluezError
from tests.device.fake_bluez.pens import FakePen

ADAPTER_PATH = "/org/bluez/hci0"
ADAPTER, DEVICE, CHARACTERISTIC = "org.bluez.Adapter1", "org.bluez.Device1", "org.bluez.GattCharacteristic1"
MANAGER, PROPERTIES = "org.freedesktop.DBus.ObjectManager", "org.freedesktop.DBus.Properties"
RSSI_EVERY_S = 0.01
Interfaces = dict[str, dict[str, Variant]]


class FakeBluez:
    """One adapter and the pens around it. Entered on the loop that bleak uses; closed after bleak's clients.

    adapter None: there is none; powered: whether it is switched on; scans: how often a scan has begun
    """

    def __init__(self, address: str, *pens: FakePen, adapter: bool = True, powered: bool = True) -> None:
        self._address = address
        self.pens: list[FakePen] = []
        self.objects: dict[str, Interfaces] = {}
        self.scans = 0
        self.scanning = False
        self._filter: set[str] = set()
        self._advertising: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        if adapter:
            self.objects[ADAPTER_PATH] = {
                ADAPTER: {
                    "Address": Variant("s", "00:1A:7D:DA:71:13"),
                    "Powered": Variant("b", powered),
                    "Roles": Variant("as", ["central", "peripheral"]),
                }
            }
        for pen in pens:
            self.arrive(pen)

    async def __aenter__(self) -> Self:
        self.bus = MessageBus(bus_address=self._address)
        await self.bus.connect()
        self.bus.add_message_handler(self._handle)
        await self.bus.request_name("org.bluez")
        return self

    async def __aexit__(self, *_: object) -> None:
        for pen in self.pens:
            await pen.link_lost()
        for task in [*self._tasks, *([self._advertising] if self._advertising else [])]:
            task.cancel()
            await asyncio.wait([task])
        self.bus.disconnect()
        await self.bus.wait_for_disconnect()

    def arrive(self, pen: FakePen) -> None:
        """A pen is switched on near this machine; a scan will hear it."""
        pen.bluez = self
        self.pens.append(pen)

    async def vanish(self, pen: FakePen) -> None:
        """A pen is gone and BlueZ forgets it, as it does with devices that were never paired."""
        self.pens.remove(pen)
        await pen.link_lost()
        self.remove(pen.path)

    async def power(self, on: bool) -> None:
        """The user switches Bluetooth off or on: connections break, scans end."""
        if not on:
            self.scanning = False
            for pen in self.pens:
                await pen.link_lost()
        self.change(ADAPTER_PATH, ADAPTER, Powered=Variant("b", on))

    @property
    def powered(self) -> bool:
        return ADAPTER_PATH in self.objects and bool(self.objects[ADAPTER_PATH][ADAPTER]["Powered"].value)

    def add(self, path: str, interfaces: Interfaces) -> None:
        self.objects[path] = interfaces
        self._signal("/", MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces])

    def remove(self, path: str) -> None:
        """This object and everything below it."""
        for below in [p for p in self.objects if p == path or p.startswith(path + "/")]:
            interfaces = list(self.objects.pop(below))
            self._signal("/", MANAGER, "InterfacesRemoved", "oas", [below, interfaces])

    def change(self, path: str, interface: str, **values: Variant) -> asyncio.Future[None]:
        """Properties that are kept and told; the future is done when the socket has them."""
        self.objects[path][interface].update(values)
        return self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, values, []])

    async def drained(self) -> None:
        """Until the bus has read all that was sent: dbus-fast drops a connection whose socket is full."""
        ping = Message("org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping")
        await self.bus.call(ping)

    def later(self, message: Message, work: asyncio.Task[tuple[str, list[object]]]) -> None:
        """Answer when `work` is done; a `BluezError` becomes a D-Bus error."""

        async def answer() -> None:
            try:
                signature, body = await work
                self.bus.send(Message.new_method_return(message, signature, body))
            except BluezError as error:
                self.bus.send(Message.new_error(message, error.name, error.text))

        task = asyncio.get_running_loop().create_task(answer())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _signal(
        self, path: str, interface: str, member: str, signature: str, body: list[object]
    ) -> asyncio.Future[None]:
        return self.bus.send(Message.new_signal(path, interface, member, signature, body))

    def _handle(self, message: Message) -> Message | bool | None:
        """Answers calls to our objects; everything else is left to the library."""
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects])
        if message.interface == ADAPTER and message.path == ADAPTER_PATH:
            return self._adapter(message)
        if message.interface in {DEVICE, CHARACTERISTIC}:
            return self._pen(message)
        return None

    def _adapter(self, message: Message) -> Message:
        if message.member == "SetDiscoveryFilter":
            wanted = message.body[0].get("UUIDs")
            self._filter = set(wanted.value) if wanted else set()
        elif not self.powered:
            return Message.new_error(message, "org.bluez.Error.NotReady", "Resource Not Ready")
        elif message.member == "StartDiscovery":
            self.scanning, self.scans = True, self.scans + 1
            if self._advertising is None or self._advertising.done():
                self._advertising = asyncio.get_running_loop().create_task(self._advertise())
        elif message.member == "StopDiscovery":
            self.scanning = False
        return Message.new_method_return(message)

    async def _advertise(self) -> None:
        """Adverts after StartDiscovery has returned, then signal strengths that wander."""
        step = 0
        while self.scanning:
            await asyncio.sleep(RSSI_EVERY_S)
            step += 1
            for pen in self._audible():
                rssi = Variant("n", pen.rssi + step % 3)
                if pen.path not in self.objects:
                    self.add(pen.path, {DEVICE: pen.properties(rssi)})
                else:
                    self.change(pen.path, DEVICE, RSSI=rssi)

    def _audible(self) -> Iterable[FakePen]:
        """Connected pens do not advertise; with a filter only the services asked for are heard."""
        heard = [pen for pen in self.pens if not pen.connected]
        return [pen for pen in heard if not self._filter or self._filter & set(pen.advertised)]

    def _pen(self, message: Message) -> Message | bool:
        pen = next((p for p in self.pens if (message.path or "").startswith(p.path)), None)
        if pen is None or message.path not in self.objects:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "no such object")
        work = asyncio.get_running_loop().create_task(pen.call(str(message.path), message))
        self.later(message, work)
        return True
