"""Ways to turn the times of arriving packets into host times, ours and the usual ones, and their score."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from penapp.stream.clock_live import LiveClock
from penapp.stream.clock_offline import fit_clock
from tests.stream.clock_study import LINKS, Seconds, Stream, simulated


@dataclass(frozen=True, slots=True)
class Score:
    """Error of the host time of a packet, ms: mean, standard deviation, 99 % of |error - mean|."""

    mean: float
    sd: float
    p99: float

    @staticmethod
    def of(host_s: Seconds, stream: Stream, since_s: float = 0.0) -> Score:
        error = 1e3 * (host_s - stream.true_s)[stream.device_s >= since_s]
        centred = error - error.mean()
        return Score(float(error.mean()), float(error.std()), float(np.percentile(np.abs(centred), 99)))

    @staticmethod
    def average(scores: list[Score]) -> Score:
        return Score(
            float(np.mean([abs(s.mean) for s in scores])),
            float(np.mean([s.sd for s in scores])),
            float(np.mean([s.p99 for s in scores])),
        )


def arrival(stream: Stream) -> Seconds:
    return stream.arrival_s


def nominal_rate(stream: Stream) -> Seconds:
    return stream.arrival_s[0] + stream.device_s - stream.device_s[0]


def recursive_least_squares(stream: Stream, half_s: float = 90.0) -> Seconds:
    """Offset and rate with exponential forgetting."""
    forget = 0.5 ** ((stream.device_s[1] - stream.device_s[0]) / half_s)
    state, cov = np.array([stream.arrival_s[0], 1.0]), np.diag([1e3, 1e3])
    host = np.empty(len(stream.device_s))
    for k, (x, y) in enumerate(zip(stream.device_s, stream.arrival_s, strict=True)):
        row = np.array([1.0, x])
        spread = cov @ row
        gain = spread / (forget + row @ spread)
        state = state + gain * (y - row @ state)
        cov = (cov - np.outer(gain, spread)) / forget
        host[k] = row @ state
    return host


def lower_envelope(stream: Stream, window_s: float = 120.0) -> Seconds:
    """The shortest delay of the last two minutes, at the rate of the crystal as it truly is on average."""
    rate = np.polyfit(stream.device_s, stream.true_s, 1)[0]
    ahead = stream.arrival_s - rate * stream.device_s
    n = round(window_s / (stream.device_s[1] - stream.device_s[0]))
    padded = np.concatenate((np.full(n - 1, np.inf), ahead))
    return rate * stream.device_s + np.lib.stride_tricks.sliding_window_view(padded, n).min(axis=1)


def ordinary_least_squares(stream: Stream) -> Seconds:
    ahead = np.polyfit(stream.device_s, stream.arrival_s - stream.device_s, 1)
    return stream.device_s + np.polyval(ahead, stream.device_s)


def live(stream: Stream) -> tuple[Seconds, Seconds, LiveClock]:
    """Host times, their uncertainties, and the clock at the end."""
    clock = LiveClock()
    pings = sorted(stream.pings, key=lambda p: p.received_s, reverse=True)
    mapped = []
    for device_s, arrival_s in zip(stream.device_s.tolist(), stream.arrival_s.tolist(), strict=True):
        while pings and pings[-1].received_s <= arrival_s:
            clock.ping(pings.pop())
        mapped.append(clock.push(device_s, arrival_s))
    host = np.array([m.host_s for m in mapped])
    return host, np.array([m.uncertainty_s for m in mapped]), clock


def ours_live(stream: Stream) -> Seconds:
    return live(stream)[0]


def ours_offline(stream: Stream) -> Seconds:
    return fit_clock(stream.device_s, stream.arrival_s, stream.pings).at(stream.device_s)


def with_pings(name: str, seed: int, **options) -> Stream:
    """A stream of the study with TIME_SYNC once a second."""
    return simulated(replace(LINKS[name], ping_every_s=1.0), seed, **options)


def timed(method, stream: Stream) -> tuple[Seconds, float]:
    """Host times, and microseconds a packet."""
    started = time.process_time()
    host = method(stream)
    return host, 1e6 * (time.process_time() - started) / len(host)
