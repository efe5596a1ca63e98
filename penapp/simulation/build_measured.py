"""Cuts measured.json out of the aggregate statistics of real pens: what the simulator is held against.

python -m penapp.simulation.build_measured STATISTICS.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).with_name("measured.json")

QUANTILES = ("q05", "q25", "q50", "q75", "q95")

PROVENANCE = (
    "Aggregates of real pen recordings: one number per person, summarised over people; every "
    "entry covers at least 5 people. No sample, no recording and no value of one person is in "
    "here. The recordings themselves are not part of this project and may not be passed on (they "
    "carry no licence; some are children's). Cut from the project's statistics.json by "
    "penapp/simulation/build_measured.py, values unchanged. Caveats: no tablet set is adults "
    "writing words (children press less and write slower, signatures are faster and pressed "
    "harder); tablet tilt is quantised to 1 degree and low-passed; the scale of SVC2004 is "
    "assumed; nothing above 25 Hz exists in the IMU pens' data; adult and elderly gyros carry an "
    "offset that was removed."
)

SOURCES = {
    "drotar_dobes": (
        "Drotar & Dobes 2020 (Sci Rep 10, 21541), Wacom Intuos Pro: 120 school children, letters, "
        "words and a sentence in Slovak; 133.3 Hz"
    ),
    "svc2004": (
        "SVC2004 Task 2 (Yeung et al. 2004), Wacom Intuos: 40 adult signers, genuine signatures only; 100 Hz"
    ),
    "adults": "SensitivePen (felixbastian/SensitivePen): IMU inside a pen, sentences of 7-10 adults; 50 Hz",
    "posture_set_age_not_stated": "SensitivePen: sentences of 9 writers, age not stated; 50 Hz",
    "children": "SensitivePen: sentences of 22 children; 50 Hz",
}

POSE = (
    "altitude_mean",
    "azimuth_mean_tail_right",
    "altitude_sd_within_stroke",
    "azimuth_sd_within_stroke",
    "altitude_sd_within_person",
    "azimuth_sd_within_person",
)
PRESSURE = ("profile_after_pen_down_over_stroke_median", "profile_before_pen_up_over_stroke_median")
IMU_PEOPLE = ("adults", "posture_set_age_not_stated", "children")
IMU = (
    "psd_median_over_people",
    "acc_band_sd_axis_rms",
    "gyro_band_sd_axis_rms",
    "acc_dynamic_magnitude",
    "gyro_magnitude_offset_removed",
    "excess_kurtosis_acc_dynamic",
    "excess_kurtosis_gyro",
)


def measured(statistics: dict[str, Any]) -> dict[str, Any]:
    """The part of statistics.json that the report and the tests read."""
    pen_up = statistics["pen_up_down"]
    children = pen_up["drotar_dobes"]
    return {
        "provenance": PROVENANCE,
        "sources": SOURCES,
        "sanity_ranges": statistics["sanity_ranges"],
        "pose": {k: _pick(statistics["pose"][p], POSE) for k, p in _TABLETS.items()},
        "pressure": {
            k: {
                **_pick(statistics["pressure"][k], ("mean_contact_pressure",)),
                **{p: statistics["pressure"][k][p] for p in PRESSURE},
                "quantiles_within_person": _thin(statistics["pressure"][k]["quantiles_within_person"]),
            }
            for k in _TABLETS
        },
        "pen_up": {
            "drotar_dobes_word_air_move_s": _thin(children["word_air_move"]["duration_by_sample_count"]),
            "svc2004_pen_up_s": _thin(pen_up["svc2004"]["pen_up_duration_clock_gap_below_2s"]),
        },
        "speed_on_paper_mm_s": {
            "drotar_dobes": _thin(children["speed_on_paper"]),
            "svc2004_scale_assumed": _thin(pen_up["svc2004"]["speed_on_paper_assuming_0p01mm_per_unit"]),
        },
        "imu": {k: _pick(statistics["imu_on_paper"][k]["sentence"], IMU) for k in IMU_PEOPLE},
    }


_TABLETS = {"drotar_dobes": "drotar_dobes_all", "svc2004": "svc2004"}


def _pick(entries: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _thin(entries[name]) for name in names if name in entries}


def _thin(entry: Any) -> Any:
    """Quantiles, profiles and counts; means, units and definitions are left behind."""
    if not isinstance(entry, dict):
        return entry
    if "sd_between_people" in entry:
        return {q: entry[q] for q in QUANTILES if q in entry}
    return {k: _thin(v) for k, v in entry.items() if k not in ("unit", "definition")}


def main(path: Path) -> None:
    statistics = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(measured(statistics), indent=1)
    OUT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
