"""What real pens measured: the committed aggregates that the simulator is held against."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MEASURED_FILE = Path(__file__).with_name("measured.json")

SOURCE_RATE_HZ = 50.0
"""The IMU pens' sensors update at this rate: nothing above 25 Hz is in their figures."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Quantiles over people along an axis; (n,) each."""

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]


@cache
def measured() -> dict[str, Any]:
    """The file as it is; `provenance` and `sources` say where every number comes from."""
    content: dict[str, Any] = json.loads(MEASURED_FILE.read_text(encoding="utf-8"))
    return content


def sanity_ranges() -> dict[str, tuple[float, float]]:
    """Figure name (with its unit) -> the range over real people."""
    ranges = measured()["sanity_ranges"]
    return {name: (float(r[0]), float(r[1])) for name, r in ranges.items() if name != "how"}


def pressure_profile(tablet: str, *, rising: bool) -> Curve:
    """Force over the stroke's mid median against ms after touchdown (or before lift-off), 5/50/95 %."""
    if rising:
        entry = measured()["pressure"][tablet]["profile_after_pen_down_over_stroke_median"]
        x = entry["ms_since_first_contact_sample"]
    else:
        entry = measured()["pressure"][tablet]["profile_before_pen_up_over_stroke_median"]
        x = entry["ms_relative_to_last_contact_sample"]
    return Curve(*(np.asarray(v, dtype=np.float64) for v in (x, entry["q05"], entry["q50"], entry["q95"])))


def psd(people: str, sensor: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(f Hz, power density per axis) of "acc" (m2/s4/Hz) or "gyro" (rad2/s2/Hz), median over people."""
    entry = measured()["imu"][people]["psd_median_over_people"]
    unit = {"acc": "acc_m2_s4_per_hz", "gyro": "gyro_rad2_s2_per_hz"}[sensor]
    return np.asarray(entry["f_hz"], dtype=np.float64), np.asarray(entry[unit], dtype=np.float64)


def spread(*path: str) -> tuple[float, float, float]:
    """(low, median, high) over people of one entry: 5/50/95 %, or the quartiles of small groups."""
    entry: Any = measured()
    for key in path:
        entry = entry[key]
    return entry.get("q05", entry["q25"]), entry["q50"], entry.get("q95", entry["q75"])
