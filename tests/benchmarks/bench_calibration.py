"""How well known errors are found: `python tests/benchmarks/bench_calibration.py [SEEDS]`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from calibration.ellipsoid import algebraic
from calibration.errors import FitRefusedError
from calibration.fit_accelerometer import GRAVITY, fit_accelerometer
from calibration.fit_magnetometer import fit_magnetometer
from calibration.sensor import Correction, as_matrix, as_vector
from tests.calibration import known_sensors as known
from tests.calibration.whole_runs import whole_run

TUMBLE = 6000
"""A minute at 100 Hz."""


def main(seeds: int) -> None:
    print(f"{seeds} seeds each; median (worst). Figures to reach in brackets.")
    mag(seeds)
    cones(seeds)
    accelerometer(seeds)
    whole(max(2, seeds // 5))


def row(name: str, values: list[float], unit: str, wanted: str) -> None:
    print(f"  {name:<44} {np.median(values):9.3f} ({max(values):9.3f}) {unit:<6} [{wanted}]")


def mag(seeds: int) -> None:
    print(f"magnetometer, {known.FIELD_UT:.0f} uT, noise {known.MAG_NOISE_UT} uT, {TUMBLE} readings")
    for outliers, raw_wanted, fit_wanted in ((0.0, "66.8", "0.034"), (0.05, "66.8", "0.05")):
        raw, plain, fine, seconds = [], [], [], []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            sensor = known.magnetometer(rng)
            readings = known.mag_readings(rng, sensor, known.directions(rng, TUMBLE), outliers)
            true = known.sphere(known.FIELD_UT)
            start = algebraic(readings)
            assert start is not None
            gain = start.gain / np.cbrt(np.linalg.det(start.gain))
            began = time.process_time()
            fit = fit_magnetometer(readings)
            seconds.append(time.process_time() - began)
            raw.append(sensor.angle_deg(Correction(), true))
            plain.append(sensor.angle_deg(Correction(as_vector(start.centre), as_matrix(gain)), true))
            fine.append(sensor.angle_deg(fit.correction, true))
        print(f" {100 * outliers:.0f} % outliers")
        row("uncalibrated", raw, "deg", raw_wanted)
        row("algebraic", plain, "deg", "0.86 with outliers")
        row("fitted", fine, "deg", fit_wanted)
        row("processor time", seconds, "s", "0.2-0.5")


def cones(seeds: int) -> None:
    for angle in (45.0, 90.0, 120.0):
        refused = 0
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            sensor = known.magnetometer(rng)
            try:
                fit_magnetometer(known.mag_readings(rng, sensor, known.cone(rng, 1500, angle)))
            except FitRefusedError:
                refused += 1
        print(f"  cone of {angle:.0f} deg: {refused} of {seeds} refused")


def accelerometer(seeds: int) -> None:
    print(f"accelerometer, noise {known.ACC_NOISE} m/s2, {known.POSE_SAMPLES} samples a pose")
    for count, wanted in ((18, "6"), (24, "-"), (30, "9")):
        raw, fine, refused = [], [], 0
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            sensor = known.accelerometer(rng)
            true = known.sphere(GRAVITY)
            try:
                fit = fit_accelerometer(known.poses(rng, sensor, count))
            except FitRefusedError:
                refused += 1
                continue
            raw.append(1000 * sensor.error(Correction(), true))
            fine.append(1000 * sensor.error(fit.correction, true))
        row(f"{count} poses, uncalibrated ({refused} refused)", raw, "mm/s2", "491")
        row(f"{count} poses, fitted", fine, "mm/s2", wanted)


def whole(seeds: int) -> None:
    print(
        "whole runs on virtual pens (rest, poses, tumble, force), errors against the truth, before and after"
    )
    for rate_hz in (100.0, 400.0):
        runs = [whole_run(seed, rate_hz) for seed in range(seeds)]
        print(f" {rate_hz:.0f} Hz, {np.median([run.seconds for run in runs]):.0f} s of pen time")
        for figures in zip(*(run.remaining for run in runs), strict=True):
            name, unit = figures[0].name, figures[0].unit
            before = float(np.median([figure.before for figure in figures]))
            row(name, [figure.after for figure in figures], unit, f"{before:.3f} before")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
