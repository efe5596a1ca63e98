"""The pen's clock on the host's, live: causal, smooth, never backwards, with its uncertainty.

A frame arrives at the earliest when its last sample was taken, and sometimes at once: the line below all
delays is the clock, its distance from them the link. A crystal that is only a few millionths off keeps a
pen and the radio's time slots in step for minutes, and then no delay is short: TIME_SYNC, which leaves the
host at any moment, bounds the clock from the other side.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, inf, sqrt

from penapp.stream.clock import MAX_SKEW, ClockReading, HostTime, Ping
from penapp.stream.clock_envelope import Envelope
from penapp.stream.clock_filter import FilterParams, OffsetSkew

OF_A_RANGE = 1.0 / sqrt(3.0)
"""Root mean square of what lies anywhere between 0 and 1."""


@dataclass(frozen=True, slots=True)
class LiveClockParams:
    """Patience of a live clock.

    block_s:        of each such block only the shortest delay counts
    window_s:       delays that are looked at; two rounds of the usual beat between samples and radio
    ping_window_s:  the same for TIME_SYNC, which does not beat
    min_pings:      as many answers are believed
    first_sd_s:     of the very first frames: each may have waited on the link
    offset_sd_s:    of a measured offset
    touch_sd_s:     of the delay at a point that a line touches; with its length, of its slope
    least_slope_sd: temperature moves the slope in the meantime
    least_delay_s:  nothing is faster than this
    early_s:        a frame cannot come before it was sampled: earlier by this, and a clock was set
    late_s:         so late for late_blocks in a row, and the pen's clock has stood still: begin again
    """

    block_s: float = 2.0
    window_s: float = 600.0
    ping_window_s: float = 300.0
    min_pings: int = 16
    first_sd_s: float = 0.03
    offset_sd_s: float = 0.002
    touch_sd_s: float = 0.001
    least_slope_sd: float = 2e-6
    least_delay_s: float = 0.0005
    early_s: float = 0.05
    late_s: float = 0.25
    late_blocks: int = 4


class LiveClock:
    """push(device time, arrival) -> the device time on the host's clock. Times rise; one boot of one pen."""

    def __init__(
        self, params: LiveClockParams | None = None, filter_params: FilterParams | None = None
    ) -> None:
        self._params = params or LiveClockParams()
        self._filter_params = filter_params or FilterParams()
        self.reset()

    def reset(self) -> None:
        """Another boot, or another pen."""
        self._jumps = 0
        self._doubt_s = 0.0
        self._last = HostTime(-inf, inf)
        self._begin()

    def _begin(self) -> None:
        p = self._params
        self._arrivals = Envelope(p.block_s, p.window_s)
        self._sent = Envelope(p.block_s, p.ping_window_s)
        self._replies = Envelope(p.block_s, p.ping_window_s)
        self._filter: OffsetSkew | None = None
        self._bound_sd_s = 0.0
        self._conflicts = self._late = 0

    @property
    def reading(self) -> ClockReading:
        estimate = self._filter
        return ClockReading(
            skew_ppm=1e6 * estimate.skew if estimate else 0.0,
            skew_sd_ppm=1e6 * sqrt(estimate.skew_variance) if estimate else 1e6 * MAX_SKEW,
            uncertainty_s=self._last.uncertainty_s,
            pings=self._replies.count,
            conflicts=self._conflicts,
            jumps=self._jumps,
        )

    def push(self, device_s: float, arrival_s: float) -> HostTime:
        """A frame whose last sample was taken at `device_s` has arrived."""
        ahead_s = arrival_s - device_s
        early_s = self._filter.at(device_s) - ahead_s if self._filter else 0.0
        if early_s > self._params.early_s or self._late >= self._params.late_blocks:
            self._jump(abs(early_s))
        if self._arrivals.push(device_s, ahead_s):
            self._measure(device_s)
        mapped = self.at(device_s)
        host_s = max(min(mapped.host_s, arrival_s), self._last.host_s)
        self._last = HostTime(host_s, mapped.uncertainty_s)
        return self._last

    def ping(self, ping: Ping) -> None:
        """TIME_SYNC: the pen had the question after it was sent, and answered before the answer was here."""
        self._sent.push(ping.device_rx_s, ping.device_rx_s - ping.sent_s)
        self._replies.push(ping.device_tx_s, ping.received_s - ping.device_tx_s)

    def at(self, device_s: float) -> HostTime:
        """Any moment of this boot as it looks now; `push` must have been called."""
        filter_sd_s = sqrt(self._filter.variance_at(device_s)) if self._filter else self._params.first_sd_s
        uncertainty_s = hypot(filter_sd_s, self._bound(), self._doubt_s)
        return HostTime(device_s + self._offset(device_s), uncertainty_s)

    def _offset(self, device_s: float) -> float:
        return self._filter.at(device_s) if self._filter else self._arrivals.line.at(device_s)

    @property
    def _pinged(self) -> bool:
        return self._replies.count >= self._params.min_pings

    def _measure(self, device_s: float) -> None:
        """Once a block."""
        self._doubt_s *= 0.8
        if self._filter is None:
            first_s = self._arrivals.line.at(device_s)
            self._filter = OffsetSkew(self._filter_params, device_s, first_s, self._params.offset_sd_s)
        estimate = self._filter
        estimate.move_to(device_s)
        line = (self._replies if self._pinged else self._arrivals).line
        if line.length_s > 0.0:
            touch_sd_s = self._params.touch_sd_s + (0.0 if self._pinged else self._bound())
            slope_sd = max(touch_sd_s / line.length_s, self._params.least_slope_sd)
            estimate.see_skew(line.slope, slope_sd)
        offset_s = (
            self._between(device_s, estimate.skew) if self._pinged else self._arrivals.line.at(device_s)
        )
        estimate.see_offset(offset_s, self._params.offset_sd_s)
        behind_s = self._arrivals.newest_s - estimate.at(device_s)
        self._late = self._late + 1 if behind_s > self._params.late_s else 0
        if behind_s > self._params.early_s:
            self._doubt_s = max(self._doubt_s, behind_s)

    def _between(self, device_s: float, skew: float) -> float:
        """The offset between the bounds: what was sent lies before, what has arrived behind."""
        since_s = device_s - self._params.ping_window_s
        upper_s = self._arrivals.touch(skew, since_s).at(device_s)
        lower_s = -self._sent.touch(-skew, since_s).at(device_s)
        room_s = upper_s - lower_s
        if room_s < 0.0:
            self._conflicts += 1
            self._bound_sd_s = -room_s
            return upper_s
        usual_s = 2.0 * self._sent.excess_s / min(self._sent.count, self._params.ping_window_s)
        above_s = min(0.5 * room_s, usual_s + self._params.least_delay_s)
        self._bound_sd_s = above_s
        return lower_s + above_s

    def _bound(self) -> float:
        """What the bounds leave open (s); without TIME_SYNC half of the usual delay may be in each frame."""
        if self._pinged and self._filter:
            return self._bound_sd_s
        seen = self._arrivals
        return max(0.0, 0.5 * seen.excess_s - seen.sweep_s) * OF_A_RANGE

    def _jump(self, by_s: float) -> None:
        self._jumps += 1
        self._begin()
        self._doubt_s = by_s
