"""When the sensors of a virtual pen take their samples."""

from __future__ import annotations

import time
from collections.abc import Callable

UNPACED_SAMPLES = 64


class SampleClock:
    """Counts samples that are due at `rate_hz` times `speed`; speed None = always some.

    A pen's clock does not wait for anybody: after a stall everything that became due is taken at once.
    now: seconds, monotonic
    """

    def __init__(
        self, rate_hz: float, speed: float | None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._samples_per_s = None if speed is None else rate_hz * speed
        self._now = now
        self._origin_s: float | None = None
        self._taken = 0

    @property
    def paced(self) -> bool:
        return self._samples_per_s is not None

    def start(self) -> None:
        """From now on; no effect while running."""
        if self._origin_s is None:
            self._origin_s, self._taken = self._now(), 0

    def stop(self) -> None:
        self._origin_s = None

    def due(self) -> int:
        """Samples to take now."""
        if self._samples_per_s is None:
            return UNPACED_SAMPLES
        return int(self.ahead()) if self._origin_s is not None else 0

    def ahead(self) -> float:
        """How far the clock is past the last sample taken, in samples; 0 when stopped or without pace."""
        if self._samples_per_s is None or self._origin_s is None:
            return 0.0
        return (self._now() - self._origin_s) * self._samples_per_s - self._taken

    def seconds_until(self, n: int) -> float:
        """Until n samples are due."""
        return 0.0 if self._samples_per_s is None else max(0.0, (n - self.ahead()) / self._samples_per_s)

    def took(self, n: int) -> None:
        self._taken += n
