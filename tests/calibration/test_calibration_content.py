"""Records of format versions 1 and 2, on disk and in the pen's memory."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from calibration.content import from_blob, from_content, to_blob, to_content
from calibration.errors import InvalidCalibrationError, UnreadableCalibrationError
from calibration.force_curve import ForceCurve
from calibration.sensor import Correction, Figure, PenCalibration
from calibration.store import CalibrationStore

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
CURVE = ForceCurve((0.05, 0.5, 1.9, 4.1), (0.0, 0.4, 2.0, 4.0))
RECORD = PenCalibration(
    "7669727463616c31", DAY, front=Correction((0.1, -0.2, 1.0 / 3.0)), force_curve=CURVE,
    lever_arm_mm=(0.1, -0.2, 89.8), rotation_deg=(1.0, 2.0, 3.0), temperature_c=21.5,
    figures=(Figure("force", "N", 0.02, 0.2), Figure("magnetometer, sphere seen", "%", 97.0)),
    software="penapp 0.1.0",
)  # fmt: skip
VERSION_1 = {
    "pen_id": "old", "date": "2025-01-02T03:04:05+00:00", "force_zero_n": 0.05, "force_scale": 1.1,
    "format_version": 1,
    **{name: {"offset": [0.1, 0.2, 0.3], "gain": [[1, 0, 0], [0, 1.5, 0], [0, 0, 1]]}
       for name in ("front", "rear", "gyro", "mag")},
}  # fmt: skip


def test_everything_comes_back_from_the_file_and_from_the_pen():
    assert from_content(json.loads(json.dumps(to_content(RECORD))), "here") == RECORD
    assert from_blob(to_blob(RECORD)) == RECORD


def test_a_record_of_version_1_is_still_read_and_becomes_version_2_when_saved(tmp_path):
    old = from_content(VERSION_1, "here")
    assert old.mag.gain[1][1] == 1.5
    assert old.force_scale == 1.1
    assert old.figures == ()
    path = CalibrationStore(tmp_path).save(old)
    assert json.loads(path.read_text(encoding="utf-8"))["format_version"] == 2
    assert CalibrationStore(tmp_path).newest("old") == old


@pytest.mark.parametrize(
    "change",
    [{"force_curve": {"shown_n": [1, 1], "true_n": [0, 1]}}, {"force_curve": {"shown_n": [1]}},
     {"lever_arm_mm": [1, 2]}, {"figures": [{"name": "x"}]}, {"rotation_deg": [1, 2, float("nan")]}],
)  # fmt: skip
def test_impossible_additions_of_version_2_are_named(change):
    with pytest.raises(UnreadableCalibrationError, match="here is no complete calibration"):
        from_content(to_content(RECORD) | change, "here")


def test_version_1_with_fields_of_version_2_is_no_version_1():
    with pytest.raises(UnreadableCalibrationError, match="unknown: software"):
        from_content(VERSION_1 | {"software": "x"}, "here")


@pytest.mark.parametrize("blob", [b"", b"rubbish", to_blob(RECORD)[:-30]])
def test_a_damaged_copy_in_the_pen_is_named(blob):
    with pytest.raises(UnreadableCalibrationError, match="kept by the pen"):
        from_blob(blob)


def test_a_blob_that_unpacks_to_far_too_much_is_not_unpacked():
    import zlib

    with pytest.raises(UnreadableCalibrationError):
        from_blob(zlib.compress(b" " * 50_000_000, 9))


def test_all_records_are_listed_oldest_first_and_damaged_ones_with_their_problem(tmp_path):
    store = CalibrationStore(tmp_path)
    store.save(replace(RECORD, pen_id="b"))
    store.save(replace(RECORD, pen_id="a", date=DAY - timedelta(days=1)))
    damaged = store.save(replace(RECORD, pen_id="c", date=DAY + timedelta(days=1)))
    damaged.write_text("{", encoding="utf-8")
    entries = store.entries()
    assert [entry.record.pen_id if entry.record else "" for entry in entries] == ["a", "b", ""]
    assert damaged.name in entries[2].problem


# The force curve in the record


def samples(force_n):
    values = np.zeros((len(force_n), 13), dtype=np.float32)
    values[:, 12] = force_n
    return values


def test_the_curve_stands_in_place_of_zero_and_scale():
    shown = np.array([0.05, 0.5, 1.9, 4.1])
    corrected = RECORD.apply(samples(shown))[:, 12]
    np.testing.assert_allclose(corrected, [0.0, 0.4, 2.0, 4.0], atol=1e-6)
    assert not replace(PenCalibration("p", DAY), force_curve=CURVE).is_identity


def test_beyond_its_ends_the_curve_goes_on_straight_and_noise_around_zero_keeps_its_mean():
    out = CURVE.apply(np.array([-0.4, -0.05, 4.1, 5.2]))
    assert (np.diff(out) > 0).all()
    slope = 0.4 / 0.45
    np.testing.assert_allclose(out[:2], [(-0.4 - 0.05) * slope, (-0.05 - 0.05) * slope])
    assert out[3] >= 5.0


def test_the_curve_rises_everywhere_and_cutting_changes_no_bit():
    shown = np.linspace(-1.0, 6.0, 999)
    out = CURVE.apply(shown)
    assert (np.diff(out) > 0).all()
    np.testing.assert_array_equal(np.concatenate([CURVE.apply(shown[:7]), CURVE.apply(shown[7:])]), out)


def test_a_curve_that_falls_is_refused():
    with pytest.raises(InvalidCalibrationError, match="does not rise"):
        ForceCurve((0.0, 1.0, 0.5), (0.0, 1.0, 2.0))
    with pytest.raises(InvalidCalibrationError, match="as many of each"):
        ForceCurve((0.0,), (0.0,))


def test_a_record_holds_plain_numbers_alone():
    assert json.loads(json.dumps(asdict(RECORD) | {"date": ""}))["figures"][0]["before"] == 0.2
