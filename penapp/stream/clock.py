"""What passes between a clock mapping and those who use it. Times are seconds; device times are unwrapped."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_SKEW = 300e-6
"""No quartz is worse; a line that is steeper follows delays, not a clock."""


@dataclass(frozen=True, slots=True)
class HostTime:
    """A moment of the pen on the host's clock.

    host_s:        seconds on the host's monotonic clock
    uncertainty_s: one standard deviation of `host_s`, without the least delay of the link itself
    """

    host_s: float
    uncertainty_s: float


@dataclass(frozen=True, slots=True)
class Ping:
    """One TIME_SYNC: sent and received on the host's clock, between them arrival and answer on the pen's."""

    sent_s: float
    device_rx_s: float
    device_tx_s: float
    received_s: float

    @property
    def round_trip_s(self) -> float:
        """On the way, both ways together, without the pen's own time."""
        return (self.received_s - self.sent_s) - (self.device_tx_s - self.device_rx_s)


@dataclass(frozen=True, slots=True)
class ClockReading:
    """How a clock stands.

    skew_ppm:      how much longer a second of the pen is than one of the host, in millionths
    skew_sd_ppm:   one standard deviation of it
    uncertainty_s: of the newest mapping; inf before the first one
    pings:         TIME_SYNC answers used
    conflicts:     answers that contradicted the arrivals: later than possible or earlier than sent
    jumps:         times the mapping had to begin again although the pen had not: a clock was set
    """

    skew_ppm: float = 0.0
    skew_sd_ppm: float = 1e6 * MAX_SKEW
    uncertainty_s: float = math.inf
    pings: int = 0
    conflicts: int = 0
    jumps: int = 0
