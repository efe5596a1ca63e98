"""Known errors are found to the figures promised, and measurements that say too little are refused."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from calibration.coverage import CELLS, cells_of, centres, occupied
from calibration.errors import FitRefusedError, Reason
from calibration.fit_accelerometer import GRAVITY, fit_accelerometer, missing_sides
from calibration.fit_force import G_PER_N, Level, fit_force
from calibration.fit_gyro import Turn, fit_gyro_bias, fit_gyro_gain
from calibration.fit_magnetometer import fit_magnetometer
from calibration.fit_pair import fit_lever_arm, fit_rotation
from calibration.rest import Rest
from calibration.sensor import Correction
from calibration.steps import Way
from tests.calibration import known_sensors as known

SEEDS = range(200 if os.environ.get("PENAPP_SOAK") == "1" else 6)
MINUTE = 6000


def refused(reason: Reason, fit, *arguments, **options) -> FitRefusedError:
    with pytest.raises(FitRefusedError) as caught:
        fit(*arguments, **options)
    assert caught.value.reason is reason, str(caught.value)
    assert caught.value.advice
    return caught.value


# Magnetometer


def tumble_error(seed, outliers=0.0):
    rng = np.random.default_rng(seed)
    sensor = known.magnetometer(rng)
    readings = known.mag_readings(rng, sensor, known.directions(rng, MINUTE), outliers)
    true = known.sphere(known.FIELD_UT)
    return sensor.angle_deg(Correction(), true), sensor.angle_deg(fit_magnetometer(readings).correction, true)


@pytest.mark.parametrize(("outliers", "median_deg", "worst_deg"), [(0.0, 0.036, 0.08), (0.05, 0.05, 0.1)])
def test_soft_and_hard_iron_leave_hundredths_of_a_degree(report, outliers, median_deg, worst_deg):
    errors = np.array([tumble_error(seed, outliers) for seed in SEEDS])
    report(f"magnetometer, {len(errors)} pens, {100 * outliers:.0f} % outliers: direction "
          f"{np.median(errors[:, 0]):.1f} -> {np.median(errors[:, 1]):.3f} deg, "
          f"worst {errors[:, 1].max():.3f} deg")  # fmt: skip
    assert np.median(errors[:, 0]) > 40.0
    assert np.median(errors[:, 1]) <= median_deg
    assert errors[:, 1].max() <= worst_deg


def test_what_the_magnetometer_fit_says_of_itself_is_true():
    rng = np.random.default_rng(3)
    sensor = known.magnetometer(rng)
    fit = fit_magnetometer(known.mag_readings(rng, sensor, known.directions(rng, 2000), 0.05))
    assert fit.field_ut == pytest.approx(known.FIELD_UT, abs=0.1)
    assert fit.rms == pytest.approx(known.MAG_NOISE_UT, rel=0.2)
    assert fit.outliers == pytest.approx(0.05, abs=0.02)
    assert fit.coverage == 1.0
    assert sensor.angle_deg(fit.correction, known.sphere(known.FIELD_UT)) <= fit.expected_deg <= 0.3


@pytest.mark.parametrize("angle_deg", [45.0, 90.0])
@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_cone_is_refused_quickly_and_says_to_tumble(angle_deg, seed):
    rng = np.random.default_rng(seed)
    sensor = known.magnetometer(rng)
    readings = known.mag_readings(rng, sensor, known.cone(rng, 1200, angle_deg))
    with pytest.raises(FitRefusedError) as caught:
        fit_magnetometer(readings)
    assert caught.value.reason in {Reason.NOT_SPREAD, Reason.DISTURBED}
    assert caught.value.advice


def test_a_half_sphere_is_refused_for_its_coverage():
    rng = np.random.default_rng(0)
    true = known.directions(rng, 8000)
    readings = known.mag_readings(rng, known.magnetometer(rng), true[true[:, 2] > 0.1])
    assert "directions" in str(refused(Reason.NOT_SPREAD, fit_magnetometer, readings))


def test_a_field_that_changes_on_the_way_is_refused():
    rng = np.random.default_rng(1)
    true = known.directions(rng, 4000)
    readings = known.mag_readings(rng, known.magnetometer(rng), true)
    readings[2000:] += 12.0 * np.sin(np.linspace(0, 20, 2000))[:, None]
    assert "Move away" in refused(Reason.DISTURBED, fit_magnetometer, readings).advice


def test_a_magnetometer_beside_a_magnet_is_refused():
    rng = np.random.default_rng(2)
    readings = 9.0 * known.mag_readings(rng, known.magnetometer(rng), known.directions(rng, 2000))
    refused(Reason.DISTURBED, fit_magnetometer, readings)


def test_readings_at_the_limit_too_few_or_not_finite_are_refused():
    rng = np.random.default_rng(2)
    readings = known.mag_readings(rng, known.magnetometer(rng), known.directions(rng, 2000))
    limit = float(np.abs(readings).max() * 0.8)
    refused(Reason.SATURATED, fit_magnetometer, np.clip(readings, -limit, limit), limit=limit)
    refused(Reason.TOO_FEW, fit_magnetometer, readings[:100])
    refused(Reason.NOT_FINITE, fit_magnetometer, np.where(readings > 60, np.nan, readings))
    refused(Reason.NOT_SPREAD, fit_magnetometer, np.tile([20.0, -3.0, 40.0], (500, 1)))


# Accelerometer


@pytest.mark.parametrize(("count", "median_mm_s2", "worst_mm_s2"), [(18, 6.0, 9.0), (30, 4.0, 6.0)])
def test_poses_without_a_fixture_leave_a_few_mm_s2(report, count, median_mm_s2, worst_mm_s2):
    raw, fine = [], []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        sensor, true = known.accelerometer(rng), known.sphere(GRAVITY)
        found = known.poses(rng, sensor, count)
        try:
            fit = fit_accelerometer(found)
        except FitRefusedError as error:  # 18 poses of a shaky hand may be alike: then it must say so
            if count > 18 or error.reason not in {Reason.TOO_FEW, Reason.NOT_SPREAD}:
                raise
            continue
        raw.append(1000 * sensor.error(Correction(), true))
        fine.append(1000 * sensor.error(fit.correction, true))
    report(f"accelerometer, {count} poses, {len(fine)} of {len(SEEDS)} pens: {np.median(raw):.0f} -> "
          f"{np.median(fine):.1f} mm/s2, worst {max(fine):.1f}")  # fmt: skip
    assert len(fine) >= len(SEEDS) / 2
    assert np.median(raw) > 300.0
    assert np.median(fine) <= median_mm_s2
    assert max(fine) <= worst_mm_s2


def good_poses(count=30, seed=0):
    rng = np.random.default_rng(seed)
    return known.poses(rng, known.accelerometer(rng), count)


def test_a_knocked_pose_among_thirty_does_no_harm():
    rng = np.random.default_rng(4)
    sensor = known.accelerometer(rng)
    found = known.poses(rng, sensor, 30)
    found[7] *= 1.03
    assert 1000 * sensor.error(fit_accelerometer(found).correction, known.sphere(GRAVITY)) < 12.0


def test_too_few_alike_or_one_sided_poses_are_refused():
    poses = good_poses()
    refused(Reason.TOO_FEW, fit_accelerometer, poses[:12])
    refused(Reason.TOO_FEW, fit_accelerometer, np.repeat(poses[:9], 4, axis=0))
    crowded = good_poses(90)
    upper = crowded[crowded[:, 2] > -3.0]
    error = refused(Reason.NOT_SPREAD, fit_accelerometer, upper)
    assert "tip up" in str(error)


def test_poses_held_in_the_hand_are_refused_as_moved():
    rng = np.random.default_rng(5)
    poses = good_poses() * (1.0 + 0.02 * rng.standard_normal((30, 1)))
    refused(Reason.MOVED, fit_accelerometer, poses)


def test_an_accelerometer_in_another_unit_is_refused():
    refused(Reason.IMPLAUSIBLE, fit_accelerometer, good_poses() / GRAVITY * 2.0 * GRAVITY)


def test_an_accelerometer_at_its_limit_is_refused():
    poses = np.clip(good_poses(), -8.0, 8.0)
    refused(Reason.SATURATED, fit_accelerometer, poses, limit=8.0)


def test_sides_are_named_until_they_were_shown():
    assert len(missing_sides(np.empty((0, 3)))) == 6
    assert missing_sides(GRAVITY * np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])) == (
        "tip up", "logo up", "logo down", "left side up",
    )  # fmt: skip


# Gyroscope


def rest(gyro, *, n=1000, sd=0.002):
    mean = np.zeros(13)
    mean[6:9] = gyro
    return Rest(0, n, mean, np.full(13, sd))


def test_the_zero_is_the_mean_over_rests_and_knows_its_error():
    found = fit_gyro_bias([rest((0.01, -0.02, 0.005)), rest((0.0103, -0.02, 0.005), n=500)], 100.0)
    np.testing.assert_allclose(found.offset, (0.0101, -0.02, 0.005), atol=1e-6)
    assert found.error == pytest.approx(0.002 * np.sqrt(3 / 1500), rel=1e-6)


def test_a_pen_that_turns_drifts_or_hardly_rests_is_refused():
    refused(Reason.TOO_FEW, fit_gyro_bias, [rest((0, 0, 0), n=300)], 100.0)
    refused(Reason.TOO_FEW, fit_gyro_bias, [], 100.0)
    refused(Reason.IMPLAUSIBLE, fit_gyro_bias, [rest((0.5, 0, 0))], 100.0)
    refused(Reason.MOVED, fit_gyro_bias, [rest((0, 0, 0)), rest((0.06, 0, 0))], 100.0)


def turns(gain, *, count=24, axis=None, seed=0, rate_hz=100.0):
    """Turns of a second about one axis each, as a gyroscope with that gain reads them."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        about = np.asarray(axis) if axis is not None else known.directions(rng, 1)[0]
        s = np.linspace(0.0, 1.0, round(rate_hz) + 1)
        rate = np.outer(30 * s**2 * (1 - s) ** 2, about * rng.uniform(0.8, 2.2))
        turned = Rotation.identity()
        for step in 0.5 * (rate[1:] + rate[:-1]) / rate_hz:
            turned = turned * Rotation.from_rotvec(step)
        before = known.directions(rng, 1)[0] * GRAVITY
        read = rate @ np.linalg.inv(gain).T + rng.normal(0.0, 0.003, rate.shape)
        made.append(Turn(before, turned.inv().apply(before), read + 0.02))
    return made


