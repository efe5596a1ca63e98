"""The radio half of a virtual pen: chip, host stack, GATT server, the one connection, notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bumble import att, gatt, hci
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.transport.common import AsyncPipeSink

from firmware_protocol.framing import FrameType
from firmware_protocol.links import notification_bytes
from penapp.device.virtual_ble.chips import Air, RadioController, RadioHost
from penapp.device.virtual_ble.faults import SMALLEST_MTU, BleFaults
from penapp.device.virtual_ble.gatt import PenCallbacks, PenServices, advertisement

ADVERTISING_MS = 20.0
PACKETS_IN_FLIGHT = 8
"""Notifications that may wait in the pen's radio before `room` makes the sensors wait."""
_DISCOVERY = (
    att.Opcode.ATT_READ_BY_GROUP_TYPE_REQUEST,
    att.Opcode.ATT_READ_BY_TYPE_REQUEST,
    att.Opcode.ATT_FIND_INFORMATION_REQUEST,
    att.Opcode.ATT_FIND_BY_TYPE_VALUE_REQUEST,
)
_TYPE_AT = 1
_ANSWER = bytes([FrameType.RSP])


@dataclass(frozen=True, slots=True)
class PenIdentity:
    """address: static random ("F0:.."); name: advertised up to 8 bytes; rssi_dbm: made up, never measured."""

    address: str
    name: str
    rssi_dbm: int = -50


class Peripheral:
    """Advertises whenever nobody is connected. All calls come from the radio's asyncio loop.

    on_mtu:  the ATT MTU is this from now on (23 first, then what was agreed)
    on_lost: the connection has ended, for whatever reason
    """

    def __init__(
        self,
        air: Air,
        identity: PenIdentity,
        faults: BleFaults,
        ask: PenCallbacks,
        *,
        on_mtu: Callable[[int], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.chip = RadioController(identity.name, air)
        self.chip.refuse_connects = faults.refused_connects
        self.connection: Connection | None = None
        self._air = air
        self._identity = identity
        self._device = _PenDevice(self.chip, identity, faults)
        self._services = PenServices(ask)
        self._on_mtu = on_mtu
        self._on_lost = on_lost
        self._flow = asyncio.Event()

    def limit_mtu(self, mtu: int) -> None:
        """Agree to no larger one from the next connection on."""
        self._device.gatt_server.max_mtu = mtu

    def delay_discovery(self, seconds: float) -> None:
        """Before each answer to a question about services, from now on."""
        self._device.discovery_delay_s = seconds

    @property
    def mtu(self) -> int:
        """ATT MTU of the connection; 23 when there is none."""
        return self.connection.att_mtu if self.connection is not None else SMALLEST_MTU

    async def switch_on(self) -> None:
        """Advertise; to be called once."""
        self._services.attach(self._device.gatt_server)
        self._device.on(Device.EVENT_CONNECTION, self._connected)
        await self._device.power_on()
        await self.advertise(advertisement(self._identity.name))

    async def advertise(self, raw: bytes) -> None:
        """These bytes from now on, whenever nobody is connected."""
        await self._device.start_advertising(
            auto_restart=True,
            advertising_data=raw,
            advertising_interval_min=ADVERTISING_MS,
            advertising_interval_max=ADVERTISING_MS,
        )

    async def switch_off(self) -> None:
        await self._device.stop_advertising()
        await self._device.power_off()
        self._air.remove_controller(self.chip)

    def cut(self) -> None:
        """The connection, if there is one, breaks as on a bad link."""
        self._air.cut(self.chip)

    def send(self, items: list[bytes]) -> None:
        """Each item is one notification to who has subscribed; what does not fit the MTU is not sent."""
        for item in items:
            if self.connection is None or len(item) > notification_bytes(self.mtu):
                continue
            is_answer = item[_TYPE_AT : _TYPE_AT + 1] == _ANSWER
            self._notify(self.connection, self._services.response if is_answer else self._services.data, item)

    async def room(self) -> None:
        """Wait until few packets are in flight; a lost link ends the wait."""
        await asyncio.sleep(0)
        while self.connection is not None:
            queue = self.connection.data_packet_queue
            if queue is None or queue.pending <= PACKETS_IN_FLIGHT:
                return
            self._flow.clear()
            await self._flow.wait()

    def _notify(
        self, connection: Connection, characteristic: gatt.Characteristic[bytes], value: bytes
    ) -> None:
        server = self._device.gatt_server
        if server.read_cccd(connection, characteristic)[0] & 1:
            pdu = att.ATT_Handle_Value_Notification(
                attribute_handle=characteristic.handle, attribute_value=value
            )
            server.send_gatt_pdu(connection, bytes(pdu))

    def _connected(self, connection: Connection) -> None:
        self.connection = connection
        self._on_mtu(connection.att_mtu)
        connection.on(Connection.EVENT_CONNECTION_ATT_MTU_UPDATE, lambda: self._on_mtu(connection.att_mtu))
        connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)
        if (queue := connection.data_packet_queue) is not None and not queue.listeners("flow"):
            queue.on("flow", self._flow.set)

    def _disconnected(self, _reason: int) -> None:
        self.connection = None
        self._flow.set()
        self._on_lost()


class _PenDevice(Device):
    """Bumble's host stack, with answers about services that may take their time."""

    def __init__(self, chip: RadioController, identity: PenIdentity, faults: BleFaults) -> None:
        self.discovery_delay_s = faults.discovery_delay_s
        config = DeviceConfiguration(name=identity.name, address=hci.Address(identity.address))
        super().__init__(config=config, host=RadioHost(chip, AsyncPipeSink(chip)))
        self.gatt_server.max_mtu = faults.max_mtu

    def on_gatt_pdu(self, connection_handle: int, pdu: bytes) -> None:
        if self.discovery_delay_s and pdu and pdu[0] in _DISCOVERY:
            loop = asyncio.get_running_loop()
            loop.call_later(self.discovery_delay_s, self._late_gatt_pdu, connection_handle, pdu)
        else:
            super().on_gatt_pdu(connection_handle, pdu)

    def _late_gatt_pdu(self, connection_handle: int, pdu: bytes) -> None:
        if connection_handle in self.connections:
            super().on_gatt_pdu(connection_handle, pdu)
