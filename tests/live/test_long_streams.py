"""An hour of streaming at 400 Hz x 13 channels: nothing is lost that was not taken away, memory stays flat.

Half a minute of samples here, the whole hour with PENAPP_SOAK=1; as fast as the carrier goes, not in real
time. Flat: no reading after the warm-up is further than 2 MB from their median.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.descriptor import standard_descriptor
from penapp.device.carrier import PtyCarrier, TcpCarrier
from penapp.device.far_end import VirtualPen
from penapp.device.serial_source import SerialSource
from penapp.device.virtual import VirtualPenSource
from penapp.live import LinkState, LiveSession, TextCommitted
from penapp.pipeline import default_pipeline
from penapp.simulation.sources import DemoSource
from tests.device.toy_pens import EventLog, ToyPipeline

SOAK = os.environ.get("PENAPP_SOAK") == "1"
RATE_HZ = 400.0
SAMPLES = int((3600 if SOAK else 30) * RATE_HZ)
WARM_UP = SAMPLES // 6
FLAT_MB = 2.0 if SOAK else 8.0
"""In half a minute the ring of the strips is still being filled."""


class CountedInk:
    """Samples that are checked at the other end: channels 0 and 1 count them, the rest is noise."""

    def __init__(self, n: int, rate_hz: float = RATE_HZ) -> None:
        self.descriptor = standard_descriptor(rate_hz, boot_id=1, name="counting pen")
        self.n, self.at = n, 0
        self.noise = np.random.default_rng(5).integers(-9000, 9000, (4096, 13), dtype=np.int16)
        self.noise[:, 12] = 0
        self.sent = 0

    def read(self, n: int):
        if self.at >= self.n:
            return None
        at = np.arange(self.at, min(self.at + n, self.n))
        counts = self.noise[at % len(self.noise)].copy()
        counts[:, 0], counts[:, 1] = at % 30_000, at // 30_000
        self.at += len(at)
        self.sent = zlib.crc32(np.ascontiguousarray(counts, dtype="<i2").tobytes(), self.sent)
        return counts


class Watched(SerialSource):
    """Adds up what arrived, and looks at the memory of this program now and then."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.arrived, self.samples, self.memory_mb = 0, 0, []
        self.whole = threading.Event()

    async def frames(self):
        seen = 0
        async for batch in super().frames():
            for arrived in batch:
                self.arrived = zlib.crc32(arrived.frame.payload, self.arrived)
                self.samples += arrived.frame.n
            if self.samples - seen >= SAMPLES // 60:
                seen = self.samples
                if self.samples >= WARM_UP:
                    self.memory_mb.append(resident_mb())
            if self.samples >= SAMPLES:
                self.whole.set()
            yield batch


def resident_mb() -> float:
    if not sys.platform.startswith("linux"):
        return 0.0
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.parametrize("carrier", [PtyCarrier, TcpCarrier])
def test_a_long_stream_arrives_whole_and_in_flat_memory(carrier, tmp_path, report):
    ink = CountedInk(SAMPLES)
    seen = EventLog()
    pen = VirtualPen(ink, speed=None, carrier=carrier())
    source = Watched(pen.address)
    session = LiveSession(source, ToyPipeline, record_to=tmp_path / "long.pen", on_event=seen)
    started, cpu = time.perf_counter(), time.process_time()
    session.start()
    assert source.whole.wait(1200.0), seen.events[-5:]
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    status = session.status()
    session.stop()
    pen.unplug()
    assert session.error is None
    assert (source.samples, source.arrived) == (SAMPLES, ink.sent)
    assert (status.link, status.lost, status.damaged_frames) == (LinkState.STREAMING, 0, 0)
    memory = np.array(source.memory_mb)
    stray, trend = np.abs(memory - np.median(memory)).max(), memory[-5:].mean() - memory[:5].mean()
    per_pen = 100 * cpu * RATE_HZ / SAMPLES
    report(
        f"{carrier.__name__}: {SAMPLES / RATE_HZ / 60:.1f} min at 400 Hz x 13 in {seconds:.1f} s, 0 lost, "
        f"memory +-{stray:.2f} MB (end less beginning {trend:+.2f}), {per_pen:.2f} % of a core (both ends)"
    )
    assert stray <= FLAT_MB


class Writing:
    """The demo's sentences over and over, for a given number of samples."""

    def __init__(self, n: int) -> None:
        self._demo, self._left = DemoSource(RATE_HZ), n
        self.descriptor = self._demo.descriptor

    def read(self, n: int):
        if not self._left:
            return None
        counts = self._demo.read(min(n, self._left))
        self._left -= len(counts)
        return counts


def test_long_writing_goes_through_the_whole_chain_in_flat_memory(report):
    """Medians over fifths of the run: the pen's physics, in this program too, takes and returns some MB."""
    words, memory = [], []

    def on_event(event):
        if isinstance(event, TextCommitted):
            words.append(len(event.hypothesis.text))
            memory.append(resident_mb())

    samples = SAMPLES if SOAK else SAMPLES // 2
    session = LiveSession(VirtualPenSource(Writing(samples), speed=None), default_pipeline, on_event=on_event)
    started = time.perf_counter()
    session.start()
    assert session.wait(3000.0)
    session.stop()
    seconds, status = time.perf_counter() - started, session.status()
    assert (session.error, status.samples, status.lost) == (None, samples, 0)
    assert len(words) > samples / RATE_HZ / 5
    settled = np.array(memory[len(memory) // 6 :])
    parts = np.array([np.median(part) for part in np.array_split(settled, 5)])
    stray = np.abs(parts - np.median(parts)).max()
    report(
        f"whole chain: {samples / RATE_HZ / 60:.1f} min at 400 Hz in {seconds:.0f} s, {len(words)} words, "
        f"memory +-{stray:.2f} MB around {np.median(settled):.0f}"
    )
    assert stray <= FLAT_MB
