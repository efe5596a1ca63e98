"""The pen as LSL streams: 13 channels in SI units, and the committed words as text markers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from firmware_protocol.descriptor import Descriptor
from penapp.device.source import ArrivedFrame
from penapp.lsl.arrival import ArrivalClock
from penapp.lsl.channels import LABELS, TYPES, UNITS
from penapp.lsl.library import load_pylsl
from penapp.stream.assemble import StreamAssembler
from penapp.stream.block import CHANNEL_COUNT, SampleBlock
from penapp.stream.layout import ChannelLayout

LINGER_S = 0.5
SIGNAL_TYPE, TEXT_TYPE = "Pen", "Markers"


class LslOutlet:
    """Streams `NAME` (float32, NaN where the pen has no such channel) and `NAME text` (one word a marker).

    begin: the pen is known; push: frames as they arrived; word: a committed word that ended at pen time
    `end_t`; close: the streams are gone. push and word may be called from different threads.
    Stamps are LSL's clock: the pen's own, laid under the arrivals. Raises `LslMissingError`.
    """

    def __init__(self, name: str = "penapp") -> None:
        self.name = name
        self._pylsl = load_pylsl()
        self._signals: Any = None
        self._text: Any = None
        self._clock = ArrivalClock()
        self._assembler: StreamAssembler | None = None
        self._segment = 0
        self._last_stamp = 0.0
        self._to_lsl_s = _host_to_lsl(self._pylsl)

    def begin(self, descriptor: Descriptor) -> None:
        """Make the streams; a pen that comes back keeps them."""
        self._assembler = StreamAssembler(descriptor)
        self._segment = 0
        self._clock.reset()
        if self._signals is None:
            self._signals = self._pylsl.StreamOutlet(self._signal_info(descriptor))
            self._text = self._pylsl.StreamOutlet(self._text_info())

    def push(self, batch: Sequence[ArrivedFrame]) -> None:
        if self._assembler is None:
            return
        for arrived in batch:
            for block in self._assembler.push(arrived.frame):
                self._send(block, arrived.arrival_ns or time.perf_counter_ns())

    def word(self, text: str, end_t: float) -> None:
        if self._text is not None:
            self._text.push_sample([text], self._clock.at(end_t) + self._to_lsl_s)

    def close(self) -> None:
        """Listeners get the last word first: LSL drops what is on its way when an outlet goes."""
        if self._text is not None and (self._text.have_consumers() or self._signals.have_consumers()):
            time.sleep(LINGER_S)
        self._signals = self._text = self._assembler = None

    def _send(self, block: SampleBlock, arrival_ns: int) -> None:
        if self._assembler is not None and self._assembler.counters.segments != self._segment:
            self._segment = self._assembler.counters.segments
            self._clock.reset()
        offset_s = self._clock.push(float(block.t[-1]), arrival_ns / 1e9)
        stamps = block.t + offset_s + self._to_lsl_s
        stamps = np.maximum(stamps, self._last_stamp + 1e-6 * np.arange(1, len(stamps) + 1))
        self._last_stamp = float(stamps[-1])
        values = np.where(block.valid, block.values, np.float32(np.nan))
        self._signals.push_chunk(values, stamps.tolist())

    def _signal_info(self, descriptor: Descriptor) -> Any:
        layout = ChannelLayout.of(descriptor)
        rate_hz = layout.stream.rate_hz
        kind = self._pylsl.cf_float32
        info = self._pylsl.StreamInfo(
            self.name, SIGNAL_TYPE, CHANNEL_COUNT, rate_hz, kind, descriptor.device_id.hex()
        )
        specs = {
            int(t): layout.stream.channels[int(s)] for s, t in zip(layout.source, layout.target, strict=True)
        }
        channels = info.desc().append_child("channels")
        for column, (label, unit, quantity) in enumerate(zip(LABELS, UNITS, TYPES, strict=True)):
            channel = channels.append_child("channel")
            fields = {"label": label, "unit": unit, "type": quantity}
            fields["measured"] = "yes" if column in specs else "no"
            if column in specs:
                fields["scale"] = f"{specs[column].scale:.9g}"
                fields["full_scale"] = f"{specs[column].full_scale:.9g}"
            for name, value in fields.items():
                channel.append_child_value(name, value)
        pen = info.desc().append_child("pen")
        pen.append_child_value("name", descriptor.name)
        pen.append_child_value("firmware", descriptor.firmware)
        return info

    def _text_info(self) -> Any:
        pylsl = self._pylsl
        info = pylsl.StreamInfo(
            f"{self.name} text", TEXT_TYPE, 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"{self.name}-text"
        )
        info.set_channel_labels(["word"])
        return info


def _host_to_lsl(pylsl: Any) -> float:
    """Seconds from `perf_counter` to LSL's clock: both are monotonic, one careful look is enough."""
    looks: list[tuple[float, float]] = []
    for _ in range(5):
        before = time.perf_counter()
        lsl = pylsl.local_clock()
        after = time.perf_counter()
        looks.append((after - before, lsl - 0.5 * (before + after)))
    return min(looks)[1]
