"""An hour of streaming at 400 Hz x 13 channels over the simulated radio: nothing lost, memory flat.

Half a minute of samples here, the whole hour with PENAPP_SOAK=1; as fast as Bumble goes, not in real time.
"""

from __future__ import annotations

import time
import zlib

import numpy as np

from penapp.device.virtual_ble.source import VirtualBlePenSource
from penapp.live import LinkState, LiveSession
from tests.device.toy_pens import EventLog, ToyPipeline
from tests.live.test_long_streams import FLAT_MB, RATE_HZ, SAMPLES, WARM_UP, CountedInk, resident_mb


class WatchedBle(VirtualBlePenSource):
    """Adds up what arrived, and looks at the memory of this program now and then."""

    def __init__(self, ink: CountedInk) -> None:
        super().__init__(ink, speed=None)
        self.arrived, self.samples, self.memory_mb = 0, 0, []

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
            yield batch


def test_a_long_stream_over_the_simulated_radio_arrives_whole_and_in_flat_memory(tmp_path, report):
    ink = CountedInk(SAMPLES)
    source = WatchedBle(ink)
    session = LiveSession(source, ToyPipeline, record_to=tmp_path / "long.pen", on_event=EventLog())
    started, cpu = time.perf_counter(), time.process_time()
    session.start()
    assert session.wait(1800.0)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    status = session.status()
    session.stop()
    assert session.error is None
    assert (source.samples, source.arrived) == (SAMPLES, ink.sent)
    assert (status.link, status.lost, status.damaged_frames) == (LinkState.ENDED, 0, 0)
    memory = np.array(source.memory_mb)
    stray, trend = np.abs(memory - np.median(memory)).max(), memory[-5:].mean() - memory[:5].mean()
    report(
        f"BLE through Bumble: {SAMPLES / RATE_HZ / 60:.1f} min at 400 Hz x 13 in {seconds:.1f} s, 0 lost, "
        f"memory +-{stray:.2f} MB (end less beginning {trend:+.2f}), "
        f"{100 * cpu * RATE_HZ / SAMPLES:.2f} % of a core (both ends)"
    )
    assert stray <= FLAT_MB
