"""The wizard without a window: a virtual pen with known errors goes through it, and bad moves are said."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from calibration.draft import Limits, Setup
from calibration.errors import CalibrationError, FitRefusedError, Reason, WrongChannelsError
from calibration.procedure import Procedure
from calibration.rest import RestFinder, find_rests
from calibration.sensor import Correction, PenCalibration, identity
from calibration.steps import MASSES_G, STEPS, StepId, steps_for
from penapp.simulation.calibration_pen import CalibrationPen
from tests.calibration.whole_runs import played, samples, virtual_setup, whole_run

SEEDS = range(20 if os.environ.get("PENAPP_SOAK") == "1" else 1)
WORST = {
    "gyroscope zero": 0.05, "gyroscope at 200 deg/s": 0.2, "front accelerometer": 6.0,
    "rear accelerometer": 6.0, "magnetometer, direction": 0.4, "distance of the accelerometers": 0.5,
    "force": 0.1,
}  # fmt: skip
"""What may be left at most, in the figures' units."""


@pytest.fixture(scope="module")
def first_run():
    return whole_run(0)


def test_a_whole_run_recovers_what_is_wrong_with_the_pen(first_run, report):
    runs = [first_run if seed == 0 else whole_run(seed) for seed in SEEDS]
    report(f"calibration of {len(runs)} virtual pens: worst after (median before)")
    for figures in zip(*(run.remaining for run in runs), strict=True):
        after, before = max(f.after for f in figures), float(np.median([f.before for f in figures]))
        report(f"calibration of virtual pens: {figures[0].name} {after:.3g} ({before:.3g}) {figures[0].unit}")
    for figure in (figure for run in runs for figure in run.remaining):
        assert figure.after <= WORST[figure.name], figure.name
        assert figure.name.startswith("distance") or figure.after < 0.6 * figure.before, figure.name


def test_every_step_reports_before_and_after(first_run):
    assert [result.step.id for result in first_run.results] == [step.id for step in STEPS]
    for result in first_run.results:
        compared = [figure for figure in result.figures if figure.before is not None]
        assert compared
    assert {f.name for r in first_run.results for f in r.figures} == {
        f.name for f in first_run.calibration.figures
    }
    assert first_run.calibration.software.startswith("penapp")


def test_the_same_samples_cut_otherwise_give_the_same_calibration():
    def run(read):
        pen = CalibrationPen(seed=2)
        procedure = Procedure(virtual_setup(pen), only=frozenset({StepId.REST, StepId.FORCE}))
        rest = played(pen, StepId.REST, 14.0)
        force = played(CalibrationPen(seed=2), StepId.FORCE, 70.0)
        for (t, values), end in ((rest, 12.0), (force, 70.0)):
            for start in range(0, len(t), read):
                procedure.push(t[start : start + read], values[start : start + read])
                assert procedure.step is not None
                if start + read >= end * 100 or procedure.progress.enough:
                    break
            procedure.accept()
        return procedure.calibration(date=datetime(2026, 5, 1, tzinfo=UTC))

    whole = run(25)
    assert run(5).force_curve == whole.force_curve
    np.testing.assert_allclose(run(5).gyro.offset, whole.gyro.offset, atol=1e-4)


def test_rests_do_not_depend_on_how_the_stream_was_cut():
    _, values = played(CalibrationPen(seed=3), StepId.POSES, 30.0)
    whole = find_rests(values, 100.0)
    finder, parts = RestFinder(100.0), []
    for start in range(0, len(values), 7):
        parts += finder.push(values[start : start + 7])
    parts += finder.finish()
    assert [(r.start, r.stop) for r in parts] == [(r.start, r.stop) for r in whole]
    np.testing.assert_array_equal([r.mean for r in parts], [r.mean for r in whole])
    assert len(whole) >= 6


# What the person does wrong


def still(seconds, *, rate_hz=100.0, gyro=0.0, wobble=0.0):
    rng = np.random.default_rng(0)
    n = round(seconds * rate_hz)
    values = np.zeros((n, 13))
    values[:, 2] = values[:, 5] = 9.81
    values[:, 6:9] = gyro
    values[:, :9] += rng.normal(0.0, 0.005, (n, 9)) + wobble * rng.standard_normal((n, 9))
    return np.arange(n) / rate_hz, values


def plain_setup(valid=None, *, previous=None, automatic=False) -> Setup:
    has = np.ones(13, dtype=np.bool_) if valid is None else valid
    return Setup(100.0, has, Limits(force=5.32), previous or identity("pen"), automatic, "test")


def test_a_pen_that_is_touched_counts_from_the_beginning_and_says_so():
    procedure = Procedure(plain_setup())
    procedure.push(*still(6.0))
    counted = procedure.progress
    assert counted.resting
    assert counted.share == pytest.approx(0.55, abs=0.06)
    procedure.push(*still(0.5, wobble=0.5))
    touched = procedure.progress
    assert touched.share == 0.0
    assert not touched.resting
    assert "anew" in touched.problem
    with pytest.raises(FitRefusedError) as caught:
        procedure.accept()
    assert caught.value.reason is Reason.TOO_FEW
    assert procedure.step is STEPS[0]
    assert not procedure.measured


def test_an_evenly_turning_pen_is_no_resting_one():
    procedure = Procedure(plain_setup())
    procedure.push(*still(12.0, gyro=0.5))
    with pytest.raises(FitRefusedError) as caught:
        procedure.accept()
    assert caught.value.reason is Reason.IMPLAUSIBLE


