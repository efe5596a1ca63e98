"""Samples per second as they really arrive."""

from __future__ import annotations

import threading
import time
from collections import deque

WINDOW_S = 2.0
SETTLED_S = 1.0
"""No rate is stated from less than this: what had waited in buffers arrives at once when a pen starts."""


class RateMeter:
    """Counts samples over the last two seconds of this computer's clock."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def push(self, n: int, now_s: float | None = None) -> None:
        now = time.monotonic() if now_s is None else now_s
        with self._lock:
            self._seen.append((now, n))
            while self._seen[0][0] < now - WINDOW_S:
                self._seen.popleft()

    def rate_hz(self, now_s: float | None = None) -> float:
        """0 in the first second and when nothing has come for two seconds."""
        now = time.monotonic() if now_s is None else now_s
        with self._lock:
            seen = list(self._seen)
        if not seen or seen[-1][0] < now - WINDOW_S or seen[-1][0] - seen[0][0] < SETTLED_S:
            return 0.0
        return sum(n for _, n in seen[1:]) / (seen[-1][0] - seen[0][0])

    def silent_s(self, now_s: float | None = None) -> float:
        """Seconds since the last arrival; 0 before the first."""
        now = time.monotonic() if now_s is None else now_s
        with self._lock:
            return now - self._seen[-1][0] if self._seen else 0.0
