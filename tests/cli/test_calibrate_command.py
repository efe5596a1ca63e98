"""`penapp calibrate`: the whole way through a pseudo-terminal, and what happens around it."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from calibration.sensor import Correction, PenCalibration
from calibration.steps import StepId
from calibration.store import CalibrationStore, write_calibration
from firmware_protocol.channels import standard_descriptor
from firmware_protocol.framing import FrameDecoder
from firmware_protocol.virtual_pen import PenFirmware
from penapp.calibrate import known_pen, pen_id_of
from penapp.cli.run_cli import run_cli
from penapp.device.virtual import VirtualPenSource
from penapp.simulation.calibration_pen import CalibrationPen

VIRTUAL_ID = pen_id_of(CalibrationPen().descriptor)
RECORD = PenCalibration(VIRTUAL_ID, datetime(2026, 3, 1, tzinfo=UTC), front=Correction((0.1, 0.2, 0.3)))


@pytest.fixture
def store(monkeypatch, tmp_path):
    monkeypatch.setattr("penapp.calibrate.user_data_path", lambda _: tmp_path)
    return CalibrationStore(tmp_path / "calibration")


@pytest.fixture
def calibrate(store, capsys):  # noqa: ARG001  no test touches the user's records
    def call(*arguments):
        code = run_cli(["calibrate", *(str(a) for a in arguments)])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def left(out, name):
    """What is behind the arrow in the row of the table against the truth."""
    table = out.split("Against the truth")[1]
    found = re.search(rf"^\s+{re.escape(name)}\s+([\d.]+) -> ([\d.]+)", table, re.MULTILINE)
    assert found, out
    return float(found[1]), float(found[2])


def test_the_virtual_pen_is_calibrated_from_rest_to_force_and_found_again(calibrate, store):
    code, out, err = calibrate("--speed", 80, "--temperature", 21.5, "--write-to-pen")
    assert code == 0, err
    for title in ("1/4 Rest", "2/4 Poses", "3/4 Tumble", "4/4 Force"):
        assert title in err
    assert "the pen keeps a copy" in err
    for name, worst in (("front accelerometer", 8.0), ("magnetometer, direction", 0.5), ("force", 0.12)):
        before, after = left(out, name)
        assert after < before
        assert after <= worst
    found = store.newest(VIRTUAL_ID)
    assert found is not None
    assert found.temperature_c == 21.5
    assert known_pen(CalibrationPen().descriptor).calibration == found
    assert known_pen(standard_descriptor()).calibration is None


def test_one_step_keeps_what_was_known_and_a_dry_run_saves_nothing(calibrate, store):
    store.save(RECORD)
    code, out, _ = calibrate("--speed", 80, "--steps", "rest", "--dry-run", "--json")
    assert code == 0
    record = json.loads(out)
    assert record["front"]["offset"] == [0.1, 0.2, 0.3]
    assert any(record["gyro"]["offset"])
    assert store.newest(VIRTUAL_ID) == RECORD


def test_show_list_export_and_import(calibrate, store, tmp_path):
    code, _, err = calibrate("--show")
    assert code == 1
    assert "never calibrated" in err
    assert "penapp calibrate --pen virtual" in err
    store.save(RECORD)
    assert "2026" in calibrate("--show")[1]
    assert VIRTUAL_ID in calibrate("--list")[1]
    assert calibrate("--export", tmp_path / "pen.json")[0] == 0
    other = replace(RECORD, pen_id="0102")
    write_calibration(other, tmp_path / "other.json")
    assert calibrate("--import", tmp_path / "other.json")[0] == 0
    assert store.newest("0102") == other
    assert len(calibrate("--list", "--json")[1].splitlines()) == 2


def test_damage_is_one_line_with_advice(calibrate, store, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    code, _, err = calibrate("--import", broken)
    assert code == 1
    assert "broken.json" in err
    assert len(err.splitlines()) == 1
    store.save(RECORD).write_text("{", encoding="utf-8")
    code, out, err = calibrate("--list")
    assert (code, out) == (0, "")
    assert "cannot be read as a calibration" in err


def test_a_copy_goes_to_the_pen_without_measuring(calibrate, store):
    assert calibrate("--no-measure", "--write-to-pen")[0] == 1
    store.save(RECORD)
    code, out, err = calibrate("--no-measure", "--write-to-pen")
    assert code == 0
    assert "the pen keeps a copy" in err
    assert "2026" in out
    assert len(store.entries()) == 1


def test_a_pen_without_a_copy_and_a_recording_are_told_apart(calibrate, tmp_path):
    code, _, err = calibrate("--read-from-pen")
    assert code == 1
    assert "keeps no calibration" in err
    from penapp.device.recording import StreamWriter

    StreamWriter(tmp_path / "abc.pen", standard_descriptor()).close()
    code, _, err = calibrate("--pen", tmp_path / "abc.pen", "--read-from-pen")
    assert code == 1
    assert "Connect the pen itself" in err


def test_a_recording_that_is_too_short_says_where_it_ended(calibrate, tmp_path):
    from penapp.device.recording import StreamWriter

    StreamWriter(tmp_path / "abc.pen", standard_descriptor()).close()
    code, _, err = calibrate("--pen", tmp_path / "abc.pen", "--speed", 0)
    assert code == 1
    assert "ended during the step 'Rest'" in err
    assert "Nothing was saved" in err


def test_a_recording_of_the_steps_is_as_good_as_the_pen(calibrate, tmp_path):
    from penapp.device.recording import StreamWriter

    pen = CalibrationPen(seed=5)
    firmware = PenFirmware(pen.descriptor)
    firmware.state.streaming = True
    writer, decoder, taken = StreamWriter(tmp_path / "steps.pen", pen.descriptor), FrameDecoder(), 0
    for step, seconds in ((StepId.REST, 12.0), (StepId.TUMBLE, 26.0)):
        pen.perform(step)
        until = taken + seconds * 100
        while taken < until:
            counts = pen.read(64)
            for raw in firmware.take(counts, taken * 10_000):
                writer.append(decoder.feed(raw))
            taken += len(counts)
    writer.close()
    arguments = (
        "--pen",
        tmp_path / "steps.pen",
        "--speed",
        0,
        "--steps",
        "rest,tumble",
        "--dry-run",
        "--json",
    )
    code, out, err = calibrate(*arguments)
    assert code == 0, err
    found = json.loads(out)
    truth = pen.imperfections.truth
    assert found["mag"]["offset"] == pytest.approx(truth.mag.offset, abs=0.5)
    assert found["gyro"]["offset"] == pytest.approx(truth.gyro.offset, abs=1e-3)
    assert found["pen_id"] == VIRTUAL_ID


def test_keys_skip_steps_and_stop(calibrate, store, monkeypatch):
    def real_pen(*_):
        return VirtualPenSource(CalibrationPen(), speed=4.0)

    monkeypatch.setattr("penapp.cli.calibrate_run.source_for", real_pen)
    monkeypatch.setattr("sys.stdin", io.StringIO("?\ns\ns\ns\ns\n"))
    code, _, err = calibrate("--pen", "/dev/pen")
    assert code == 1
    assert "s skip" in err
    assert "4/4 Force" in err
    assert "every step was skipped" in err
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    assert calibrate("--pen", "/dev/pen")[0] == 130
    assert store.entries() == ()


@pytest.mark.parametrize(
    "arguments",
    [("--steps", "rest,dance"), ("--show", "--list"), ("--no-measure",), ("--show", "--write-to-pen")],
)
def test_wrong_usage_is_refused(calibrate, arguments):
    assert calibrate(*arguments)[0] == 2
