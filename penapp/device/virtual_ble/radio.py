"""The simulated radio of one process: the air, the computer's adapter, the pens around it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bumble.transport.common import AsyncPipeSink

from firmware_protocol.fault_plan import FaultPlan, PenFault
from firmware_protocol.faulty_pen import FaultyPen
from penapp.device.radio import Radio
from penapp.device.source import CountSource
from penapp.device.virtual_ble.adapter import Adapter
from penapp.device.virtual_ble.chips import Air, RadioController
from penapp.device.virtual_ble.client import RadioClient
from penapp.device.virtual_ble.faults import SMALLEST_MTU, BleFaults
from penapp.device.virtual_ble.faulty_pen import FaultyBlePen
from penapp.device.virtual_ble.pen import VirtualBlePen
from penapp.device.virtual_ble.peripheral import PenIdentity
from penapp.device.virtual_ble.scanner import RadioScanner

NO_RSSI_DBM = -127
RSSI_SWING_DBM = (0, 2, -1, -3, 1, -2)
"""The made-up signal strength wanders like this around each pen's own."""


class SimulatedRadio:
    """`async with SimulatedRadio() as radio`: lives on the loop that enters; all is gone at the end."""

    def __init__(self) -> None:
        bumble_log = logging.getLogger("bumble")
        if bumble_log.level == logging.NOTSET:
            bumble_log.setLevel(logging.CRITICAL)  # what it warns about is what our faults do on purpose
        self.air = Air()  # type: ignore[no-untyped-call]
        self._chip = RadioController("adapter", self.air)
        self.adapter = Adapter(self._chip, AsyncPipeSink(self._chip), self._rssi_dbm)
        self.pens: dict[str, VirtualBlePen] = {}
        self._made = 0
        self._reports = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        await self.adapter.start()

    async def stop(self) -> None:
        """Every pen and every connection is gone. Idempotent."""
        for address in list(self.pens):
            await self.remove_pen(address)
        self.air.cut(self._chip)
        await self.adapter.stop()

    async def add_pen(
        self,
        ink: CountSource,
        *,
        speed: float | None = 1.0,
        faults: BleFaults | None = None,
        identity: PenIdentity | None = None,
        on_ink_over: Callable[[], None] | None = None,
    ) -> VirtualBlePen:
        """A pen that advertises from now on; without an identity it is "penapp N" at its own address."""
        identity = identity or self._next_identity()
        if identity.address in self.pens:
            raise ValueError(f"there is already a pen at {identity.address}.")
        pen = VirtualBlePen(self.air, identity, ink, speed=speed, faults=faults, on_ink_over=on_ink_over)
        await self._put_up(pen)
        return pen

    async def add_faulty_pen(
        self,
        ink: CountSource,
        plan: FaultPlan,
        *,
        speed: float = 1.0,
        on_fault: Callable[[PenFault], None] | None = None,
        received: Callable[[], bool] | None = None,
    ) -> FaultyBlePen:
        """A pen that follows a plan, on this radio's own adapter (see `FaultyBlePen`)."""
        planned = FaultyPen(ink.descriptor, plan, mtu=SMALLEST_MTU, on_begin=on_fault, received=received)
        pen = FaultyBlePen(self.air, self._next_identity(), ink, planned, speed=speed)
        pen.switch_adapter = self._switch
        await self._put_up(pen)
        return pen

    async def remove_pen(self, address: str) -> None:
        """Switched off and gone."""
        await self.pens.pop(address).switch_off()

    def as_radio(self) -> Radio:
        """What `BleSource` and `PenScanner` are given instead of the system's Bluetooth."""
        return Radio("the simulated radio", RadioScanner, RadioClient, {"radio": self.adapter})

    def power_off(self) -> None:
        """The user switches Bluetooth off: connections break, scanning stops, nothing new can be begun."""
        self.adapter.power(on=False)
        self._chip.power_off()

    def power_on(self) -> None:
        self.adapter.power(on=True)
        self._chip.power_on()

    def _switch(self, on: bool) -> None:
        if on:
            self.power_on()
        else:
            self.power_off()

    async def _put_up(self, pen: VirtualBlePen) -> None:
        self.pens[pen.address] = pen
        await pen.switch_on()

    def _next_identity(self) -> PenIdentity:
        self._made += 1
        return _identity(self._made)

    def _rssi_dbm(self, address: str) -> int:
        pen = self.pens.get(address)
        if pen is None:
            return NO_RSSI_DBM
        self._reports += 1
        return pen.identity.rssi_dbm + RSSI_SWING_DBM[self._reports % len(RSSI_SWING_DBM)]


def _identity(number: int) -> PenIdentity:
    """The nearest pen first."""
    return PenIdentity(f"F0:50:45:4E:01:{number % 256:02X}", f"penapp {number}", -44 - 9 * number)
