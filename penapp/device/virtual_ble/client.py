"""bleak's client on our adapter: `BleakClient(device, backend=RadioClient, radio=radio.adapter)`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import core, hci
from bumble.att import ATT_Error
from bumble.device import Connection, Peer

from penapp.device.virtual_ble.adapter import Adapter
from penapp.device.virtual_ble.discovery import discovered

T = TypeVar("T")
WANTED_MTU = 517
ATT_HEADER_BYTES = 3


class RadioClient(BaseBleakClient):
    """One connection. The MTU is exchanged and the services are discovered in connect(), as BlueZ does it."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        radio: Adapter,
        **_other_systems: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._name: str = self.address
        self._peer_address = hci.Address(self.address)
        if isinstance(address_or_ble_device, BLEDevice):
            self._name = address_or_ble_device.name or self.address
            self._peer_address = address_or_ble_device.details
        self._adapter = radio
        self._connection: Connection | None = None
        self._peer: Peer
        self._asking = asyncio.Lock()
        self._question: asyncio.Future[Any] | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def mtu_size(self) -> int:
        return self._connected().att_mtu

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **_other_systems: Any) -> None:
        """Raises TimeoutError, or `BleakError` with the reason. `pair` is ignored: there is no pairing."""
        self._adapter.require_power()
        async with asyncio.timeout(self._timeout):
            async with self._adapter.connecting:
                connection = await self._link()
            self._connection = connection
            connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
            if connection.handle not in self._adapter.device.connections:
                self._on_disconnection(0)
            self._peer = Peer(connection)
            try:
                await self._meet()
            except BaseException:
                await self.disconnect()
                raise

    async def disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error):
                await self._connection.disconnect()

    async def pair(self, *_args: Any, **_other_systems: Any) -> None:
        raise NotImplementedError("the simulated radio has no pairing")

    async def unpair(self) -> None:
        raise NotImplementedError("the simulated radio has no pairing")

    async def read_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        **_other_systems: Any,
    ) -> bytearray:
        return await self._read(characteristic.handle)

    async def read_gatt_descriptor(
        self,
        descriptor: BleakGATTDescriptor,
        **_other_systems: Any,
    ) -> bytearray:
        return await self._read(descriptor.handle)

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """Raises `BleakError` when a write without response does not fit the MTU."""
        value = bytes(data)
        if not response and len(value) > self._max_write_bytes():
            raise BleakError(
                f"{len(value)} bytes do not fit a write without response; {self._max_write_bytes()} do."
            )
        handle = characteristic.handle
        await self._ask(lambda peer: peer.write_value(handle, value, with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._ask(lambda peer: peer.write_value(descriptor.handle, bytes(data), with_response=True))

    async def start_notify(
        self,
        characteristic: BleakGATTCharacteristic,
        callback: NotifyCallback,
        **_other_systems: Any,
    ) -> None:
        def notified(value: bytes) -> None:
            callback(bytearray(value))

        try:
            await self._ask(lambda peer: peer.subscribe(characteristic.obj, notified))
        except BleakError:
            self._peer.gatt_client.notification_subscribers.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await self._ask(lambda peer: peer.unsubscribe(characteristic.obj))

    async def _read(self, handle: int) -> bytearray:
        return bytearray(await self._ask(lambda peer: peer.read_value(handle)))

    async def _meet(self) -> None:
        await self._ask(lambda peer: peer.request_mtu(WANTED_MTU))
        self.services = await self._ask(lambda peer: discovered(peer, self._max_write_bytes))

    async def _link(self) -> Connection:
        """A connection, or nothing left behind: an attempt that is given up is taken back from the chip."""
        device = self._adapter.device
        try:
            return await device.connect_le(self._peer_address, timeout=None)
        except (core.ConnectionError, hci.HCI_Error) as error:
            raise BleakError(f"connecting to {self.address} failed: {error}") from error
        except asyncio.CancelledError:
            with contextlib.suppress(hci.HCI_Error):
                await device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
            if (late := device.find_connection_by_bd_addr(self._peer_address)) is not None:
                await late.disconnect()
            raise

    async def _ask(self, question: Callable[[Peer], Awaitable[T]]) -> T:
        """One ATT procedure at a time; an error of the peer, or the end of the link, becomes bleak's."""
        async with self._asking:
            self._connected()
            try:
                self._question = asking = asyncio.ensure_future(question(self._peer))
                return await asking
            except ATT_Error as error:
                raise BleakGATTProtocolError(error.error_code) from error
            except core.BaseBumbleError as error:
                raise BleakError(str(error)) from error
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._connection is None and task is not None and not task.cancelling():
                    raise BleakError(f"{self.address} disconnected") from None
                raise

    def _connected(self) -> Connection:
        if self._connection is None:
            raise BleakError("not connected")
        return self._connection

    def _max_write_bytes(self) -> int:
        return self._connected().att_mtu - ATT_HEADER_BYTES

    def _on_disconnection(self, _reason: int) -> None:
        if self._connection is None:
            return
        self._connection = None
        if self._question is not None:  # Bumble would wait 30 s for what it asks from now on
            self._question.cancel()
        stood, self.services = self.services is not None, None
        if stood and self._disconnected_callback is not None:
            self._disconnected_callback()
