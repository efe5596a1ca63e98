"""Clocks: every way to map the pen's time to the host's, on the simulated links of the study.

    python tests/benchmarks/bench_clocks.py [seeds]

Baseline: recursive least squares with a half time of 90 s, what streaming libraries do. 30 minutes, 100 Hz,
8 samples a packet, +35 ppm with a temperature walk. No radio was measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from tests.stream.clock_methods import (
    Score,
    arrival,
    lower_envelope,
    nominal_rate,
    ordinary_least_squares,
    ours_live,
    ours_offline,
    recursive_least_squares,
    timed,
    with_pings,
)
from tests.stream.clock_study import LINKS, simulated

BASELINE = "least squares, 90 s"
PLAIN = {
    "arrival time": arrival,
    "nominal rate": nominal_rate,
    BASELINE: recursive_least_squares,
    "lower envelope, 120 s": lower_envelope,
    "ours, live": ours_live,
    "offline: least squares": ordinary_least_squares,
    "offline: ours": ours_offline,
}
PINGED = {"ours, live, TIME_SYNC": ours_live, "offline: ours, TIME_SYNC": ours_offline}
SETTLED_S = 480.0


def main(seeds: int = 5) -> None:
    for name in LINKS:
        whole: dict[str, list[Score]] = {}
        settled: dict[str, list[Score]] = {}
        cost: dict[str, list[float]] = {}
        for seed in range(seeds):
            for methods, stream in ((PLAIN, simulated(LINKS[name], seed)), (PINGED, with_pings(name, seed))):
                for method, call in methods.items():
                    host_s, cost_us = timed(call, stream)
                    whole.setdefault(method, []).append(Score.of(host_s, stream))
                    settled.setdefault(method, []).append(Score.of(host_s, stream, SETTLED_S))
                    cost.setdefault(method, []).append(cost_us)
        print(f"\nconnection interval {name}, {seeds} seeds; mean / sd / p99 in ms")
        print(f"{'':26}{'30 min':>22}{'after 8 min':>24}{'sd ratio':>10}{'us/packet':>11}")
        base = Score.average(whole[BASELINE]).sd
        for method, scores in whole.items():
            a, b = Score.average(scores), Score.average(settled[method])
            print(
                f"{method:26}{a.mean:8.2f}{a.sd:7.2f}{a.p99:7.2f}  {b.mean:8.2f}{b.sd:7.2f}{b.p99:7.2f}"
                f"{a.sd / base:10.2f}{np.mean(cost[method]):11.1f}"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
