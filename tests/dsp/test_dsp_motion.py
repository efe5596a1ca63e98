"""The tip's motion is found again, whatever the grip."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.signal import bilinear, lfilter

from penapp.dsp.features import feature_rows, squash
from penapp.dsp.motion import MotionEstimator
from penapp.dsp.params import DEFAULT_PARAMS, ROW_NAMES, FeatureParams, PenGeometry
from penapp.dsp.resample import Resampler
from penapp.simulation.demo_ink import demo_sentences, sentence_ink
from penapp.simulation.parameters import Device, Pace
from penapp.simulation.path import session_path
from penapp.simulation.pen import OVERSAMPLING, VirtualWriter
from penapp.stream.block import CHANNEL_COUNT, SampleBlock

GRIPS = {
    "upright": {"altitude_deg": 65.0, "azimuth_deg": 100.0, "roll_deg": 0.0},
    "flat, rolled": {"altitude_deg": 47.0, "azimuth_deg": 140.0, "roll_deg": 55.0},
    "left-handed": {"altitude_deg": 55.0, "azimuth_deg": 310.0, "roll_deg": -40.0},
}


def writer_with(seed=11, **grip):
    writer = VirtualWriter.draw(seed, pace=Pace(gap_s=(0.8, 1.2)))
    return replace(writer, grip=replace(writer.grip, **grip))


def write(writer, rate_hz=100.0, seed=5, words=3):
    """(session, true tip path): the path comes from the same seed, so it is the one that was written."""
    ink = sentence_ink(demo_sentences()[2])[:words]
    path = session_path(ink, writer.touch, writer.pace, np.random.default_rng(seed), OVERSAMPLING * rate_hz)
    return writer.write(ink, seed, rate_hz=rate_hz), path


def motion_of(session, params=DEFAULT_PARAMS, geometry=None):
    resampler = Resampler(session.rate_hz, params)
    estimator = MotionEstimator(params, geometry or PenGeometry())
    rows = resampler.push(SampleBlock(session.t, session.values)) + resampler.finish()
    pieces = [m for r in rows for m in estimator.push(r)]
    assert len(pieces) >= 1
    return pieces


def joined(pieces, name):
    return np.concatenate([getattr(m, name) for m in pieces])


def true_velocity(path, azimuth_deg, t):
    """Tip velocity in m/s along (forward, side, up), through the same high-pass as the estimate."""
    w = 2.0 * np.pi * DEFAULT_PARAMS.highpass_hz
    b, a = bilinear([1.0, 0.0, 0.0], np.poly([-w, -w]), path.rate_hz)
    velocity = np.gradient(path.position * 1e-3, 1.0 / path.rate_hz, axis=0)
    passed = lfilter(b, a, velocity, axis=0)
    azimuth = np.deg2rad(azimuth_deg)
    forward = passed[:, 0] * np.sin(azimuth) + passed[:, 1] * np.cos(azimuth)
    side = -passed[:, 0] * np.cos(azimuth) + passed[:, 1] * np.sin(azimuth)
    clock = np.arange(len(passed)) / path.rate_hz
    return np.stack([np.interp(t, clock, v) for v in (forward, side, passed[:, 2])], axis=-1)


def on_paper(path, t):
    index = np.clip((t * path.rate_hz).astype(int), 0, len(path.down) - 1)
    return path.down[index]


@pytest.mark.parametrize("grip", GRIPS)
@pytest.mark.parametrize("seed", [11, 23])
def test_the_tips_velocity_is_recovered_from_every_grip(grip, seed):
    writer = writer_with(seed, **GRIPS[grip])
    session, path = write(writer)
    pieces = motion_of(session)
    t = joined(pieces, "t")
    kept = on_paper(path, t) & (t > 0.9)
    got, true = joined(pieces, "velocity")[kept], true_velocity(path, writer.grip.azimuth_deg, t)[kept]
    for axis in (0, 1):
        assert np.corrcoef(got[:, axis], true[:, axis])[0, 1] > 0.8


def test_features_do_not_depend_on_how_the_pen_is_rolled():
    """The same movement, the pen turned about its own axis."""
    session, _ = write(writer_with(roll_deg=0.0))
    angle = np.deg2rad(50.0)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    values = session.values.astype(np.float64).copy()
    for a in (0, 3, 6, 9):
        values[:, a : a + 3] = values[:, a : a + 3] @ turn.T
    rolled = replace(session, values=values.astype(np.float32))
    straight, other = (np.concatenate([feature_rows(m, DEFAULT_PARAMS) for m in motion_of(s)])
                       for s in (session, rolled))  # fmt: skip
    np.testing.assert_allclose(other, straight, atol=0.05)


def test_features_of_two_rolls_of_one_writer_agree():
    clean = quiet_device()
    rows = []
    for roll in (0.0, 50.0):
        writer = replace(writer_with(roll_deg=roll, roll_per_mm=(0.0, 0.0)), device=clean)
        rows.append(np.concatenate([feature_rows(m, DEFAULT_PARAMS) for m in motion_of(write(writer)[0])]))
    settled = slice(90, None)
    for axis in (3, 4):
        assert np.corrcoef(rows[0][settled, axis], rows[1][settled, axis])[0, 1] > 0.9


def quiet_device():
    device = Device.draw(np.random.default_rng(0))
    return replace(
        device, acc_noise=0.0, gyro_noise=0.0, force_noise=0.0, force_drift_n=0.0, force_zero_n=0.0,
        misalign_deg=((0.0, 0.0, 0.0),) * 4, acc_bias=(0.0,) * 6, acc_gain=(1.0,) * 6, gyro_bias=(0.0,) * 3,
        clock_ppm=0.0,
    )  # fmt: skip


def resampled_pair(fast, slow):
    """The same movement as two pens of different rate would report it, without the noise of their own."""
    writer = replace(writer_with(), device=quiet_device())
    writer = replace(writer, touch=replace(writer.touch, friction=0.0, tap=0.0, dip_rate_hz=0.0))
    ink = sentence_ink(demo_sentences()[2])[:3]
    path = session_path(ink, writer.touch, writer.pace, np.random.default_rng(5), OVERSAMPLING * fast)
    landing = gaussian_filter1d(path.position[:, 2], 0.008 * path.rate_hz)  # below the corners of both pens
    path = replace(path, position=np.column_stack([path.position[:, :2], landing]))
    session = writer.sense(path, np.random.default_rng(6))
    factor = round(fast / slow)
    n = len(session.t) // factor
    values = session.values[: n * factor].reshape(n, factor, CHANNEL_COUNT).mean(axis=1, dtype=np.float64)
    t = session.t[: n * factor].reshape(n, factor).mean(axis=1)
    return session, replace(session, rate_hz=slow, t=t, values=values.astype(np.float32))


@pytest.mark.parametrize(("fast", "slow"), [(200.0, 100.0), (400.0, 200.0), (400.0, 100.0)])
def test_pens_of_two_rates_writing_the_same_path_give_the_same_features(fast, slow):
    """Correlation per feature over the written part, allowing the low-pass its few milliseconds of delay."""
    pair = [motion_of(s) for s in resampled_pair(fast, slow)]
    t = np.arange(1.0, min(joined(p, "t")[-1] for p in pair) - 0.1, 0.01)
    rows = []
    for pieces in pair:
        values = np.concatenate([feature_rows(m, DEFAULT_PARAMS) for m in pieces])
        rows.append([np.interp(t, joined(pieces, "t"), column) for column in values.T])
    for name, a, b in zip(ROW_NAMES, *rows, strict=True):
        best = max(np.corrcoef(a[3 + k : -3 + k or None][: len(a) - 6], b[3:-3])[0, 1] for k in range(-3, 4))
        assert best > 0.97, name


def test_a_pen_at_rest_moves_nowhere():
    n = 600
    values = np.zeros((n, CHANNEL_COUNT), np.float32)
    values[:, 0:3] = values[:, 3:6] = 9.81 * np.array([0.3, -0.5, np.sqrt(1 - 0.34)])
    block = SampleBlock(np.arange(n) / 100.0, values)
    (motion,) = MotionEstimator(DEFAULT_PARAMS, PenGeometry()).push(block)
    assert np.abs(motion.velocity).max() < 1e-4
    assert np.abs(motion.position).max() < 1e-4
    assert np.abs(motion.acceleration).max() < 1e-3


def test_the_tip_is_reached_along_the_line_of_both_accelerometers():
    """Front and rear differ by the pen's turning; what is left at the tip does not turn."""
    values = np.zeros((5, CHANNEL_COUNT), np.float32)
    values[:, 2] = values[:, 5] = 9.81
    values[:, 0], values[:, 3] = 2.5, 11.5  # grows by 1 m/s2 per 10 mm: nothing at the tip
    estimator = MotionEstimator(DEFAULT_PARAMS, PenGeometry(25.0, 115.0))
    tip = estimator._tip_acceleration(values.astype(float), values[:, :3].astype(float), np.ones(13, bool))
    np.testing.assert_allclose(tip[0], [0.0, 0.0, 9.81], atol=1e-5)