def test_scale_skew_and_mounting_of_the_gyroscope_come_from_turns_between_poses():
    gain = np.eye(3) + np.random.default_rng(2).normal(0.0, 0.03, (3, 3))
    found = fit_gyro_gain(turns(gain), np.full(3, 0.02), 100.0)
    np.testing.assert_allclose(np.asarray(found.correction.gain), gain, atol=2e-3)
    assert found.before_deg > 10 * found.residual_deg


def test_turns_about_one_axis_or_wild_ones_are_refused():
    refused(Reason.TOO_FEW, fit_gyro_gain, turns(np.eye(3), count=6), np.full(3, 0.02), 100.0)
    refused(Reason.NOT_SPREAD, fit_gyro_gain, turns(np.eye(3), axis=(0.0, 0.0, 1.0)), np.full(3, 0.02), 100.0)
    wild = [replace(turn, after=turn.after[::-1].copy()) for turn in turns(np.eye(3))]
    refused(Reason.DISTURBED, fit_gyro_gain, wild, np.full(3, 0.02), 100.0)


# Two accelerometers


def test_the_rotation_of_the_rear_accelerometer_is_found():
    rng = np.random.default_rng(0)
    front = GRAVITY * known.directions(rng, 20)
    turn = Rotation.from_rotvec(np.deg2rad([1.0, -2.0, 0.5]))
    rear = turn.inv().apply(front) + rng.normal(0.0, 0.003, front.shape)
    found = fit_rotation(front, rear)
    np.testing.assert_allclose(found.rotation, turn.as_matrix(), atol=5e-4)
    assert found.residual_deg < 0.05


