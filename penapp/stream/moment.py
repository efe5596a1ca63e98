"""Where the pen stands on its own clock, and what lies between two stretches of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """One placed frame on the pen's own clock.

    segment:  number of the segment, from 1
    t_us:     as it stands in the frame: microseconds of the first sample, 32 bits
    first_s:  seconds of the frame's first sample since the first sample of the segment
    last_s:   the same for its last sample, the one that let the frame go
    period_s: seconds from sample to sample, as measured
    lost:     samples missing before the frame, exact; None where the pen was started again: its index
              says nothing about the time before
    """

    segment: int
    t_us: int
    first_s: float
    last_s: float
    period_s: float
    lost: int | None = 0


@dataclass(frozen=True, slots=True)
class Break:
    """Time between the last sample before and the first sample behind a stretch without samples.

    segment:       the segment that the first sample behind it belongs to
    duration_s:    seconds on the host's clock
    uncertainty_s: one standard deviation of it; inf when no arrival times are known: then duration_s is 0
    lost:          samples that the pen took meanwhile and nobody saw, exact; None across a restart of the
                   pen: nobody knows when it began to sample again
    """

    segment: int
    duration_s: float
    uncertainty_s: float
    lost: int | None

    @property
    def known(self) -> bool:
        """Whether anything is known of the duration."""
        return math.isfinite(self.uncertainty_s)
