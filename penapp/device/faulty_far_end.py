"""A virtual pen to which things happen: unplugged, restarted, hanging, replaced, under one stable address."""

from __future__ import annotations

import time
from collections.abc import Callable

from firmware_protocol.fault_plan import FaultPlan, PenFault
from firmware_protocol.faulty_pen import FaultyPen
from penapp.device.carrier import Carrier
from penapp.device.far_end import VirtualPen
from penapp.device.outlet import NoCarrier, Outlet, new_outlet
from penapp.device.source import CountSource


class FaultyVirtualPen(VirtualPen):
    """A `VirtualPen` that follows a plan; `address` stays the same however often it is plugged in again.

    on_fault, received: as in `FaultyPen`, called from the pen's thread. The plan's seconds are of
    `time.monotonic`.
    """

    def __init__(
        self,
        ink: CountSource,
        plan: FaultPlan,
        *,
        speed: float | None = 1.0,
        outlet: Outlet | None = None,
        on_fault: Callable[[PenFault], None] | None = None,
        received: Callable[[], bool] | None = None,
    ) -> None:
        self.pen = FaultyPen(ink.descriptor, plan, on_begin=on_fault, received=received)
        self._outlet = outlet or new_outlet()
        self._cuts = 0
        self._busy = False
        self._owed: list[bytes] = []
        super().__init__(ink, speed=speed, firmware=self.pen, carrier=self._outlet.plug())
        self.address = self._outlet.address

    def unplug(self) -> None:
        super().unplug()
        self._outlet.close()

    def _turn(self) -> bool:
        owed, self._owed = self._owed, []
        self._send(owed + self.pen.tick(time.monotonic()))
        self._follow_link()
        try:
            return super()._turn()
        except ConnectionError:  # the host hung up; it may come again
            self.pen.disconnect()
            self._replug()
            return False

    def _wait_for_room(self) -> None:
        """Time goes on for a pen that nobody reads."""
        super()._wait_for_room()
        self._owed += self.pen.tick(time.monotonic())
        self._follow_link()

    def _follow_link(self) -> None:
        """Plug and unplug as the plan says."""
        if self.pen.cuts != self._cuts or self.pen.refusing != self._busy:
            self._cuts, self._busy = self.pen.cuts, self.pen.refusing
            self._replug()
        elif not self.pen.away and isinstance(self._carrier, NoCarrier) and not self._busy:
            self._carrier = self._outlet.plug()

    def _replug(self) -> None:
        self._pull()
        if not self.pen.away:
            self._carrier = self._outlet.plug(busy=self._busy)

    def _pull(self) -> None:
        carrier: Carrier = self._carrier
        self._carrier = NoCarrier(self._outlet.address)
        self._outlet.pull(carrier)
