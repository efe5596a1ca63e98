"""From pen-up to painted text with the window open and painting, on the demo's virtual pen.

    python tests/benchmarks/bench_window_latency.py [--seconds 60]

(a) last pen-up to painted committed text; (b) word-end decision to painted committed text;
(c) tentative text: updates a second while a word is written, and age when painted.
Baseline for (b): what the window adds, the time from the event's arrival in the queue to the painted text.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from penapp.live_types import LiveEvent, TextCommitted, TextTentative
from penapp.ui import pens
from penapp.ui.main_window import MainWindow
from penapp.ui.session_host import OpenPen
from penapp.ui.view_state import SourceChoice

BURST_GAP_S = 1.0


@dataclass
class Seen:
    """Milliseconds, one entry for each event."""

    queued_ns: dict[int, int] = field(default_factory=dict)
    pen_up: list[float] = field(default_factory=list)
    decided: list[float] = field(default_factory=list)
    window: list[float] = field(default_factory=list)
    age: list[float] = field(default_factory=list)
    painted_s: list[float] = field(default_factory=list)

    def add(self, event: object, now_ns: int) -> None:
        if isinstance(event, TextCommitted) and event.arrival_ns:
            waited_s = event.block_t - event.hypothesis.end_t
            self.pen_up.append(waited_s * 1e3 + (now_ns - event.arrival_ns) / 1e6)
            self.decided.append((now_ns - event.decided_ns) / 1e6)
            self.window.append((now_ns - self.queued_ns.pop(id(event), now_ns)) / 1e6)
        elif isinstance(event, TextTentative) and event.hypothesis is not None:
            self.age.append((now_ns - event.made_ns) / 1e6)
            self.painted_s.append(now_ns / 1e9)


def stamped(seen: Seen) -> Callable[[SourceChoice, Callable[[LiveEvent], None]], OpenPen]:
    """The real opener, with the moment noted at which an event enters the window's queue."""
    real = pens.opener()

    def open_pen(choice: SourceChoice, on_event: Callable[[LiveEvent], None]) -> OpenPen:
        def note(event: LiveEvent) -> None:
            seen.queued_ns[id(event)] = time.perf_counter_ns()
            on_event(event)

        return real(choice, note)

    return open_pen


def line(name: str, values: list[float], unit: str = "ms") -> str:
    if not values:
        return f"{name:44s} nothing seen"
    p50, p90, p99 = np.percentile(values, [50, 90, 99])
    return f"{name:44s} p50 {p50:7.1f}  p90 {p90:7.1f}  p99 {p99:7.1f} {unit}  (n={len(values)})"


def updates_per_second(painted_s: list[float]) -> list[float]:
    """One figure for each stretch of tentative text without a long hole."""
    times = np.array(painted_s)
    stretches = np.split(times, np.flatnonzero(np.diff(times) > BURST_GAP_S) + 1)
    return [(len(s) - 1) / float(s[-1] - s[0]) for s in stretches if len(s) > 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    app = QApplication([])
    seen = Seen()
    window = MainWindow(stamped(seen), lambda: ())
    window.show()

    def painted(events: list[object]) -> None:
        window.text.repaint()
        now_ns = time.perf_counter_ns()
        for event in events:
            seen.add(event, now_ns)

    window.drained.connect(painted)
    window.connect_to(SourceChoice())
    QTimer.singleShot(int(options.seconds * 1000), window.close)
    app.exec()
    print(f"{options.seconds:.0f} s of the demo, window open, {len(window.text.view.words)} words")
    print(line("(a) pen-up to painted committed text", seen.pen_up))
    print(line("(b) word-end decision to painted text", seen.decided))
    print(line("    of which the window (queue to paint)", seen.window))
    print(line("(c) age of tentative text when painted", seen.age))
    print(line("(c) tentative updates while writing", updates_per_second(seen.painted_s), "/s"))
    if window.host.status() is not None:
        print(window.diagnostics().splitlines()[-1])


if __name__ == "__main__":
    main()
