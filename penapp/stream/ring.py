"""The last minute of samples, contiguous at any moment, for those who draw it."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from penapp.stream.block import CHANNEL_COUNT, SampleBlock


class SampleRing:
    """Keeps the newest `capacity` samples. Each is stored twice, so the newest n are always one slice.

    One thread pushes, any thread reads.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a ring of {capacity} samples, expected at least 1")
        self.capacity = capacity
        self._t = np.zeros(2 * capacity, dtype=np.float64)
        self._values = np.zeros((2 * capacity, CHANNEL_COUNT), dtype=np.float32)
        self._total = 0
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Samples pushed since the ring was made or reset."""
        return self._total

    def push(self, block: SampleBlock) -> None:
        """Of a block longer than the ring, only the newest samples stay."""
        t, values = block.t[-self.capacity :], block.values[-self.capacity :]
        with self._lock:
            skipped = len(block) - len(t)
            place = (self._total + skipped + np.arange(len(t))) % self.capacity
            for at in (place, place + self.capacity):
                self._t[at] = t
                self._values[at] = values
            self._total += len(block)

    def latest(self, n: int | None = None) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Copies of the newest n samples (all by default, or what there is): t (m,), values (m, 13)."""
        with self._lock:
            kept = min(self._total, self.capacity)
            wanted = kept if n is None else min(n, kept)
            stop = (self._total - 1) % self.capacity + 1 + self.capacity
            part = slice(stop - wanted, stop)
            return self._t[part].copy(), self._values[part].copy()

    def reset(self) -> None:
        with self._lock:
            self._total = 0
