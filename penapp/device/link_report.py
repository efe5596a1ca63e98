"""What a supervised link tells about itself: stage, attempts, since when, what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from penapp.device.transport import LinkStage


@dataclass(frozen=True, slots=True)
class LinkReport:
    """Times are of `time.monotonic`, seconds.

    stage:    STREAMING only while samples arrive; LOST = waiting for the next attempt
    since_s:  when this stage began
    attempt:  the running or last attempt to reach the pen, from 1; 0 = none was needed
    out_s:    since when the pen has been missed; None while it streams and before it was first reached
    next_s:   when the next attempt begins; None when none is planned (yet)
    problem, advice: what the last attempt found, or why the link was lost; empty when nothing is wrong
    losses:   how often the link was lost
    """

    stage: LinkStage
    since_s: float
    attempt: int = 0
    out_s: float | None = None
    next_s: float | None = None
    problem: str = ""
    advice: str = ""
    losses: int = 0


@runtime_checkable
class Supervised(Protocol):
    """A source that looks after its link. follow: called on the loop with each report; one follower."""

    def follow(self, on_report: Callable[[LinkReport], None]) -> None: ...
