"""A pen on the simulated radio: advertises, answers, streams; vanishes, reboots and refuses on demand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from bumble import att, gatt, hci
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.transport.common import AsyncPipeSink

from firmware_protocol.framing import FrameType
from firmware_protocol.links import notification_bytes
from firmware_protocol.virtual_pen import PenFirmware
from penapp.device.source import CountSource
from penapp.device.virtual_ble.chips import Air, RadioController, RadioHost
from penapp.device.virtual_ble.faults import SMALLEST_MTU, BleFaults
from penapp.device.virtual_ble.gatt import PenCallbacks, PenServices, advertisement
from penapp.device.virtual_ble.pace import SampleClock
from penapp.device.virtual_ble.pump import SamplePump

ADVERTISING_MS = 20.0
PACKETS_IN_FLIGHT = 8
"""Without a pace: notifications that may wait in the pen's radio before the sensors take more."""
_DISCOVERY = (
    att.Opcode.ATT_READ_BY_GROUP_TYPE_REQUEST,
    att.Opcode.ATT_READ_BY_TYPE_REQUEST,
    att.Opcode.ATT_FIND_INFORMATION_REQUEST,
    att.Opcode.ATT_FIND_BY_TYPE_VALUE_REQUEST,
)
_TYPE_AT = 1
HOST_FULL_S = 0.001


@dataclass(frozen=True, slots=True)
class PenIdentity:
    """address: static random ("F0:.."); name: advertised up to 8 bytes; rssi_dbm: made up, never measured."""

    address: str
    name: str
    rssi_dbm: int = -50


