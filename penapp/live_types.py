"""What a live session tells: its state, and the events on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from firmware_protocol.descriptor import Descriptor
from penapp.decode.types import Hypothesis
from penapp.stream.block import SampleBlock


class LinkState(Enum):
    CLOSED = "closed"
    OPENING = "opening"
    STREAMING = "streaming"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """A snapshot. rate_hz is measured over the last two seconds; force_n is the newest sample's.

    lost, loss_percent: samples that the pen took and we never saw; damaged_frames: as the link counts them
    contact:            pen down now; backlog: samples that wait for the recogniser
    skew_ppm, clock_uncertainty_s: the pen's clock on this computer's; inf while nothing is known of it
    message, advice:    what is wrong, empty when nothing is
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
class Failed:
    """Something went wrong; the session may go on (recording) or be over (link): see LiveStatus."""

    message: str
    advice: str


LiveEvent = TextCommitted | TextTentative | LinkChanged | Failed


class Pipeline(Protocol):
    """What a session needs of `penapp.pipeline.Pipeline`."""

    @property
    def contact(self) -> bool: ...

    def push(self, block: SampleBlock) -> list[Hypothesis]: ...

    def tentative(self) -> Hypothesis | None: ...

    def finish(self) -> list[Hypothesis]: ...

    def reset(self) -> None: ...


MakePipeline = Callable[[Descriptor], Pipeline]
