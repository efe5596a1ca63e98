"""A rigid pen obeys mechanics: rotation, two sites on one body, gravity at rest, the magnetic field."""

import numpy as np
import pytest

from penapp.simulation.attitude import Pose
from penapp.simulation.parameters import GRAVITY, Device
from penapp.simulation.sensors import RigidMotion, report, second_derivative

RATE = 1000.0


def perfect_pen(**changes):
    zeros = (0.0,) * 6
    none = {
        "site_mm": (25.0, 115.0), "site_error_mm": (0.0, 0.0), "acc_bias": zeros, "acc_gain": (1.0,) * 6,
        "misalign_deg": ((0.0, 0.0, 0.0),) * 4, "gyro_bias": zeros[:3], "gyro_gain": (1.0,) * 3,
        "field_ut": 50.0, "dip_deg": 60.0, "hard_iron_ut": zeros[:3], "acc_noise": 0.0, "gyro_noise": 0.0,
        "mag_noise": 0.0, "force_noise": 0.0, "force_zero_n": 0.0, "force_drift_n": 0.0, "force_dead_n": 0.0,
        "force_gain": 1.0, "force_lag_s": 0.0, "clock_ppm": 0.0,
    }  # fmt: skip
    return Device(**{**none, **changes})


def tumbling_pose(n=800):
    """Large smooth turns of all three angles at once."""
    t = np.arange(n) / RATE
    return Pose(
        RATE,
        altitude=0.9 + 0.3 * np.sin(2 * np.pi * 3.1 * t),
        azimuth=1.8 + 0.8 * np.sin(2 * np.pi * 2.3 * t + 1.0),
        roll=0.2 + 0.9 * np.sin(2 * np.pi * 1.7 * t + 2.0),
    )


def motion_of(pose, tip_m, shake=None):
    axes = pose.axes()
    n = len(axes)
    return RigidMotion(
        RATE,
        axes,
        second_derivative(tip_m, RATE),
        second_derivative(axes[:, 2], RATE),
        pose.angular_velocity(),
        np.zeros((n, 3)) if shake is None else shake,
        np.zeros(n),
    )


def channels(pose, tip_m, device=None, field=(0.0, 0.0, 0.0)):
    n = len(pose.altitude)
    rng = np.random.default_rng(0)
    seen = report(motion_of(pose, tip_m), np.zeros(n), device or perfect_pen(), np.asarray(field), rng)
    return seen.astype(np.float64)


def still_pose(altitude_deg, azimuth_deg, roll_deg, n=20):
    angles = (np.full(n, np.deg2rad(a)) for a in (altitude_deg, azimuth_deg, roll_deg))
    return Pose(RATE, *angles)


def test_axes_are_right_handed_and_orthonormal():
    axes = tumbling_pose().axes()
    np.testing.assert_allclose(
        axes @ axes.transpose(0, 2, 1), np.eye(3)[None].repeat(len(axes), 0), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(axes), 1.0, atol=1e-12)


def test_the_long_axis_points_from_the_tip_to_where_the_tail_is():
    axis = still_pose(30.0, 90.0, 40.0).axes()[0, 2]
    np.testing.assert_allclose(axis, [np.cos(np.pi / 6), 0.0, 0.5], atol=1e-12)


def test_roll_turns_the_pen_about_its_own_axis_alone():
    a, b = still_pose(55.0, 110.0, 0.0).axes()[0], still_pose(55.0, 110.0, 35.0).axes()[0]
    np.testing.assert_allclose(a[2], b[2], atol=1e-12)
    assert a[0] @ b[0] == pytest.approx(np.cos(np.deg2rad(35.0)))


def test_angular_velocity_is_the_derivative_of_the_axes():
    pose = tumbling_pose()
    axes = pose.axes()
    change = np.gradient(axes, 1.0 / RATE, axis=0)  # d(axis i)/dt = omega x axis i, in paper coordinates
    omega_world = np.einsum("nij,ni->nj", axes, pose.angular_velocity())
    expected = np.cross(omega_world[:, None, :], axes)
    np.testing.assert_allclose(change[2:-2], expected[2:-2], atol=2e-3 * np.abs(expected).max())


def test_both_accelerometers_sit_on_one_rigid_body():
    pose, n = tumbling_pose(), 800
    t = np.arange(n) / RATE
    tip = np.stack([0.01 * np.sin(20 * t), 0.008 * np.cos(25 * t), 0.0 * t], axis=-1)
    seen = channels(pose, tip)
    omega = pose.angular_velocity()
    alpha = np.gradient(omega, 1.0 / RATE, axis=0)
    arm = np.array([0.0, 0.0, 0.09])
    expected = np.cross(alpha, arm) + np.cross(omega, np.cross(omega, arm))
    difference = seen[:, 3:6] - seen[:, 0:3]
    np.testing.assert_allclose(difference[3:-3], expected[3:-3], atol=3e-3 * np.abs(expected).max())


@pytest.mark.parametrize("angles", [(90.0, 0.0, 0.0), (55.0, 110.0, 20.0), (48.0, 310.0, -45.0)])
def test_at_rest_both_accelerometers_read_gravity_upwards(angles):
    pose = still_pose(*angles)
    seen = channels(pose, np.zeros((20, 3)))
    up = pose.axes()[0] @ [0.0, 0.0, GRAVITY]
    np.testing.assert_allclose(seen[:, 0:3], np.tile(up, (20, 1)), atol=1e-5)
    np.testing.assert_allclose(seen[:, 3:6], np.tile(up, (20, 1)), atol=1e-5)
    np.testing.assert_allclose(seen[:, 6:9], 0.0, atol=1e-9)


def test_the_field_keeps_its_strength_however_the_pen_turns():
    field = np.array([15.0, -10.0, -40.0])
    seen = channels(tumbling_pose(), np.zeros((800, 3)), field=field)
    np.testing.assert_allclose(np.linalg.norm(seen[:, 9:12], axis=1), np.linalg.norm(field), rtol=1e-5)


def test_a_pushed_pen_feels_the_push_in_its_own_axes():
    pose, t = still_pose(55.0, 110.0, 20.0, n=200), np.arange(200) / RATE
    tip = np.stack([0.5 * 3.0 * t**2, 0 * t, 0 * t], axis=-1)  # 3 m/s2 to the right
    seen = channels(pose, tip)
    expected = pose.axes()[0] @ [3.0, 0.0, GRAVITY]
    np.testing.assert_allclose(seen[100, 0:3], expected, atol=1e-4)


def test_errors_of_the_device_do_what_they_are_called():
    pose, still = still_pose(55.0, 110.0, 20.0), np.zeros((20, 3))
    true = channels(pose, still)
    device = perfect_pen(
        acc_bias=(0.1, 0.2, 0.3, -0.1, -0.2, -0.3),
        gyro_bias=(0.01, 0.02, 0.03),
        hard_iron_ut=(3.0, -2.0, 1.0),
    )
    wrong = channels(pose, still, device)
    expected = [*device.acc_bias, *device.gyro_bias, *device.hard_iron_ut, 0.0]
    np.testing.assert_allclose((wrong - true)[5], expected, atol=1e-5)
