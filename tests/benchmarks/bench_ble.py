"""The virtual pen over BLE through Bumble beside the serial pty: ceiling, CPU at 400 Hz, freshness.

    python tests/benchmarks/bench_ble.py

Both ends run in this process: every figure holds pen, carrier and program together.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from penapp.device.virtual import VirtualPenSource
from penapp.device.virtual_ble.source import VirtualBlePenSource
from penapp.stream.assemble import StreamAssembler
from tests.benchmarks.bench_link import Noise

RATE_HZ = 400.0
UNPACED_SAMPLES = 60_000
PACED_S = 10
SOURCES = {"serial pty": VirtualPenSource, "BLE (Bumble)": VirtualBlePenSource}


async def run(source):
    """Seconds to open, seconds and CPU seconds while streaming, frames as they arrived, samples lost."""
    started = time.perf_counter()
    assembler = StreamAssembler(await source.open())
    opened_s = time.perf_counter() - started
    await source.start()
    started, cpu = time.perf_counter(), time.process_time()
    frames = []
    async for batch in source.frames():
        frames += batch
        for arrived in batch:
            assembler.push(arrived.frame)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    await source.stop()
    await source.close()
    assert assembler.counters.lost == 0
    return opened_s, seconds, cpu, frames, assembler.counters.samples


def ceiling(make) -> float:
    """Samples per second without a pace."""
    _, seconds, _, _, n = asyncio.run(run(make(Noise(UNPACED_SAMPLES, RATE_HZ), speed=None)))
    assert n == UNPACED_SAMPLES
    return n / seconds


def paced(name: str, make) -> float:
    """Per cent of a core at 400 Hz."""
    ink = Noise(int(PACED_S * RATE_HZ), RATE_HZ)
    opened_s, seconds, cpu, frames, n = asyncio.run(run(make(ink, speed=1.0)))
    last = np.array([a.frame.index + a.frame.n - 1 for a in frames])
    age_ms = (np.array([a.arrival_ns for a in frames]) - ink.taken_ns[last]) / 1e6
    p50, p99 = np.percentile(age_ms, [50, 99])
    percent = 100 * cpu / seconds
    print(
        f"{name}: open {1e3 * opened_s:.0f} ms, {n / seconds:.1f} Hz, 0 gaps, {percent:.1f} % of a core, "
        f"newest sample p50 {p50:.2f} ms, p99 {p99:.2f} ms old on arrival"
    )
    return percent


def main() -> None:
    rates = {name: ceiling(make) for name, make in SOURCES.items()}
    for name, rate in rates.items():
        print(f"{name}: ceiling {rate:,.0f} samples/s = {rate / RATE_HZ:.0f} x 400 Hz")
    percents = {name: paced(name, make) for name, make in SOURCES.items()}
    serial, ble = SOURCES
    print(
        f"BLE against serial in this run: ceiling x {rates[ble] / rates[serial]:.2f}, "
        f"CPU at 400 Hz x {percents[ble] / percents[serial]:.2f}"
    )


if __name__ == "__main__":
    main()
