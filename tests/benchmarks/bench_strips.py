"""Milliseconds per painted frame of the strip chart, and the ratio against painting every point.

    python tests/benchmarks/bench_strips.py [--frames 60]

The baseline is the same widget joining all samples by lines, without thinning. Off-screen software painting.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication

from penapp.ui import strips
from penapp.ui.strip_math import Traces, traces

SIZE = QSize(620, 640)
LIMIT_MS = 10.0


class NoisyRing:
    """A pen whose every channel is smooth movement plus noise, `step` samples further at each look."""

    def __init__(self, rate_hz: float, seconds: float, step: int) -> None:
        n = int(rate_hz * seconds)
        rng = np.random.default_rng(1)
        self._t = np.arange(2 * n) / rate_hz
        wave = np.sin(2 * np.pi * 4 * self._t[:, None] + np.arange(13))
        self._values = (5 * wave + rng.normal(size=(2 * n, 13))).astype(np.float32)
        self._end, self._step, self._n = n, step, n

    def latest(self, n: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        self._end = self._n + (self._end + self._step - self._n) % self._n
        start = max(self._end - n, 0)
        return self._t[start : self._end], self._values[start : self._end]


def every_point(
    t: NDArray[np.float64],
    values: NDArray[np.float32],
    *,
    window_s: float,
    width: int,
    gap_s: float,  # noqa: ARG001  same signature
) -> Traces:
    """The baseline: all samples, joined by lines."""
    x = width - 1 - (t[-1] - t) * width / window_s
    return Traces(x, values, np.empty(0, np.int64))


def frame_ms(rate_hz: float, seconds: float, frames: int, *, thinned: bool) -> list[float]:
    chart = strips.StripChart()
    chart.resize(SIZE)
    chart.window_s = seconds
    chart.show_source(NoisyRing(rate_hz, seconds, int(rate_hz / 30)), rate_hz)
    canvas = QPixmap(SIZE)
    strips.traces = traces if thinned else every_point
    times = []
    for _ in range(frames):
        start = time.perf_counter()
        chart.refresh()
        chart.render(canvas)
        times.append((time.perf_counter() - start) * 1e3)
    strips.traces = traces
    return times[5:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    frames = parser.parse_args().frames
    app = QApplication.instance() or QApplication([])
    print(f"13 channels, {SIZE.width()}x{SIZE.height()} px, {frames} frames, {app.platformName()}")
    print("rate  window   thinned p50 / p90     every point p50    ratio")
    for rate_hz, seconds in ((100.0, 10.0), (400.0, 10.0), (400.0, 60.0)):
        ours = frame_ms(rate_hz, seconds, frames, thinned=True)
        naive = statistics.median(frame_ms(rate_hz, seconds, max(frames // 4, 10), thinned=False))
        middle, high = statistics.median(ours), statistics.quantiles(ours, n=10)[-1]
        print(
            f"{rate_hz:4.0f}  {seconds:4.0f} s   {middle:6.2f} / {high:5.2f} ms"
            f"        {naive:7.2f} ms    {naive / middle:5.1f}x"
        )


if __name__ == "__main__":
    main()