class VirtualBlePen:
    """One pen. Made by `SimulatedRadio.add_pen`; all calls come from the radio's asyncio loop.

    speed: 1.0 = real time, 2.0 = twice as fast, None = as fast as the radio carries
    on_ink_over: called once when the count source has nothing more

    `host_full` may be set: without a pace the sensors wait while it says so (a real radio knows no such thing).
    """

    def __init__(
        self,
        air: Air,
        identity: PenIdentity,
        ink: CountSource,
        *,
        speed: float | None = 1.0,
        faults: BleFaults | None = None,
        on_ink_over: Callable[[], None] | None = None,
    ) -> None:
        self.identity = identity
        self._faults = faults or BleFaults()
        self.denied = self._faults.denied
        self.firmware = PenFirmware(ink.descriptor, faults=self._faults.wire, mtu=SMALLEST_MTU)
        self._air = air
        self._chip = RadioController(identity.name, air)
        self._chip.refuse_connects = self._faults.refused_connects
        self._device = _PenDevice(self._chip, identity, self._faults)
        self._services = PenServices(
            PenCallbacks(
                lambda: self.firmware.descriptor,
                lambda: self.firmware.state.battery.percent,
                self._command,
                lambda: self.denied,
            )
        )
        clock = SampleClock(ink.descriptor.streams[0].rate_hz, speed)
        self._pump = SamplePump(
            ink, self.firmware, clock, send=self._send, room=self._room, on_ink_over=on_ink_over
        )
        self._ink = ink
        self._pumping: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._flow = asyncio.Event()
        self.host_full: Callable[[], bool] = _never

    @property
    def address(self) -> str:
        return self.identity.address

    @property
    def mtu(self) -> int:
        """ATT MTU of the connection; 23 when there is none."""
        return self._connection.att_mtu if self._connection is not None else SMALLEST_MTU

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def streaming(self) -> bool:
        return self.firmware.streaming

    async def switch_on(self) -> None:
        """Advertise; to be called once."""
        self._services.attach(self._device.gatt_server)
        self._device.on(Device.EVENT_CONNECTION, self._on_connection)
        await self._device.power_on()
        await self._device.start_advertising(
            auto_restart=True,
            advertising_data=advertisement(self.identity.name),
            advertising_interval_min=ADVERTISING_MS,
            advertising_interval_max=ADVERTISING_MS,
        )
        self._pumping = asyncio.create_task(self._pump.run(), name=f"virtual pen {self.address}")

    async def switch_off(self) -> None:
        """Gone for good: the host sees a lost link. Idempotent."""
        self.vanish()
        if self._pumping is not None:
            pumping, self._pumping = self._pumping, None
            pumping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pumping
            await self._device.stop_advertising()
            await self._device.power_off()
            self._air.remove_controller(self._chip)

    async def drop_link(self) -> None:
        """The pen ends the connection properly; it can be reached again at once."""
        if self._connection is not None:
            await self._connection.disconnect()

    def lose_link(self) -> None:
        """The connection breaks as from a moment of bad radio; it can be reached again at once."""
        self._air.cut(self._chip)

    def vanish(self) -> None:
        """Out of reach: the connection breaks, no advertisement is heard."""
        self._chip.in_range = False
        self._air.cut(self._chip)

    def come_back(self) -> None:
        """In reach again after `vanish`."""
        self._chip.in_range = True

    def reboot(self, boot_id: int) -> None:
        """The pen starts again: link lost; index, clock and sequence numbers from 0; reachable at once."""
        self._air.cut(self._chip)
        self.firmware.reboot(boot_id)
        self._pump.reboot()

    def refuse_connects(self, n: int) -> None:
        """The next n attempts to connect fail."""
        self._chip.refuse_connects = n

    def write_unseen(self, n: int) -> int:
        """Let the sensors take n samples of ink at once, as while the link is lost; how many there were."""
        counts = self._ink.read(n)
        if counts is None or not len(counts):
            return 0
        self._pump.take(counts)
        return len(counts)

    async def _command(self, frame: bytes) -> None:
        items = self.firmware.receive(frame, now_us=self._pump.now_us)
        self._send(items)
        if self.firmware.streaming:
            self._pump.wake()
        else:
            self._pump.sleep()

    def _send(self, items: list[bytes]) -> None:
        """Each item is one notification to who has subscribed; what does not fit the MTU is not sent."""
        for item in items:
            connection = self._connection
            if connection is None or len(item) > notification_bytes(connection.att_mtu):
                continue
            is_answer = item[_TYPE_AT : _TYPE_AT + 1] == bytes([FrameType.RSP])
            self._notify(connection, self._services.response if is_answer else self._services.data, item)

    def _notify(
        self, connection: Connection, characteristic: gatt.Characteristic[bytes], value: bytes
    ) -> None:
        server = self._device.gatt_server
        if server.read_cccd(connection, characteristic)[0] & 1:
            pdu = att.ATT_Handle_Value_Notification(
                attribute_handle=characteristic.handle, attribute_value=value
            )
            server.send_gatt_pdu(connection, bytes(pdu))

    async def _room(self) -> None:
        """Back-pressure: wait until few packets are in flight; a lost link ends the wait."""
        await asyncio.sleep(0)
        while self.host_full() and self._connection is not None:
            await asyncio.sleep(HOST_FULL_S)
        while self._connection is not None:
            queue = self._connection.data_packet_queue
            if queue is None or queue.pending <= PACKETS_IN_FLIGHT:
                return
            self._flow.clear()
            await self._flow.wait()

    def _on_connection(self, connection: Connection) -> None:
        self._connection = connection
        self.firmware.link_mtu(connection.att_mtu)
        connection.on(
            Connection.EVENT_CONNECTION_ATT_MTU_UPDATE, lambda: self.firmware.link_mtu(connection.att_mtu)
        )
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
        if (queue := connection.data_packet_queue) is not None and not queue.listeners("flow"):
            queue.on("flow", self._flow.set)

    def _on_disconnection(self, _reason: int) -> None:
        self._connection = None
        self._flow.set()
        self.firmware.disconnect()
        self.firmware.link_mtu(SMALLEST_MTU)
        self._pump.link_lost()


def _never() -> bool:
    return False


class _PenDevice(Device):
    """Bumble's host stack, with answers about services that may take their time."""

    def __init__(self, chip: RadioController, identity: PenIdentity, faults: BleFaults) -> None:
        self._discovery_delay_s = faults.discovery_delay_s
        config = DeviceConfiguration(name=identity.name, address=hci.Address(identity.address))
        super().__init__(config=config, host=RadioHost(chip, AsyncPipeSink(chip)))
        self.gatt_server.max_mtu = faults.max_mtu

    def on_gatt_pdu(self, connection_handle: int, pdu: bytes) -> None:
        if self._discovery_delay_s and pdu and pdu[0] in _DISCOVERY:
            loop = asyncio.get_running_loop()
            loop.call_later(self._discovery_delay_s, self._late_gatt_pdu, connection_handle, pdu)
        else:
            super().on_gatt_pdu(connection_handle, pdu)

    def _late_gatt_pdu(self, connection_handle: int, pdu: bytes) -> None:
        if connection_handle in self.connections:
            super().on_gatt_pdu(connection_handle, pdu)
