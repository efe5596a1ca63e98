"""Calibrations survive the disk, and damage is named instead of guessed around."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calibration.errors import (
    CalibrationError,
    CalibrationNotSavedError,
    NewerCalibrationError,
    UnreadableCalibrationError,
)
from calibration.sensor import Correction, PenCalibration
from calibration.store import CalibrationStore, read_calibration, write_calibration

GAIN = ((1.01, 0.002, 0.0), (0.0, 0.98, 1e-17), (0.1 + 0.2, 0.0, 1.0))
RECORD = PenCalibration(
    "AA:BB:CC/../pen 7", datetime(2026, 3, 1, 12, 30, 1, 5, tzinfo=UTC),
    front=Correction((0.1, -0.2, 1.0 / 3.0), GAIN), mag=Correction((12.0, -30.0, 4.5)), force_zero_n=0.05,
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    return CalibrationStore(tmp_path / "calibrations")


def test_a_record_comes_back_bit_for_bit(store):
    path = store.save(RECORD)
    assert store.newest(RECORD.pen_id) == RECORD
    assert json.loads(path.read_text(encoding="utf-8"))["format_version"] == 2


def test_the_newest_record_of_the_pen_counts_whatever_the_order_of_saving(store):
    later = replace(RECORD, date=RECORD.date + timedelta(days=40), force_zero_n=0.2)
    for record in (later, RECORD, replace(RECORD, pen_id="another", date=RECORD.date + timedelta(days=80))):
        store.save(record)
    assert store.newest(RECORD.pen_id) == later


def test_time_zones_do_not_confuse_the_order(store):
    from datetime import timezone

    east = timezone(timedelta(hours=9))
    early = replace(RECORD, date=datetime(2026, 3, 1, 15, tzinfo=east), force_zero_n=0.1)  # 06:00 UTC
    store.save(RECORD)
    store.save(early)
    assert store.newest(RECORD.pen_id) == RECORD


def test_a_pen_never_calibrated_has_none(store):
    assert store.newest("unknown") is None


def test_pens_whose_names_look_alike_are_kept_apart(store):
    store.save(replace(RECORD, pen_id="a:b"))
    assert store.newest("a_b") is None


def test_no_name_of_a_pen_leaves_the_folder(tmp_path, store):
    path = store.save(replace(RECORD, pen_id="../../escape"))
    assert path.resolve().is_relative_to((tmp_path / "calibrations").resolve())


def changed(path, **changes):
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_later_format_is_refused_with_advice(store):
    changed(store.save(RECORD), format_version=3)
    with pytest.raises(NewerCalibrationError) as caught:
        store.newest(RECORD.pen_id)
    assert "version 3" in str(caught.value)
    assert "Update the program" in caught.value.advice


@pytest.mark.parametrize(
    "changes",
    [{"format_version": None}, {"format_version": 0}, {"front": {"offset": [1, 2]}}, {"force_scale": -1.0},
     {"force_scale": "much"}, {"date": "yesterday"}, {"date": "2026-03-01"}, {"surprise": 1},
     {"mag": {"offset": [0, 0, 0], "gain": [[0, 0, 0]] * 3}}],
)  # fmt: skip
def test_impossible_content_is_named(store, changes):
    path = store.save(RECORD)
    changed(path, **changes)
    with pytest.raises(UnreadableCalibrationError) as caught:
        store.newest(RECORD.pen_id)
    assert path.name in str(caught.value)
    assert caught.value.advice


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format_version": 1}', "\x00\x01"])
def test_a_damaged_file_is_named_and_no_older_record_slips_in(store, content):
    store.save(RECORD)
    path = store.save(replace(RECORD, date=RECORD.date + timedelta(days=1)))
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableCalibrationError, match=path.name):
        store.newest(RECORD.pen_id)


def test_a_record_of_another_pen_in_this_place_is_refused(store):
    path = store.save(RECORD)
    changed(path, pen_id="someone else's")
    with pytest.raises(UnreadableCalibrationError, match="belongs to the pen"):
        store.newest(RECORD.pen_id)


def test_a_write_that_fails_leaves_the_old_record_and_no_rubbish(tmp_path, monkeypatch):
    path = tmp_path / "pen.json"
    write_calibration(RECORD, path)

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("calibration.store.os.fsync", full)
    with pytest.raises(CalibrationNotSavedError, match="no space left"):
        write_calibration(replace(RECORD, force_zero_n=9.0), path)
    assert read_calibration(path) == RECORD
    assert [p.name for p in tmp_path.iterdir()] == ["pen.json"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(CalibrationNotSavedError) as caught:
        CalibrationStore(tmp_path / "file").save(RECORD)
    assert isinstance(caught.value, CalibrationError)
    assert str(Path("file")) in str(caught.value)
