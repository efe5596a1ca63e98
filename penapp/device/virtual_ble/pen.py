"""A pen on the simulated radio: advertises, answers, streams; vanishes, reboots and refuses on demand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from firmware_protocol.virtual_pen import PenFirmware
from penapp.device.source import CountSource
from penapp.device.virtual_ble.chips import Air
from penapp.device.virtual_ble.faults import SMALLEST_MTU, BleFaults
from penapp.device.virtual_ble.firmware import BleFirmware
from penapp.device.virtual_ble.gatt import PenCallbacks
from penapp.device.virtual_ble.pace import SampleClock
from penapp.device.virtual_ble.peripheral import PenIdentity, Peripheral
from penapp.device.virtual_ble.pump import SamplePump

HOST_FULL_S = 0.001


class VirtualBlePen:
    """One pen. Made by `SimulatedRadio.add_pen`; all calls come from the radio's asyncio loop.

    speed: 1.0 = real time, 2.0 = twice as fast, None = as fast as the radio carries
    on_ink_over: called once when the count source has nothing more

    `host_full` may be set: without a pace the sensors wait while it is true (no real radio can do that).
    `denied` may be changed: reading, writing and subscribing are refused while it is true.
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
        faults = faults or BleFaults()
        self.identity = identity
        self.denied = faults.denied
        self.host_full: Callable[[], bool] = _never
        self.firmware = PenFirmware(ink.descriptor, faults=faults.wire, mtu=SMALLEST_MTU)
        self._answering = self._who_answers()
        self.peripheral = Peripheral(
            air,
            identity,
            faults,
            PenCallbacks(
                lambda: self._answering.descriptor,
                lambda: self.firmware.state.battery.percent,
                self._command,
                lambda: self.denied,
            ),
            on_mtu=self._answering.link_mtu,
            on_lost=self._link_lost,
        )
        clock = SampleClock(ink.descriptor.streams[0].rate_hz, speed)
        self._pump = SamplePump(
            ink, self._answering, clock, send=self.peripheral.send, room=self._room, on_ink_over=on_ink_over
        )
        self._pumping: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return self.identity.address

    @property
    def mtu(self) -> int:
        """ATT MTU of the connection; 23 when there is none."""
        return self.peripheral.mtu

    @property
    def connected(self) -> bool:
        return self.peripheral.connection is not None

    @property
    def streaming(self) -> bool:
        return self._answering.streaming

    async def switch_on(self) -> None:
        """Advertise; to be called once."""
        await self.peripheral.switch_on()
        self._pumping = asyncio.create_task(self._pump.run(), name=f"virtual pen {self.address}")

    async def switch_off(self) -> None:
        """Gone for good: the host sees a lost link. Idempotent."""
        self.vanish()
        if self._pumping is None:
            return
        pumping, self._pumping = self._pumping, None
        pumping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pumping
        await self.peripheral.switch_off()

    async def drop_link(self) -> None:
        """The pen ends the connection properly; it can be reached again at once."""
        if self.peripheral.connection is not None:
            await self.peripheral.connection.disconnect()

    def lose_link(self) -> None:
        """The connection breaks as from a moment of bad radio; it can be reached again at once."""
        self.peripheral.cut()

    def vanish(self) -> None:
        """Out of reach: the connection breaks, no advertisement is heard."""
        self.peripheral.chip.in_range = False
        self.peripheral.cut()

    def come_back(self) -> None:
        """In reach again after `vanish`."""
        self.peripheral.chip.in_range = True

    def reboot(self, boot_id: int) -> None:
        """The pen starts again: link lost; index, clock and sequence numbers from 0; reachable at once."""
        self.peripheral.cut()
        self.firmware.reboot(boot_id)
        self._pump.reboot()

    def refuse_connects(self, n: int) -> None:
        """The next n attempts to connect fail."""
        self.peripheral.chip.refuse_connects = n

    def limit_mtu(self, mtu: int) -> None:
        """Agree to no larger ATT MTU from the next connection on."""
        self.peripheral.limit_mtu(mtu)

    def write_unseen(self, n: int) -> int:
        """Let the sensors take up to n samples at once, as while the link is lost; how many there were."""
        return self._pump.take_now(n)

    def _who_answers(self) -> BleFirmware:
        return self.firmware

    async def _command(self, frame: bytes) -> None:
        self.peripheral.send(self._answering.receive(frame, now_us=self._pump.now_us))
        if self._answering.streaming:
            self._pump.wake()
        else:
            self._pump.sleep()

    async def _room(self) -> None:
        while self.host_full() and self.connected:  # noqa: ASYNC110 -- emptied by a thread perhaps
            await asyncio.sleep(HOST_FULL_S)
        await self.peripheral.room()

    def _link_lost(self) -> None:
        self._answering.disconnect()
        self._answering.link_mtu(SMALLEST_MTU)
        self._pump.link_lost()


def _never() -> bool:
    return False
