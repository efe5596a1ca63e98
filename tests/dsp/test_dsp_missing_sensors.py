"""Pens that lack sensors: what they still have is read as a complete pen's would be."""

from dataclasses import replace

import numpy as np
import pytest

from penapp.dsp.motion import MotionEstimator
from penapp.dsp.params import DEFAULT_PARAMS, PenGeometry
from penapp.pipeline import FrontEnd
from penapp.simulation.demo_ink import demo_sentences, sentence_ink
from penapp.simulation.pen import VirtualWriter
from penapp.stream.block import ACC_FRONT, ACC_REAR, CHANNEL_COUNT, GYRO, MAG, SampleBlock

LACKING = {
    "rear accelerometer": (ACC_REAR,),
    "front accelerometer": (ACC_FRONT,),
    "magnetometer": (MAG,),
    "rear accelerometer and magnetometer": (ACC_REAR, MAG),
    "gyroscope": (GYRO,),
    "one axis of the front accelerometer": (slice(1, 2),),
    "one axis of the rear accelerometer": (slice(5, 6),),
}


@pytest.fixture(scope="module")
def written():
    return VirtualWriter.draw(4).write(sentence_ink(demo_sentences()[1])[:3], 4)


def words_of(written, *lacking):
    """(features, times) of the words that the live stages cut."""
    valid = np.ones(CHANNEL_COUNT, dtype=np.bool_)
    for columns in lacking:
        valid[columns] = False
    values = np.where(valid, written.values, np.float32(0.0))
    front_end = FrontEnd(written.rate_hz, DEFAULT_PARAMS)
    return [
        c.features for c in [*front_end.push(SampleBlock(written.t, values, 0, valid)), *front_end.finish()]
    ]


@pytest.mark.parametrize("lacking", LACKING)
def test_a_pen_that_lacks_a_sensor_still_gives_finite_words(written, lacking):
    words = words_of(written, *LACKING[lacking])
    assert len(words) == len(words_of(written)) == 3
    for word in words:
        assert np.isfinite(word.values).all()
        assert np.abs(word.values).max() < 10.0
        assert word.values[:, 3:5].std() > 0.3


def test_nothing_changes_without_a_magnetometer(written):
    for a, b in zip(words_of(written, MAG), words_of(written), strict=True):
        np.testing.assert_array_equal(a.values, b.values)


@pytest.mark.parametrize(
    ("columns", "agreement"), [(ACC_REAR, 0.99), (slice(5, 6), 0.99), (ACC_FRONT, 0.8), (slice(1, 2), 0.8)]
)
def test_one_accelerometer_and_the_gyroscope_tell_nearly_what_two_accelerometers_tell(
    written, columns, agreement
):
    lone, whole = (np.concatenate([w.values for w in words_of(written, *c)]) for c in ((columns,), ()))
    assert len(lone) == len(whole)
    for row in range(3, 9):  # velocity and position
        assert np.corrcoef(lone[:, row], whole[:, row])[0, 1] > agreement, row


@pytest.mark.parametrize(("lacking", "site_mm"), [(ACC_REAR, 25.0), (ACC_FRONT, 115.0)])
def test_the_tip_of_a_pen_turning_about_it_stays_at_rest(lacking, site_mm):
    """A pen swung about its resting tip: all that the accelerometer feels besides gravity is the swing."""
    t = np.arange(200) / 100.0
    rate = np.stack([3.0 * np.sin(9.0 * t), 2.0 * np.cos(7.0 * t), 0.5 + 0.0 * t], axis=-1)
    growth = np.diff(rate, axis=0, prepend=rate[:1]) * 100.0
    site = np.array([0.0, 0.0, site_mm * 1e-3])
    gravity = np.array([0.0, 0.0, 9.81])
    felt = gravity + np.cross(growth, site) + np.cross(rate, np.cross(rate, site))
    values = np.zeros((len(t), CHANNEL_COUNT))
    values[:, ACC_FRONT], values[:, ACC_REAR], values[:, GYRO] = felt, felt, rate
    valid = np.ones(CHANNEL_COUNT, dtype=np.bool_)
    valid[lacking] = False
    tip = MotionEstimator(DEFAULT_PARAMS, PenGeometry(25.0, 115.0))._tip_acceleration(values, felt, valid)
    np.testing.assert_allclose(tip, np.tile(gravity, (len(t), 1)), atol=1e-9)


def test_an_accelerometer_at_the_rear_alone_takes_the_place_of_the_front_one(written):
    """The same chip, named as the rear one, no turning: the words are those of a lone front one."""
    moved = written.values.copy()
    moved[:, ACC_REAR], moved[:, GYRO] = moved[:, ACC_FRONT], 0.0
    still = written.values.copy()
    still[:, GYRO] = 0.0
    rear = words_of(replace(written, values=moved), ACC_FRONT)
    front = words_of(replace(written, values=still), ACC_REAR)
    for a, b in zip(rear, front, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
