"""What is to go wrong with a pen and when: a plan that every carrier of a virtual pen follows alike."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from firmware_protocol.faults import Faults


class FaultKind(Enum):
    """One situation. "Away" = the carrier is down and nobody can connect.

    UNPLUG:      away for `duration_s`; the pen itself goes on (plug pulled, out of reach)
    ADAPTER_OFF: the same, but it is the host's radio that is off; a serial line treats it as UNPLUG
    REBOOT:      away for `duration_s`, then a new boot id; index and clock start again
    REFUSE:      the link is cut, then connects are refused for `duration_s` (serial: the port is busy)
    SLOW:        the link is cut, then each answer comes `duration_s` late until samples flow again
    STALL:       the pen hangs: the link stays, nothing is read or sent; commands wait in its buffer
    SILENCE:     the pen answers but sends no samples
    REPLACED:    the link is cut and another pen is there for `duration_s`, then the right one again
    LOSS, DAMAGE, DUPLICATES, DISORDER, RUBBISH: the wire is bad for `duration_s`
    HOST_STALL:  the host's device thread stands still; nothing happens to the pen (a test carries it out)
    """

    UNPLUG = "unplug"
    ADAPTER_OFF = "adapter off"
    REBOOT = "reboot"
    REFUSE = "refuse"
    SLOW = "slow discovery"
    STALL = "stall"
    SILENCE = "silence"
    REPLACED = "replaced"
    LOSS = "loss"
    DAMAGE = "damage"
    DUPLICATES = "duplicates"
    DISORDER = "disorder"
    RUBBISH = "rubbish"
    HOST_STALL = "host stall"


WIRE_FAULTS = {
    FaultKind.LOSS: Faults(drop=0.3),
    FaultKind.DAMAGE: Faults(corrupt=0.3),
    FaultKind.DUPLICATES: Faults(duplicate=0.3),
    FaultKind.DISORDER: Faults(reorder=0.3),
    FaultKind.RUBBISH: Faults(rubbish=0.3),
}
"""What the wire does to samples during these faults; answers to commands pass."""

_USUAL_S = {FaultKind.STALL: 1.0, FaultKind.SILENCE: 1.0, FaultKind.SLOW: 0.3, FaultKind.HOST_STALL: 2.0}
_VARIES = {FaultKind.SLOW: 1.6, FaultKind.HOST_STALL: 1.0}
"""How long the faults of a drawn plan last: 0.5 s for the others, times or divided by up to 4."""


@dataclass(frozen=True, slots=True)
class PenFault:
    """One fault. It begins when the pen has measured `at_sample` samples that were sent undisturbed: what it
    measures during other faults does not count. Durations are seconds of the carrier's clock.
    """

    kind: FaultKind
    at_sample: int
    duration_s: float = 0.5

    def __post_init__(self) -> None:
        if self.at_sample < 0 or not self.duration_s >= 0:
            raise ValueError(
                f"{self.kind.value} at sample {self.at_sample} for {self.duration_s} s, "
                "expected numbers that are not negative."
            )


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults in the order of their samples."""

    faults: tuple[PenFault, ...] = ()

    def __post_init__(self) -> None:
        numbers = [fault.at_sample for fault in self.faults]
        if numbers != sorted(numbers):
            raise ValueError(f"a plan with faults at the samples {numbers}, expected them in rising order.")

    @staticmethod
    def drawn(
        count: int, seed: int, *, every_samples: int, kinds: Sequence[FaultKind] = tuple(FaultKind)
    ) -> FaultPlan:
        """`count` faults in random order, every kind as often as any other, `every_samples` +- 40 % apart."""
        rng = random.Random(seed)
        drawn = [kinds[k % len(kinds)] for k in range(count)]
        rng.shuffle(drawn)
        at, faults = 0, []
        for kind in drawn:
            at += round(every_samples * rng.uniform(0.6, 1.4))
            seconds = _USUAL_S.get(kind, 0.5) * _VARIES.get(kind, 4.0) ** rng.uniform(-1.0, 1.0)
            faults.append(PenFault(kind, at, round(seconds, 3)))
        return FaultPlan(tuple(faults))
