"""A pen that follows a fault plan, without ports or threads: the same for a serial line and for Bluetooth.

What a carrier does: `tick` often, and send what it returns; cut the link whenever `cuts` has changed; let
nobody connect while `away`, refuse connects while `refusing`; `disconnect` when the host went by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.fault_plan import WIRE_FAULTS, FaultKind, FaultPlan, PenFault
from firmware_protocol.faults import Faults
from firmware_protocol.virtual_pen import PenFirmware

UNNOTICED_S = 0.05
"""How long the pen is away when something else than its absence is the point."""
OTHER_ID = b"another1"
_U32 = 0xFFFFFFFF
_NEVER = float("inf")


class _Mode(Enum):
    WELL = "well"
    AWAY = "away"
    OFF = "off"
    REFUSING = "refusing"
    SLOW = "slow"
    HUNG = "hung"
    MUTE = "mute"
    BAD_WIRE = "bad wire"
    OTHER = "other"


_CUTTING = {_Mode.AWAY, _Mode.OFF}


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that began.

    began_s, over_s: on the carrier's clock; over = the pen can be reached again, inf = not yet
    index: samples taken in that boot when it began; boot_id: of that boot
    """

    fault: PenFault
    began_s: float
    index: int
    boot_id: int
    over_s: float = _NEVER


