"""Seconds from starting the program to a painted window that answers, beside a bare empty Qt window.

python tests/benchmarks/bench_startup.py [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

READY = """
from PySide6.QtCore import QTimer
def ready():
    print("ready", flush=True); window.close()
QTimer.singleShot(0, lambda: QTimer.singleShot(0, ready))
"""
PENAPP = "from penapp import app\nqt, window = app.build(app.parser().parse_args([]))\nwindow.show()\n"
BARE = """
from PySide6.QtWidgets import QApplication, QWidget
qt = QApplication([]); window = QWidget(); window.show()
"""


def seconds(program: str) -> float:
    env = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}\n{READY}\nqt.exec()"], stdout=subprocess.PIPE, env=env
    ) as child:
        line = child.stdout.readline() if child.stdout else b""
        took = time.perf_counter() - start
    if line.strip() != b"ready":
        raise RuntimeError("the window never became ready")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    seconds(PENAPP)
    ours = sorted(seconds(PENAPP) for _ in range(runs))
    bare = statistics.median(seconds(BARE) for _ in range(runs))
    middle = statistics.median(ours)
    print(f"penapp window ready: median {middle:.2f} s, worst {ours[-1]:.2f} s of {runs}")
    print(f"bare Qt window:      median {bare:.2f} s; ratio {middle / bare:.1f}")


if __name__ == "__main__":
    main()
