"""The link, from the virtual pen through a real pty to SampleBlocks: speed, age of samples on arrival.

    python tests/benchmarks/bench_link.py

Baseline of the same run: the same frames decoded and assembled in memory, without port, threads and loop.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from firmware_protocol.descriptor import standard_descriptor
from firmware_protocol.framing import FrameDecoder, encode_frame, to_serial
from penapp.device.virtual import VirtualPenSource
from penapp.stream.assemble import StreamAssembler

SAMPLES = 120_000
FRESH = 800


class Noise:
    """A CountSource of random counts; `taken_ns` remembers when each sample was read from the sensors."""

    def __init__(self, n: int, rate_hz: float) -> None:
        self.descriptor = standard_descriptor(rate_hz)
        self.counts = np.random.default_rng(0).integers(-9000, 9000, (n, 13), dtype=np.int16)
        self.taken_ns = np.zeros(n, dtype=np.int64)
        self.at = 0

    def read(self, n: int):
        part = self.counts[self.at : self.at + n]
        self.taken_ns[self.at : self.at + len(part)] = time.perf_counter_ns()
        self.at += len(part)
        return part if len(part) else None


async def through_the_link(ink: Noise, speed: float | None):
    """Seconds, frames with their arrival, samples assembled."""
    source = VirtualPenSource(ink, speed=speed)
    assembler = StreamAssembler(await source.open())
    await source.start()
    started = time.perf_counter()
    frames = []
    async for batch in source.frames():
        frames += batch
        for arrived in batch:
            assembler.push(arrived.frame)
    seconds = time.perf_counter() - started
    await source.stop()
    await source.close()
    return seconds, frames, assembler.counters.samples


def in_memory(frames) -> float:
    """Seconds for the same frames without a link."""
    wire = [to_serial(encode_frame(a.frame)) for a in frames]
    decoder, assembler = FrameDecoder(), StreamAssembler(standard_descriptor(100.0))
    started = time.perf_counter()
    for item in wire:
        for frame in decoder.feed(item):
            assembler.push(frame)
    return time.perf_counter() - started


def main() -> None:
    seconds, frames, n = asyncio.run(through_the_link(Noise(SAMPLES, 100.0), None))
    base = in_memory(frames)
    rate = n / seconds
    print(f"unpaced: {n} samples in {seconds:.2f} s = {rate:,.0f} samples/s ({rate / 400:.0f} x 400 Hz)")
    print(f"baseline in memory: {n / base:,.0f} samples/s; the link costs a factor {seconds / base:.2f}")
    for rate_hz in (100.0, 400.0):
        ink = Noise(FRESH, rate_hz)
        _, frames, _ = asyncio.run(through_the_link(ink, 1.0))
        last = np.array([a.frame.index + a.frame.n - 1 for a in frames])
        age_ms = (np.array([a.arrival_ns for a in frames]) - ink.taken_ns[last]) / 1e6
        p50, p99 = np.percentile(age_ms, [50, 99])
        print(
            f"{rate_hz:.0f} Hz: newest sample of a frame is p50 {p50:.2f} ms, p99 {p99:.2f} ms old on arrival"
        )


if __name__ == "__main__":
    main()
