"""What is missing between samples that we have: exact within one boot of the pen, a duration across two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from penapp.stream.moment import Break
from penapp.stream.queue import Arrival

ARRIVAL_UNCERTAINTY_S = 0.1
"""How far the arrival of a frame may lie behind its last sample, either side of a gap."""


class GapCause(Enum):
    """SAMPLES: lost, damaged or never sent while the link stood; LINK: it was lost; RESTART: of the pen."""

    SAMPLES = "samples lost"
    LINK = "link lost"
    RESTART = "pen restarted"


@dataclass(frozen=True, slots=True)
class Gap:
    """Between the last sample before and the first one behind it.

    lost:          samples that the pen took and we never saw, exact; None across a restart: nobody knows
    duration_s:    lost x period, or on the host's clock across a restart; None = not known (replay)
    uncertainty_s: 0 within a boot
    after_sample:  samples of the session that came before it
    """

    cause: GapCause
    lost: int | None
    duration_s: float | None
    uncertainty_s: float
    after_sample: int

    @property
    def of_link(self) -> bool:
        """The link was lost, or the pen started again."""
        return self.cause is not GapCause.SAMPLES


@dataclass(frozen=True, slots=True)
class GapTally:
    """Gaps between samples so far.

    count:     all of them; links: those due to a lost link or a restart of the pen
    lost:      samples missing, exact; restarts: gaps across a restart of the pen, not in `lost`
    known_s:   seconds missing, as far as they are known
    last_link: the newest of `links`
    """

    count: int = 0
    links: int = 0
    lost: int = 0
    restarts: int = 0
    known_s: float = 0.0
    last_link: Gap | None = None

    def with_gap(self, gap: Gap) -> GapTally:
        """One more."""
        return GapTally(
            self.count + 1,
            self.links + gap.of_link,
            self.lost + (gap.lost or 0),
            self.restarts + (gap.cause is GapCause.RESTART),
            self.known_s + (gap.duration_s or 0.0),
            gap if gap.of_link else self.last_link,
        )


NO_GAPS = GapTally()


class GapFinder:
    """push the blocks of one arrival -> the gaps before or between them."""

    def __init__(self) -> None:
        self._samples = 0
        self._segment = 0
        self._last_arrival_ns = 0
        self._link_lost = False
        self.tally = NO_GAPS

    def link_lost(self) -> None:
        """The next gap is due to the link."""
        self._link_lost = True

    def push(self, arrival: Arrival, rate_hz: float, breaks: Sequence[Break] = ()) -> list[Gap]:
        """What arrived together; breaks: as the clock tells them, better than arrivals across a restart."""
        segment, blocks = arrival.segment, arrival.blocks
        gaps: list[Gap] = []
        if self._segment and segment != self._segment:
            gaps += self._between_segments(arrival, rate_hz, breaks)
            self._link_lost = False
        for block in blocks:
            if block.lost:
                gaps.append(self._exact(block.lost, rate_hz))
            self._link_lost = False
            self._samples += len(block)
        self._segment, self._last_arrival_ns = segment, arrival.arrival_ns
        for gap in gaps:
            self.tally = self.tally.with_gap(gap)
        return gaps

    def _exact(self, lost: int, rate_hz: float) -> Gap:
        cause = GapCause.LINK if self._link_lost else GapCause.SAMPLES
        return Gap(cause, lost, lost / rate_hz, 0.0, self._samples)

    def _between_segments(self, arrival: Arrival, rate_hz: float, breaks: Sequence[Break]) -> list[Gap]:
        """A pen that merely set its clock has started nothing anew: its count goes on."""
        told = next((b for b in breaks if b.segment == arrival.segment), None)
        if told is not None and told.lost is not None:
            return [self._exact(told.lost, rate_hz)] if told.lost else []
        if told is not None and told.known:
            return [Gap(GapCause.RESTART, None, told.duration_s, told.uncertainty_s, self._samples)]
        waited_s = self._waited_s(arrival.arrival_ns, arrival.samples / rate_hz)
        return [Gap(GapCause.RESTART, None, waited_s, ARRIVAL_UNCERTAINTY_S, self._samples)]

    def _waited_s(self, arrival_ns: int, first_s: float) -> float | None:
        """From the last sample before to the first one behind, which is older than its frame's arrival."""
        if not (arrival_ns and self._last_arrival_ns):
            return None
        return max(0.0, (arrival_ns - self._last_arrival_ns) / 1e9 - first_s)