def test_force_is_counted_above_the_sensors_own_zero():
    session, _ = write(writer_with())
    shifted = replace(session, values=session.values + np.float32(0.3) * (np.arange(13) == 12))
    a, b = (joined(motion_of(s), "force_n") for s in (session, shifted))
    np.testing.assert_allclose(a, b, atol=1e-5)
    assert a.min() > -1e-12


@pytest.mark.parametrize("rate_hz", [125.0, 200.0, 400.0])
def test_a_fast_pen_in_the_air_feels_no_force(rate_hz):
    """No filter may swing below the sensor's zero behind a lift-off: that is where it is looked for."""
    writer = replace(writer_with(), device=quiet_device())
    session, path = write(writer, rate_hz)
    pieces = motion_of(session)
    t, force = joined(pieces, "t"), joined(pieces, "force_n")
    lags = np.arange(-0.015, 0.08, 0.005)
    near_paper = np.any([on_paper(path, np.maximum(t - lag, 0.0)) for lag in lags], axis=0)
    assert np.median(force[on_paper(path, t)]) > 0.5
    assert force[~near_paper].max() < 0.03


def test_squash_keeps_small_values_and_tames_knocks():
    x = np.array([-1.0, -0.1, 0.0, 0.1, 1.0])
    np.testing.assert_allclose(squash(x), x, rtol=0.02, atol=1e-9)
    assert squash(np.array([1000.0]))[0] < 25.0
    np.testing.assert_array_equal(squash(-x), -squash(x))


def test_a_knock_on_the_table_stays_finite():
    session, _ = write(writer_with(), words=1)
    values = session.values.copy()
    values[150:153, 0:6] = 78.0  # full scale for 30 ms
    rows = np.concatenate(
        [feature_rows(m, FeatureParams()) for m in motion_of(replace(session, values=values))]
    )
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() < 40.0
