"""A calibration undoes the distortion that it describes, row by row."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from calibration.errors import CalibrationError, InvalidCalibrationError, WrongChannelsError
from calibration.sensor import CHANNEL_COUNT, Correction, PenCalibration, identity
from penapp.calibrate import Calibrator
from penapp.simulation.demo_ink import demo_sentences, sentence_ink
from penapp.simulation.pen import VirtualWriter
from penapp.stream.block import ACC_REAR, SampleBlock

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def undoing(distortion, offset):
    """The correction of measured = distortion @ true + offset."""
    gain = tuple(tuple(float(v) for v in row) for row in np.linalg.inv(distortion))
    return Correction(tuple(float(v) for v in offset), gain)


def distorted_pen(seed=0):
    """(calibration, function that distorts true samples) with errors larger than any real pen's."""
    rng = np.random.default_rng(seed)
    distortions = [np.eye(3) + 0.15 * rng.standard_normal((3, 3)) for _ in range(4)]
    offsets = [rng.standard_normal(3) * scale for scale in (0.5, 0.5, 0.1, 40.0)]

    def distort(true):
        out = true.astype(np.float64)
        for i, (m, b) in enumerate(zip(distortions, offsets, strict=True)):
            out[:, 3 * i : 3 * i + 3] = true[:, 3 * i : 3 * i + 3] @ m.T + b
        out[:, 12] = true[:, 12] / 1.2 + 0.07
        return out.astype(np.float32)

    corrections = [undoing(m, b) for m, b in zip(distortions, offsets, strict=True)]
    return PenCalibration("pen", DAY, *corrections, force_zero_n=0.07, force_scale=1.2), distort


def true_samples(n=500):
    rng = np.random.default_rng(1)
    spread = np.array([9.0] * 6 + [2.0] * 3 + [50.0] * 3 + [1.0])
    return (rng.standard_normal((n, CHANNEL_COUNT)) * spread).astype(np.float32)


def test_a_known_distortion_is_undone():
    calibration, distort = distorted_pen()
    true = true_samples()
    np.testing.assert_allclose(calibration.apply(distort(true)), true, atol=5e-5)


def test_identity_changes_no_bit():
    true = true_samples()
    np.testing.assert_array_equal(identity().apply(true), true)
    assert identity().is_identity
    assert not distorted_pen()[0].is_identity


@pytest.mark.parametrize("seed", range(5))
def test_corrected_samples_do_not_depend_on_how_they_were_split(seed):
    calibration, distort = distorted_pen(seed)
    block = SampleBlock(np.arange(500) / 100.0, distort(true_samples()))
    rng = np.random.default_rng(seed)
    edges = [0, *sorted({int(c) for c in rng.integers(1, 500, 40)}), 500]
    parts = [SampleBlock(block.t[a:b], block.values[a:b]) for a, b in pairwise(edges)]
    stage = Calibrator(calibration)
    (whole,) = stage.push(block)
    stage.reset()
    pieces = [out for part in parts for out in stage.push(part)] + stage.finish()
    np.testing.assert_array_equal(np.concatenate([p.values for p in pieces]), whole.values)
    np.testing.assert_array_equal(np.concatenate([p.t for p in pieces]), block.t)
    assert whole.values.dtype == np.float32


def test_the_virtual_pens_own_errors_are_undone():
    """A faultless pen and one with biases, gains and skewed axes are one calibration apart."""
    writer = VirtualWriter.draw(8)
    device = replace(writer.device, acc_noise=0.0, gyro_noise=0.0, mag_noise=0.0, site_error_mm=(0.0, 0.0))
    straight = ((0.0, 0.0, 0.0),) * 4
    clean = replace(
        device, acc_bias=(0.0,) * 6, acc_gain=(1.0,) * 6, gyro_bias=(0.0,) * 3, gyro_gain=(1.0,) * 3,
        misalign_deg=straight, hard_iron_ut=(0.0,) * 3,
    )  # fmt: skip
    words = sentence_ink(demo_sentences()[0])[:1]
    wrong, right = (replace(writer, device=d).write(words, 3).values for d in (device, clean))

    def skew(i):
        x, y, z = np.deg2rad(device.misalign_deg[i])
        return np.array([[1.0, -z, y], [z, 1.0, -x], [-y, x, 1.0]])

    ones = np.ones(3)
    gains = [np.array(device.acc_gain[:3]), np.array(device.acc_gain[3:]), np.array(device.gyro_gain), ones]
    offsets = [device.acc_bias[:3], device.acc_bias[3:], device.gyro_bias, device.hard_iron_ut]
    corrections = [undoing(np.diag(g) @ skew(i).T, offsets[i]) for i, g in enumerate(gains)]
    calibration = PenCalibration("virtual", DAY, *corrections)
    assert np.abs(wrong[:, :12] - right[:, :12]).max() > 0.5
    np.testing.assert_allclose(calibration.apply(wrong)[:, :12], right[:, :12], atol=2e-3)


def test_channels_that_the_pen_lacks_stay_zero_and_invalid():
    calibration, distort = distorted_pen()
    valid = np.ones(CHANNEL_COUNT, dtype=np.bool_)
    valid[ACC_REAR] = False
    values = np.where(valid, distort(true_samples(50)), np.float32(0.0))
    (out,) = Calibrator(calibration).push(SampleBlock(np.arange(50) / 100.0, values, 7, valid))
    assert np.all(out.values[:, ACC_REAR] == 0.0)
    np.testing.assert_array_equal(out.valid, valid)
    assert out.lost == 7


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Correction((np.nan, 0.0, 0.0)), "not finite"),
        (lambda: Correction(gain=((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))), "fewer"),
        (lambda: Correction(gain=((1.0, 0.0), (0.0, 1.0))), "expected (3,) and (3, 3)"),
        (lambda: PenCalibration("p", DAY, force_scale=0.0), "scale above 0"),
        (lambda: PenCalibration("p", datetime(2026, 1, 1)), "time zone"),  # noqa: DTZ001 - the point of the test
    ],
)
def test_impossible_numbers_are_refused(make, said):
    with pytest.raises(InvalidCalibrationError) as caught:
        make()
    assert said in str(caught.value)


def test_samples_of_another_shape_are_refused():
    with pytest.raises(WrongChannelsError, match=r"expected \(n, 13\)"):
        identity().apply(np.zeros((4, 12), np.float32))


def test_all_errors_share_one_root_and_carry_advice():
    assert issubclass(InvalidCalibrationError, CalibrationError)
    assert str(CalibrationError("found x.", advice="Do y.")) == "found x. Do y."
