"""The pen's clock on the host's, with the whole recording at hand: one fit for each boot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, inf, sqrt

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError
from penapp.stream.clock import Ping
from penapp.stream.clock_bend import bent_envelope
from penapp.stream.clock_envelope import edge_over, lower_hull, touching

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OfflineClockParams:
    """How a whole recording is read.

    block_s:       of each such block only the shortest delay counts
    knot_s:        temperature may bend the clock every so often, or every half beat if that is longer
    beats:         rounds of the beat between samples and radio that must be there before a bend is believed
    min_pings:     as many TIME_SYNC answers are believed
    least_delay_s: nothing is faster than this
    """

    block_s: float = 2.0
    knot_s: float = 150.0
    beats: float = 3.5
    min_pings: int = 16
    least_delay_s: float = 0.0005


@dataclass(frozen=True, slots=True)
class OfflineClock:
    """host time = device time + ahead, `ahead_s` straight between the knots. Times in seconds.

    uncertainty_s: one standard deviation, without the least delay of the link itself
    bent:          whether temperature is followed, or one straight line is all that the delays allow
    """

    knots_s: Seconds
    ahead_s: Seconds
    uncertainty_s: float
    bent: bool

    @property
    def skew_ppm(self) -> float:
        """Mean over the recording: how much longer a second of the pen is than one of the host."""
        span_s = self.knots_s[-1] - self.knots_s[0]
        return float(1e6 * (self.ahead_s[-1] - self.ahead_s[0]) / span_s) if span_s else 0.0

    def at(self, device_s: Seconds) -> Seconds:
        """(n,) device seconds -> (n,) host seconds; rising, beyond the ends by the mean slope."""
        device_s = np.asarray(device_s, dtype=np.float64)
        outside_s = device_s - np.clip(device_s, self.knots_s[0], self.knots_s[-1])
        inside = np.interp(device_s, self.knots_s, self.ahead_s)
        host_s: Seconds = device_s + inside + outside_s * self.skew_ppm * 1e-6
        return host_s


def fit_clock(
    device_s: Seconds,
    arrival_s: Seconds,
    pings: Sequence[Ping] = (),
    params: OfflineClockParams | None = None,
) -> OfflineClock:
    """The clock of one boot from its frames: when the last sample was taken (pen), when it arrived (host).

    device_s, arrival_s: (n,) seconds, device_s rising. Raises `BadInputError` where that is not so.
    """
    params = params or OfflineClockParams()
    device_s, arrival_s = np.asarray(device_s, np.float64), np.asarray(arrival_s, np.float64)
    _check(device_s, arrival_s)
    if len(pings) < params.min_pings:
        return _fit(device_s, arrival_s - device_s, params, beats=params.beats)
    rx_s, tx_s, sent_s, received_s = np.array(
        [(p.device_rx_s, p.device_tx_s, p.sent_s, p.received_s) for p in pings]
    ).T
    shape = _fit(tx_s, received_s - tx_s, params, beats=0.0)
    upper = float(np.min(arrival_s - shape.at(device_s)))
    below_s = sent_s - shape.at(rx_s)
    lower = float(np.max(below_s))
    usual_s = 2.0 * float(np.mean(lower - below_s)) / len(pings)
    above_s = min(0.5 * (upper - lower), usual_s + params.least_delay_s)
    ahead_s = shape.ahead_s + lower + above_s
    return OfflineClock(shape.knots_s, ahead_s, hypot(above_s, usual_s), shape.bent)


def _fit(x_s: Seconds, y_s: Seconds, params: OfflineClockParams, *, beats: float) -> OfflineClock:
    """The envelope below a cloud of delays: straight, or bent where that can be told from a beat."""
    points = _block_minima(x_s, y_s, params.block_s)
    line = edge_over(lower_hull(points), float(np.mean(x_s)))
    if not line.length_s and len(points) > 1:
        line = touching(points, line.slope)
    height_s = y_s - line.y_s - line.slope * (x_s - line.x_s)
    usual_s = 0.5 * float(np.median(height_s))
    beat_s = 0.0
    if beats:
        beat_s = usual_s / abs(line.slope) if line.slope else inf
    span_s = float(x_s[-1] - x_s[0])
    ends = np.array([x_s[0], x_s[-1]])
    if span_s <= max(beats * beat_s, 2 * params.knot_s):
        swept = span_s / (beats * beat_s) if beats else 1.0
        left_open_s = usual_s * min(max(0.1, 1.0 - swept), 1.0)
        return OfflineClock(ends, line.y_s + line.slope * (ends - line.x_s), left_open_s / sqrt(3.0), False)
    knots = np.linspace(ends[0], ends[1], 1 + max(1, round(span_s / max(params.knot_s, 0.5 * beat_s))))
    x, y = np.array(points).T
    bend_s = bent_envelope(x, y - line.y_s - line.slope * (x - line.x_s), knots)
    ahead_s = line.y_s + line.slope * (knots - line.x_s) + bend_s
    return OfflineClock(knots, ahead_s, hypot(params.least_delay_s, 0.05 * usual_s), True)


def _block_minima(x_s: Seconds, y_s: Seconds, block_s: float) -> list[tuple[float, float]]:
    block = ((x_s - x_s[0]) // block_s).astype(np.int64)
    edges = np.concatenate(([0], np.flatnonzero(np.diff(block)) + 1, [len(x_s)]))
    at = [a + int(np.argmin(y_s[a:b])) for a, b in pairwise(edges)]
    return [(float(x_s[k]), float(y_s[k])) for k in at]


def _check(device_s: Seconds, arrival_s: Seconds) -> None:
    if device_s.shape != arrival_s.shape or device_s.ndim != 1 or not len(device_s):
        raise BadInputError(
            f"a clock needs two rows of times of one length, found {device_s.shape} and {arrival_s.shape}."
        )
    if (np.diff(device_s) <= 0).any() or not (np.isfinite(device_s) & np.isfinite(arrival_s)).all():
        raise BadInputError(
            "the pen's times of one boot do not rise, or are no numbers: this is no single boot.",
            advice="Fit each segment by itself.",
        )
