"""What a live session tells: its state, and the events on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from firmware_protocol.descriptor import Descriptor
from penapp.decode.types import Hypothesis
from penapp.live_gaps import NO_GAPS, Gap, GapTally
from penapp.stream.block import SampleBlock


class LinkState(Enum):
    """Where the link stands; a recording and the text go on through all but the last three.

    OPENING:     the pen is being connected (a source that does not tell more)
    SCANNING, CONNECTING, DISCOVERING: steps of an attempt to reach the pen, the first one or after a loss
    STREAMING:   samples may arrive; `LiveStatus.silent_s` says whether they do
    LOST:        the pen is gone; the next attempt comes by itself
    CLOSED, ENDED, FAILED: over: by the user, by the end of the source, by an error
    """

    CLOSED = "closed"
    OPENING = "opening"
    SCANNING = "scanning"
    CONNECTING = "connecting"
    DISCOVERING = "discovering"
    STREAMING = "streaming"
    LOST = "lost"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Search:
    """The pen is being looked for.

    attempt:    the running or last attempt, from 1; 0 = the first is yet to come
    out_s:      seconds since it was lost; None = it was not reached yet
    next_try_s: seconds until the next attempt; None = one is running
    losses:     how often it was lost in this session
    """

    attempt: int = 0
    out_s: float | None = None
    next_try_s: float | None = None
    losses: int = 0


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """A snapshot. rate_hz is measured over the last two seconds; force_n is the newest sample's.

    lost, loss_percent: samples that the pen took and we never saw; damaged_frames: as the link counts them
    contact:            pen down now; backlog: samples that wait for the recogniser
    skew_ppm, clock_uncertainty_s: the pen's clock on this computer's; inf while nothing is known of it
    message, advice:    what is wrong, empty when nothing is
    since_s:            seconds in this state of the link; silent_s: since the newest sample (0 before any)
    search:             how the search for the pen goes; None while there is none
    """

    link: LinkState = LinkState.CLOSED
    pen_name: str = ""
    rate_hz: float = 0.0
    nominal_hz: float = 0.0
    samples: int = 0
    lost: int = 0
    loss_percent: float = 0.0
    damaged_frames: int = 0
    force_n: float = 0.0
    contact: bool = False
    backlog: int = 0
    recorded_bytes: int = 0
    skew_ppm: float = 0.0
    clock_uncertainty_s: float = math.inf
    message: str = ""
    advice: str = ""
    since_s: float = 0.0
    silent_s: float = 0.0
    search: Search | None = None
    gaps: GapTally = NO_GAPS


@dataclass(frozen=True, slots=True)
class TextCommitted:
    """A word that never changes again.

    decided_ns: perf_counter_ns when the samples that closed the word went into the pipeline
    arrival_ns: when they arrived from the pen (in replay: as recorded, 0 if that is not told)
    block_t:    pen's clock (s) at the last of them
    """

    hypothesis: Hypothesis
    decided_ns: int
    arrival_ns: int = 0
    block_t: float = 0.0


@dataclass(frozen=True, slots=True)
class TextTentative:
    """The reading of the word being written, None when there is none (any more)."""

    hypothesis: Hypothesis | None
    made_ns: int


@dataclass(frozen=True, slots=True)
class LinkChanged:
    status: LiveStatus


@dataclass(frozen=True, slots=True)
class GapSeen:
    """Samples are missing; told when the first one behind the gap has come."""

    gap: Gap


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong; the session may go on (recording) or be over (link): see LiveStatus."""

    message: str
    advice: str


LiveEvent = TextCommitted | TextTentative | LinkChanged | GapSeen | Failed


class Pipeline(Protocol):
    """What a session needs of `penapp.pipeline.Pipeline`."""

    @property
    def contact(self) -> bool: ...

    def push(self, block: SampleBlock) -> list[Hypothesis]: ...

    def tentative(self) -> Hypothesis | None: ...

    def finish(self) -> list[Hypothesis]: ...

    def reset(self) -> None: ...


MakePipeline = Callable[[Descriptor], Pipeline]
