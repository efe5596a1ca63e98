"""A simulated pen and link for the study of clocks: what arrives when, and when it was really sampled.

A crystal that is off by a constant and by a slowly walking temperature; packets that wait for the next
connection event, for retransmissions and for a host that stalls. Nothing here was measured on a radio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.stream.clock import Ping

FIRST_PINGS = 20

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Link:
    """interval_s: connection interval; repeat: chance that a transmission is lost and made again."""

    interval_s: float = 0.030
    repeat: float = 0.10
    least_s: float = 0.0005
    host_s: float = 0.0015
    stall_every_s: float = 20.0
    stall_s: tuple[float, float] = (0.05, 0.4)
    ping_every_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Crystal:
    """ppm: constant error; walk_ppm: standard deviation of the slow walk around it; memory_s: how slow."""

    ppm: float = 35.0
    walk_ppm: float = 1.8
    memory_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Stream:
    """One packet in each row. device_s: stated time of its last sample; true_s: when that was on the host's
    clock; arrival_s: when the host had it.
    """

    device_s: Seconds
    true_s: Seconds
    arrival_s: Seconds
    pings: tuple[Ping, ...] = ()


LINKS = {
    "30 ms": Link(),
    "15 ms": Link(interval_s=0.015),
    "50 ms, 25 % again": Link(interval_s=0.050, repeat=0.25),
}


def simulated(
    link: Link,
    seed: int,
    *,
    minutes: float = 30.0,
    rate_hz: float = 100.0,
    batch: int = 8,
    crystal: Crystal | None = None,
) -> Stream:
    """Packets of one boot, in order of arrival."""
    rng = np.random.default_rng(seed)
    n = int(minutes * 60 * rate_hz / batch)
    device_s = np.arange(n) * (batch / rate_hz)
    true_s = rng.uniform(0, 1) + _elapsed(device_s, crystal or Crystal(), rng)
    sent_s = _sent(true_s, link, rng)
    arrival_s = _stalled(sent_s + link.least_s + rng.exponential(link.host_s, n), link, rng)
    stated_s = np.round(device_s * 1e6) / 1e6
    arrival_s = np.maximum.accumulate(arrival_s)
    return Stream(stated_s, true_s, arrival_s, _pings(link, device_s, true_s, rng))


def _pings(link: Link, device_s: Seconds, true_s: Seconds, rng: np.random.Generator) -> tuple[Ping, ...]:
    """One every `ping_every_s` or so: each way waits for an event of the connection, like everything else."""
    if not link.ping_every_s:
        return ()
    first = FIRST_PINGS * 0.1
    n = int((true_s[-1] - true_s[0] - first) / link.ping_every_s)
    wait_s = np.concatenate((np.full(FIRST_PINGS, 0.1), np.full(n, link.ping_every_s)))
    sent_s = true_s[0] + np.cumsum(wait_s) - rng.uniform(0, 0.5, len(wait_s)) * wait_s
    n = len(sent_s)
    met_s = _sent(sent_s + rng.exponential(link.host_s, n), link, rng) + link.least_s
    answered_s = met_s + 0.0002
    received_s = _sent(answered_s, link, rng) + link.least_s + rng.exponential(link.host_s, n)
    received_s = _stalled(received_s, link, rng)
    rx_s, tx_s = (np.interp(t, true_s, device_s) for t in (met_s, answered_s))
    inside = received_s < true_s[-1]
    return tuple(Ping(*map(float, row)) for row in np.column_stack((sent_s, rx_s, tx_s, received_s))[inside])


def _elapsed(device_s: Seconds, crystal: Crystal, rng: np.random.Generator) -> Seconds:
    """Host seconds at each device time: the rate error is a constant and a first-order random walk."""
    step_s = device_s[1] - device_s[0]
    keep = np.exp(-step_s / crystal.memory_s)
    kicks = rng.normal(0, np.sqrt(1 - keep**2), len(device_s))
    walk, state = np.empty(len(device_s)), rng.normal()
    for k, kick in enumerate(kicks):
        state = keep * state + kick
        walk[k] = state
    ppm = crystal.ppm + crystal.walk_ppm * walk
    return device_s + np.concatenate(([0.0], np.cumsum(ppm[:-1]))) * step_s * 1e-6


def _sent(ready_s: Seconds, link: Link, rng: np.random.Generator) -> Seconds:
    """The connection event that carries each packet: the next free one, and one more for each repetition."""
    again = rng.geometric(1.0 - link.repeat, len(ready_s)) - 1
    phase_s = rng.uniform(0, link.interval_s)
    due = np.ceil((ready_s - phase_s) / link.interval_s).astype(np.int64)
    event, last = np.empty(len(due), dtype=np.int64), -1
    for k in range(len(due)):
        last = max(int(due[k]), last) + int(again[k])
        event[k] = last
    return phase_s + event * link.interval_s


def _stalled(arrival_s: Seconds, link: Link, rng: np.random.Generator) -> Seconds:
    """What comes while the host stalls is seen when it goes on."""
    arrival_s = arrival_s.copy()
    for start_s in np.arange(rng.uniform(0, link.stall_every_s), arrival_s[-1], link.stall_every_s):
        end_s = start_s + rng.uniform(*link.stall_s)
        seen = (arrival_s >= start_s) & (arrival_s < end_s)
        arrival_s[seen] = end_s
    return arrival_s