def test_accelerometers_that_see_different_things_are_refused():
    rng = np.random.default_rng(0)
    front = GRAVITY * known.directions(rng, 20)
    refused(Reason.IMPLAUSIBLE, fit_rotation, front, front[:, [1, 0, 2]])
    refused(Reason.TOO_FEW, fit_rotation, front[:3], front[:3])
    refused(
        Reason.NOT_SPREAD, fit_rotation, np.repeat(front[:1], 20, axis=0), np.repeat(front[:1], 20, axis=0)
    )


def swinging(arm_m, *, brisk=3.0, seconds=15.0, rate_hz=100.0):
    rng = np.random.default_rng(1)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    phase, speed = rng.uniform(0, 6, (3, 3)), rng.uniform(1.5, 4.0, (3, 3))
    waves = np.sin(t[:, None, None] * speed + phase)
    growth = (speed * np.cos(t[:, None, None] * speed + phase)).sum(axis=2) * brisk / 2
    rate = waves.sum(axis=2) * brisk / 2
    front = rng.normal((0.0, 0.0, GRAVITY), 0.03, rate.shape)
    rear = front + np.cross(growth, arm_m) + np.cross(rate, np.cross(rate, arm_m))
    return t, front, rear + rng.normal(0.0, 0.03, rate.shape), rate, rate_hz


