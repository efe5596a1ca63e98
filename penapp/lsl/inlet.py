"""Any LSL stream that fits as a `PenSource`: `lsl:NAME`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.channels import Descriptor, clipped_rows
from firmware_protocol.framing import Flag, Frame, FrameType
from penapp.device.diagnosis import no_samples
from penapp.device.errors import PenLostError
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.errors import DeviceError
from penapp.lsl.find import find_stream, read_facts
from penapp.lsl.fit import LslFit, fit
from penapp.lsl.library import load_pylsl
from penapp.lsl.stamps import StampIndex

SCHEME = "lsl:"
FIND_S = 3.0
PULL_S = 0.1
SILENCE_S = 2.0
MAX_SAMPLES = 512
FRAME_SAMPLES = 8


class LslSource:
    """See `PenSource`. Samples without a number in a channel (NaN) count as lost: nothing is made up."""

    def __init__(self, name: str, *, find_s: float = FIND_S, silence_s: float = SILENCE_S) -> None:
        self.name = f"{SCHEME}{name}"
        self._stream_name = name
        self._find_s, self._silence_s = find_s, silence_s
        self._inlet: Any = None
        self._fit: LslFit | None = None
        self._stamps: StampIndex | None = None
        self._pulling: asyncio.Task[Any] | None = None
        self._stopped = False
        self._seq = 0
        self._received_bytes = self._frames_seen = 0

    @property
    def counters(self) -> LinkCounters:
        return LinkCounters(self._received_bytes, self._frames_seen)

    async def open(self) -> Descriptor:
        """Find the stream and see whether it fits; raises `LslMissingError`, `LslStreamError`."""
        self._pulling = asyncio.create_task(asyncio.to_thread(self._connect))
        found: LslFit = await asyncio.shield(self._pulling)
        self._fit = found
        return found.descriptor

    async def start(self) -> None:
        """Samples are kept from here on."""
        inlet, found = self._opened()
        self._stopped = False
        self._stamps = StampIndex(found.descriptor.streams[0].rate_hz)
        self._pulling = asyncio.create_task(asyncio.to_thread(inlet.open_stream, self._find_s))
        try:
            await asyncio.shield(self._pulling)
        except RuntimeError as error:
            raise self._lost() from error

    async def frames(self) -> AsyncIterator[list[ArrivedFrame]]:
        """See `PenSource`."""
        inlet, found = self._opened()
        patience_until_s: float | None = time.monotonic() + self._silence_s
        while not self._stopped:
            self._pulling = asyncio.create_task(asyncio.to_thread(_pull, inlet))
            try:
                values, stamps = await asyncio.shield(self._pulling)
            except RuntimeError as error:
                raise self._lost() from error
            if len(stamps):
                patience_until_s = None
                arrival_ns = time.perf_counter_ns()
                yield [ArrivedFrame(frame, arrival_ns) for frame in self._frames_of(found, values, stamps)]
            elif patience_until_s is not None and time.monotonic() > patience_until_s:
                raise no_samples(self.name, self._silence_s)

    async def stop(self) -> None:
        self._stopped = True

    async def close(self) -> None:
        """Returns when no thread uses the inlet any more."""
        self._stopped = True
        if self._pulling is not None:
            pulling, self._pulling = self._pulling, None
            await asyncio.wait([pulling])
            if not pulling.cancelled():
                pulling.exception()  # seen already, or of no use to anybody
        inlet, self._inlet = self._inlet, None
        if inlet is not None:
            await asyncio.to_thread(inlet.close_stream)

    def _connect(self) -> LslFit:
        pylsl = load_pylsl()
        info = find_stream(pylsl, self._stream_name, self._find_s)
        inlet = pylsl.StreamInlet(info, max_buflen=30, recover=False)
        self._inlet = inlet
        try:
            return fit(read_facts(pylsl, inlet.info(self._find_s)))
        except RuntimeError as error:
            raise self._lost() from error

    def _opened(self) -> tuple[Any, LslFit]:
        if self._inlet is None or self._fit is None:
            raise DeviceError(f"{self.name} is not open.")
        return self._inlet, self._fit

    def _frames_of(
        self, found: LslFit, values: NDArray[np.float64], stamps: NDArray[np.float64]
    ) -> list[Frame]:
        """(n, all columns) in the stream's units -> DATA frames."""
        if self._stamps is None:
            raise DeviceError("frames() before start().")
        stream = found.descriptor.streams[0]
        index, t_us = self._stamps.push(stamps)
        self._received_bytes += values.nbytes
        chosen = values[:, found.columns] * found.factors
        there = np.isfinite(chosen).all(axis=1)
        index, t_us, chosen = index[there], t_us[there], chosen[there]
        scaled = np.rint(chosen / stream.scale_row)
        counts = np.clip(scaled, -stream.limit_row, stream.limit_row).astype("<i2")
        clipped = clipped_rows(counts, stream)
        return [
            self._frame(
                counts[part], int(index[part.start]), int(t_us[part.start]), bool(clipped[part].any())
            )
            for part in _runs(index)
        ]

    def _frame(self, counts: NDArray[np.int16], index: int, t_us: int, clipped: bool) -> Frame:
        seq, self._seq = self._seq, (self._seq + 1) & 0xFFFF
        self._frames_seen += 1
        flags = Flag.CLIPPED if clipped else Flag.NONE
        return Frame(
            FrameType.DATA,
            seq,
            0,
            len(counts),
            flags,
            index & 0xFFFFFFFF,
            t_us & 0xFFFFFFFF,
            counts.tobytes(),
        )

    def _lost(self) -> PenLostError:
        return PenLostError(
            f"the LSL stream {self._stream_name!r} has ended, or its machine is out of reach.",
            advice="Start its sender again and connect; what was recorded so far is kept.",
        )


def _pull(inlet: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, columns) and (n,) stamps; n may be 0 after 0.1 s."""
    values, stamps = inlet.pull_chunk(PULL_S, MAX_SAMPLES, min_samples=1, as_numpy=True)
    return np.asarray(values, dtype=np.float64), np.asarray(stamps, dtype=np.float64)


def _runs(index: NDArray[np.int64]) -> list[slice]:
    """Stretches without a gap, at most FRAME_SAMPLES long."""
    edges = [0, *(np.flatnonzero(np.diff(index) != 1) + 1).tolist(), len(index)]
    return [
        slice(first, min(first + FRAME_SAMPLES, stop))
        for start, stop in pairwise(edges)
        for first in range(start, stop, FRAME_SAMPLES)
    ]