class FaultyPen:
    """A `PenFirmware` to which the faults of a plan happen.

    on_begin: told of each fault as it begins
    received: asked whether the host receives what is sent (a pen on a serial line cannot know): only then
              does the way to the next fault count
    """

    def __init__(
        self,
        descriptor: Descriptor,
        plan: FaultPlan,
        *,
        batch: int | None = None,
        mtu: int | None = None,
        on_begin: Callable[[PenFault], None] | None = None,
        received: Callable[[], bool] | None = None,
    ) -> None:
        self._pen = PenFirmware(descriptor, batch=batch, mtu=mtu)
        stranger = replace(descriptor, device_id=OTHER_ID, name="another pen")
        self._other = PenFirmware(stranger, batch=batch, mtu=mtu)
        self._on_begin = on_begin
        self._received = received or _always
        self._ahead = list(plan.faults)
        self._steps: list[tuple[_Mode, float]] = []
        self._mode, self._until_s = _Mode.WELL, _NEVER
        self._now_s = 0.0
        self._undisturbed = 0
        self._running = False
        self._boot_us: int | None = 0
        self._late: list[tuple[float, list[bytes]]] = []
        self._unread: list[bytes] = []
        self.cuts = 0
        self.history: list[Happened] = []

    @property
    def streaming(self) -> bool:
        """Whether the sensors run: from START on, through every fault, until STOP."""
        return self._running

    @property
    def away(self) -> bool:
        """The carrier is down."""
        return self._mode in _CUTTING

    @property
    def adapter_off(self) -> bool:
        return self.away and self.history[-1].fault.kind is FaultKind.ADAPTER_OFF

    @property
    def refusing(self) -> bool:
        return self._mode is _Mode.REFUSING

    @property
    def slow_s(self) -> float:
        """By how much each answer is late, in seconds; 0 = not at all."""
        return self.history[-1].fault.duration_s if self._mode is _Mode.SLOW else 0.0

    @property
    def well(self) -> bool:
        """Nothing goes wrong at the moment."""
        return self._mode is _Mode.WELL

    @property
    def ahead(self) -> int:
        """Faults of the plan that have not begun."""
        return len(self._ahead)

    @property
    def descriptor(self) -> Descriptor:
        """Of the pen that would answer now."""
        return self._there.descriptor

    @property
    def firmware(self) -> PenFirmware:
        """The right pen, wherever it is."""
        return self._pen

    @property
    def batch(self) -> int:
        """Samples in a full DATA frame; 0 when the link cannot carry even one."""
        return self._pen.batch

    def link_mtu(self, mtu: int) -> None:
        """The ATT MTU that this connection agreed on (Bluetooth only)."""
        self._pen.link_mtu(mtu)
        self._other.link_mtu(mtu)

    def tick(self, now_s: float) -> list[bytes]:
        """Time passes; returns what the pen sends of its own accord (late answers, commands read late)."""
        self._now_s = now_s
        items: list[bytes] = []
        while now_s >= self._until_s:
            items += self._next_step()
        while self._late and self._late[0][0] <= now_s:
            items += self._late.pop(0)[1]
        if self._mode is _Mode.SLOW and self._pen.streaming and not self._late:
            items += self._next_step()
        return items

    def receive(self, raw: bytes, *, now_us: int | None = None) -> list[bytes]:
        """Bytes from the host (serial) or one write (Bluetooth); now_us as the sensors' clock in `take`."""
        if self._mode in {_Mode.AWAY, _Mode.OFF, _Mode.REFUSING}:
            return []
        if self._mode is _Mode.HUNG:
            self._unread.append(raw)
            return []
        if self._mode is _Mode.OTHER:
            return self._other.receive(raw)
        was_streaming = self._pen.streaming
        since_boot = None if now_us is None or self._boot_us is None else now_us - self._boot_us
        items = self._pen.receive(raw, now_us=since_boot)
        if self._pen.streaming or was_streaming:
            self._running = self._pen.streaming
        if self._mode is _Mode.SLOW and items:
            self._late.append((self._now_s + self.history[-1].fault.duration_s, items))
            return []
        return items

    def take(self, counts: NDArray[np.int16], t_us_first: int) -> list[bytes]:
        """Samples (n, C) that the sensors would measure; none of them exist while the pen is switched off.

        t_us_first: microseconds since the pen's first sample ever, whatever it counts itself
        """
        items: list[bytes] = []
        while len(counts):
            n = self._before_fault(len(counts))
            if not n:
                items += self._begin(self._ahead.pop(0))
                continue
            items += self._measure(counts[:n], t_us_first)
            if self.well and self._pen.streaming and self._received():
                self._undisturbed += n
            period_us = self._pen.descriptor.streams[0].period_us
            counts, t_us_first = counts[n:], t_us_first + round(n * period_us)
        return items

    def disconnect(self) -> None:
        """The host went by itself (a serial line cannot tell); what it asked is answered no more."""
        self._late.clear()
        self._unread.clear()
        self._there.disconnect()

    @property
    def _there(self) -> PenFirmware:
        return self._other if self._mode is _Mode.OTHER else self._pen

    def _before_fault(self, n: int) -> int:
        """How many of the next n samples come before the next fault."""
        if not (self._ahead and self.well and self._pen.streaming):
            return n
        return min(n, max(0, self._ahead[0].at_sample - self._undisturbed))

    def _measure(self, counts: NDArray[np.int16], t_us: int) -> list[bytes]:
        if self._mode is _Mode.OFF:
            return []
        if self._boot_us is None:
            self._boot_us = t_us
        items = self._pen.take(counts, t_us - self._boot_us)
        if self._mode is _Mode.OTHER and self._other.streaming:
            items = self._other.take(counts, t_us)
        return [] if self._mode is _Mode.HUNG else items

    def _begin(self, fault: PenFault) -> list[bytes]:
        state = self._pen.state
        self.history.append(Happened(fault, self._now_s, state.index, state.descriptor.boot_id))
        self._steps = _steps(fault)
        if self._on_begin is not None:
            self._on_begin(fault)
        return self._next_step()

    def _next_step(self) -> list[bytes]:
        """The mode that ends leaves its traces; the next one begins."""
        ended = self._mode
        if ended is _Mode.OFF:
            self._reboot()
        if ended in {_Mode.MUTE, _Mode.BAD_WIRE}:
            self._pen.set_faults(Faults())
        self._mode, seconds = self._steps.pop(0) if self._steps else (_Mode.WELL, _NEVER)
        self._until_s = self._now_s + seconds
        if self._mode in _CUTTING:
            self._cut()
        elif self._mode is _Mode.MUTE:
            self._pen.set_faults(Faults(no_samples=True))
        elif self._mode is _Mode.BAD_WIRE:
            fault = self.history[-1].fault
            self._pen.set_faults(replace(WIRE_FAULTS[fault.kind], seed=fault.at_sample))
        if self._mode in {_Mode.WELL, _Mode.SLOW} and self.history[-1].over_s == _NEVER:
            self.history[-1] = replace(self.history[-1], over_s=self._now_s)
        unread, self._unread = self._unread, []
        return [item for raw in unread for item in self.receive(raw)]

    def _cut(self) -> None:
        self.cuts += 1
        self._late.clear()
        self._unread.clear()
        self._pen.disconnect()
        self._other.disconnect()

    def _reboot(self) -> None:
        old = self._pen.descriptor.boot_id
        self._pen.reboot((old * 1_103_515_245 + 12_345) & _U32)
        self._boot_us = None


def _always() -> bool:
    return True


def _steps(fault: PenFault) -> list[tuple[_Mode, float]]:
    """Modes and how long each lasts; the pen is well after the last."""
    s, brief = fault.duration_s, (_Mode.AWAY, UNNOTICED_S)
    return {
        FaultKind.UNPLUG: [(_Mode.AWAY, s)],
        FaultKind.ADAPTER_OFF: [(_Mode.AWAY, s)],
        FaultKind.REBOOT: [(_Mode.OFF, s)],
        FaultKind.REFUSE: [brief, (_Mode.REFUSING, s)],
        FaultKind.SLOW: [brief, (_Mode.SLOW, _NEVER)],
        FaultKind.STALL: [(_Mode.HUNG, s)],
        FaultKind.SILENCE: [(_Mode.MUTE, s)],
        FaultKind.REPLACED: [brief, (_Mode.OTHER, s), brief],
        FaultKind.HOST_STALL: [],
    }.get(fault.kind, [(_Mode.BAD_WIRE, s)])