@pytest.mark.parametrize("rate_hz", [100.0, 400.0])
def test_the_lever_arm_comes_out_of_a_brisk_tumble(rate_hz):
    arm_mm = np.array([1.5, -2.0, 90.7])
    found = fit_lever_arm(*swinging(arm_mm * 1e-3, rate_hz=rate_hz))
    np.testing.assert_allclose(found.arm_mm, arm_mm, atol=0.5)
    assert found.rms < 0.1 * found.before


def test_gaps_in_the_tumble_do_not_bend_the_lever_arm():
    t, front, rear, rate, rate_hz = swinging(np.array([0.0, 0.0, 0.09]))
    kept = np.ones(len(t), dtype=bool)
    for start in range(100, len(t), 200):
        kept[start : start + 30] = False
    found = fit_lever_arm(t[kept], front[kept], rear[kept], rate[kept], rate_hz)
    np.testing.assert_allclose(found.arm_mm, (0.0, 0.0, 90.0), atol=0.5)


def test_a_calm_or_short_tumble_and_an_impossible_distance_are_refused():
    arm = np.array([0.0, 0.0, 0.09])
    refused(Reason.NOT_SPREAD, fit_lever_arm, *swinging(arm, brisk=0.15))
    refused(Reason.TOO_FEW, fit_lever_arm, *swinging(arm, seconds=3.0))
    refused(Reason.IMPLAUSIBLE, fit_lever_arm, *swinging(10 * arm))


# Force

MASSES = (0.0, 20.0, 50.0, 100.0, 200.0, 400.0)


def shown_by(mass_g, *, lag=0.0):
    return 0.06 + 0.95 * (mass_g / G_PER_N * (1.0 + lag)) ** 0.9


def levels(*, lag=0.02, drift=0.01):
    up = [Level(m, shown_by(m), 0.01, Way.LOADING) for m in MASSES]
    down = [Level(m, shown_by(m, lag=lag) + drift, 0.01, Way.UNLOADING) for m in MASSES[-2::-1]]
    return up + down


def test_a_power_law_is_straightened_and_hysteresis_and_drift_are_stated():
    found = fit_force(levels())
    true = np.linspace(0.2, 3.9, 50)
    shown = shown_by(true * G_PER_N)
    assert np.abs(found.curve.apply(shown) - true).max() < 0.06
    assert np.abs(shown - true).max() > 0.3
    assert found.exponent == pytest.approx(0.9, abs=0.02)
    assert found.hysteresis_n == pytest.approx(0.02 * 200 / G_PER_N, abs=0.025)
    assert found.drift_n == pytest.approx(0.01, abs=0.005)
    assert found.masses == 5


def test_one_way_has_no_hysteresis_and_one_zero_no_drift():
    found = fit_force(levels()[: len(MASSES)])
    assert found.hysteresis_n is None
    assert found.drift_n is None


def test_levels_that_do_not_rise_swing_saturate_or_lack_are_refused():
    swapped = levels(lag=0.0)
    swapped[2] = replace(swapped[2], shown_n=0.1)
    swapped = [level for level in swapped if level.way is Way.LOADING]
    error = refused(Reason.NOT_MONOTONE, fit_force, swapped)
    assert "50 g" in str(error)
    refused(Reason.TOO_FEW, fit_force, levels()[:4])
    refused(Reason.TOO_FEW, fit_force, levels()[1 : len(MASSES)])
    refused(Reason.MOVED, fit_force, [replace(level, sd_n=0.5) for level in levels()])
    refused(Reason.SATURATED, fit_force, levels(), limit=3.0)
    refused(Reason.NOT_FINITE, fit_force, [replace(level, shown_n=np.nan) for level in levels()])


# The sphere


def test_cells_have_equal_areas_and_their_centres_are_in_them():
    np.testing.assert_array_equal(cells_of(centres()), np.arange(CELLS))
    counts = np.bincount(cells_of(known.directions(np.random.default_rng(0), 48_000)), minlength=CELLS)
    assert counts.min() > 850
    assert counts.max() < 1150
    assert occupied(centres()[:12]).sum() == 12
    assert not occupied(centres(), at_least=2).any()