def test_a_step_may_be_skipped_or_begun_again_and_what_was_known_stays():
    known = PenCalibration(
        "pen",
        datetime(2026, 1, 1, tzinfo=UTC),
        front=Correction((0.1, 0.0, 0.0)),
        mag=Correction((9.0, 0, 0)),
    )
    procedure = Procedure(plain_setup(previous=known))
    procedure.push(*still(4.0))
    procedure.again()
    assert procedure.progress.share == 0.0
    procedure.push(*still(12.0, gyro=0.01))
    procedure.accept()
    for _ in STEPS[1:]:
        procedure.skip()
    assert procedure.step is None
    found = procedure.calibration()
    assert found.mag == known.mag
    assert found.front == known.front
    np.testing.assert_allclose(found.gyro.offset, 0.01, atol=5e-4)
    assert found.date > known.date


def test_behind_the_last_step_nothing_can_be_accepted():
    procedure = Procedure(plain_setup(), only=frozenset({StepId.REST}))
    procedure.skip()
    with pytest.raises(CalibrationError, match="over"):
        procedure.accept()
    procedure.push(*still(1.0))
    assert not procedure.measured


def test_a_step_left_open_for_long_takes_no_more(monkeypatch):
    monkeypatch.setattr("calibration.procedure.LONGEST_S", 5.0)
    procedure = Procedure(plain_setup())
    for _ in range(4):
        procedure.push(*still(4.0))
    assert procedure.progress.share < 1.0
    assert "start it over" in procedure.progress.problem
    procedure.again()
    assert procedure.progress.problem != ""
    procedure.push(*still(4.0))
    assert "start it over" not in procedure.progress.problem


def test_poses_that_were_there_already_do_not_count():
    procedure = Procedure(plain_setup(), only=frozenset({StepId.POSES}))
    for _ in range(3):
        procedure.push(*still(3.0))
        procedure.push(*still(0.5, wobble=1.0))
    assert procedure.progress.line.startswith("1 of ")
    assert len(procedure.progress.points) == 1


def test_a_tumble_fills_the_sphere_and_a_calm_one_is_told_to_be_faster():
    pen = CalibrationPen(seed=4)
    setup = virtual_setup(pen)
    procedure = Procedure(setup, only=frozenset({StepId.TUMBLE}))
    t, values = played(pen, StepId.TUMBLE, 20.0)
    seen = []
    for start in range(0, len(t), 50):
        procedure.push(t[start : start + 50], values[start : start + 50])
        seen.append(int(procedure.progress.cells.sum()))
    assert seen[4] < seen[-1]
    assert seen[-1] >= 43
    assert procedure.progress.enough
    calm = Procedure(setup, only=frozenset({StepId.TUMBLE}))
    t, values = played(CalibrationPen(seed=4), StepId.POSES, 20.0)
    calm.push(t, values)
    assert calm.progress.problem == "Turn it faster."
    with pytest.raises(FitRefusedError):
        calm.accept()


def pressed(force_n, seconds=1.6):
    t, values = still(seconds)
    values[:, 12] = force_n
    return t, values


def test_on_a_scale_a_level_counts_when_it_was_confirmed_and_was_steady():
    procedure = Procedure(plain_setup(), only=frozenset({StepId.FORCE}))
    procedure.push(*pressed(0.0))
    assert procedure.progress.level.number == 1
    procedure.confirm()
    t, values = pressed(0.0)
    values[:, 12] += np.linspace(0.0, 1.0, len(t))
    procedure.push(t, values)
    assert procedure.progress.problem == "Hold it steady."
    procedure.push(*pressed(0.05, 2.0))
    assert procedure.progress.level.number == 2
    assert procedure.progress.level.mass_g == MASSES_G[1]
    procedure.back()
    assert procedure.progress.level.number == 1


def test_levels_in_disorder_are_refused_with_the_mass_that_is_wrong():
    procedure = Procedure(plain_setup(), only=frozenset({StepId.FORCE}))
    for mass in MASSES_G:
        procedure.confirm()
        procedure.push(*pressed(0.02 if mass == 50.0 else 0.05 + mass * 9.81e-3))
    assert procedure.progress.enough
    with pytest.raises(FitRefusedError) as caught:
        procedure.accept()
    assert caught.value.reason is Reason.NOT_MONOTONE


# Pens with fewer channels


def test_a_pen_is_asked_only_for_what_it_has():
    valid = np.ones(13, dtype=np.bool_)
    valid[3:6] = valid[9:] = False
    assert [step.id for step in steps_for(valid)] == [StepId.REST, StepId.POSES, StepId.TUMBLE]
    with pytest.raises(CalibrationError, match="no sensor"):
        Procedure(plain_setup(np.zeros(13, dtype=np.bool_)))


def test_a_pen_with_one_accelerometer_and_no_magnetometer_gets_what_it_can_have():
    pen = CalibrationPen(seed=1)
    valid = np.ones(13, dtype=np.bool_)
    valid[3:6] = valid[9:13] = False
    procedure = Procedure(
        replace(virtual_setup(pen), valid=valid), only=frozenset({StepId.REST, StepId.POSES})
    )
    for t, values in samples(pen):
        if procedure.step is None:
            break
        pen.perform(procedure.step.id)
        procedure.push(t, np.where(valid, values, 0.0))
        if procedure.progress.enough:
            procedure.accept()
    found = procedure.calibration()
    assert found.rear == Correction()
    assert found.rotation_deg is None
    assert found.front != Correction()


def test_samples_of_another_shape_are_refused():
    with pytest.raises(WrongChannelsError, match=r"expected \(n, 13\)"):
        Procedure(plain_setup()).push(np.zeros(4), np.zeros((4, 12)))
