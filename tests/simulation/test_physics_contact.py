"""Contact between tip and paper is imperfect, and sessions repeat exactly."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from penapp.simulation.contact import contact_force, sensed_force
from penapp.simulation.demo_ink import demo_sentences, sentence_ink
from penapp.simulation.ink import WordInk
from penapp.simulation.parameters import Device, Pace, Touch
from penapp.simulation.path import PathBuilder, session_path
from penapp.simulation.pen import VirtualWriter

RATE = 200.0


def words(n=4):
    return sentence_ink(demo_sentences()[0])[:n]


def touch(**changes):
    return replace(Touch.draw(np.random.default_rng(3)), **changes)


def path_and_force(seed=0, **changes):
    held = touch(**changes)
    rng = np.random.default_rng(seed)
    path = session_path(words(), held, Pace(), rng, RATE)
    return path, contact_force(path, held, rng)


def test_the_same_seed_gives_the_same_samples_and_another_does_not():
    writer = VirtualWriter.draw(5)
    first, again = writer.write(words(), 7), writer.write(words(), 7)
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.t, again.t)
    assert not np.array_equal(first.values[:100], writer.write(words(), 8).values[:100])


def test_the_same_seed_draws_the_same_writer():
    assert VirtualWriter.draw(5) == VirtualWriter.draw(5)
    assert VirtualWriter.draw(5) != VirtualWriter.draw(6)


def test_force_is_zero_in_the_air_and_positive_on_paper():
    path, force = path_and_force(dip_rate_hz=0.0)
    assert np.all(force[~path.down] == 0.0)
    assert np.mean(force[path.down] > 0.0) > 0.99


def test_leakage_shows_force_in_the_air():
    _, force = path_and_force()
    device = replace(Device.draw(np.random.default_rng(0)), force_zero_n=0.1)
    seen = sensed_force(force, RATE, device, np.random.default_rng(1))
    still = np.zeros(len(force), dtype=bool)
    still[:100] = True  # the hover before the first word
    assert np.median(seen[still]) == pytest.approx(0.1, abs=0.05)


def silent_sensor(**changes):
    """Neither zero, drift, noise, lag nor dead zone, apart from the changes."""
    names = ("force_dead_n", "force_zero_n", "force_drift_n", "force_noise", "force_lag_s")
    faultless = {**dict.fromkeys(names, 0.0), "force_gain": 1.0}
    return replace(Device.draw(np.random.default_rng(0)), **{**faultless, **changes})


def test_the_dead_zone_hides_light_contact():
    device = silent_sensor(force_dead_n=0.05)
    seen = sensed_force(np.array([0.0, 0.04, 0.05, 0.25]), RATE, device, np.random.default_rng(0))
    np.testing.assert_allclose(seen, [0.0, 0.0, 0.0, 0.2], atol=1e-12)


def test_the_sensor_lags():
    device = silent_sensor(force_lag_s=0.01)
    seen = sensed_force(np.ones(400), RATE, device, np.random.default_rng(0))
    assert seen[0] < 0.6
    assert seen[-1] == pytest.approx(1.0)


def deepest_dip(force, path):
    """Lowest force over the middle of any stroke, as a share of that stroke's median."""
    lows = []
    for word in path.words:
        for start, end in word.stroke_t:
            middle = force[int((start + 0.12) * RATE) : int((end - 0.08) * RATE)]
            if len(middle) > 10:
                lows.append(middle.min() / np.median(middle))
    return min(lows)


def test_soft_dips_nearly_lose_the_paper_inside_a_stroke():
    path, steady = path_and_force(dip_rate_hz=0.0, within_sd=0.0)
    _, dipped = path_and_force(dip_rate_hz=3.0, within_sd=0.0)
    assert deepest_dip(steady, path) > 0.6
    assert deepest_dip(dipped, path) < 0.4


def test_force_rises_slowly_and_falls_fast():
    path, force = path_and_force(dip_rate_hz=0.0, within_sd=0.0, rise_s=0.05, fall_s=0.006)
    start, end = max((s for w in path.words for s in w.stroke_t), key=lambda s: s[1] - s[0])
    stroke = force[int(np.ceil(start * RATE)) : int(np.floor(end * RATE)) + 1]
    level = np.median(stroke)
    assert stroke[0] < 0.3 * level
    assert 0.5 * level < stroke[int(0.06 * RATE)] < 0.95 * level
    assert stroke[-1] < 0.3 * level < stroke[-int(0.03 * RATE)]


def test_touchdown_shakes_the_pen():
    """The same session with and without taps differs at touchdowns and lift-offs, and there alone."""
    writer = VirtualWriter.draw(5)
    ink = words(2)
    rest = replace(writer, touch=replace(writer.touch, tap=0.0))
    hard = replace(writer, touch=replace(writer.touch, tap=6.0))
    with_taps, without = hard.write(ink, 9), rest.write(ink, 9)
    extra = np.abs(with_taps.values[:, 2] - without.values[:, 2])
    edges = np.zeros(len(extra), dtype=bool)
    for word in with_taps.words:
        for start, end in word.stroke_t:
            for t in (start, end):
                edges[max(int(t * 100) - 1, 0) : int(t * 100) + 15] = True
    touchdown, lift_off = (int(t * 100) for t in with_taps.words[0].stroke_t[0])
    assert extra[touchdown - 1 : touchdown + 6].max() > 1.0
    assert extra[lift_off - 1 : lift_off + 6].max() > 0.3
    assert extra[~edges].max() < 0.05


def test_paper_texture_shakes_only_a_moving_pen_in_contact():
    writer = VirtualWriter.draw(5)
    quiet = replace(writer, touch=replace(writer.touch, friction=0.0, tap=0.0))
    rough = replace(writer, touch=replace(writer.touch, friction=1.0, tap=0.0))
    a, b = rough.write(words(2), 9), quiet.write(words(2), 9)
    extra = np.abs(a.values[:, 0:3] - b.values[:, 0:3]).max(axis=1)
    far = ~np.convolve(a.down, np.ones(31), mode="same").astype(bool)
    assert np.sqrt((extra[a.down] ** 2).mean()) > 0.1
    assert extra[far].max() < 1e-4


def test_the_tip_follows_the_ink():
    ink = words(1)[0]
    still = touch(tremor_mm=0.0)
    path = session_path([ink], still, Pace(), np.random.default_rng(0), RATE)
    written = np.concatenate(ink.strokes)
    drawn = path.position[path.down]
    np.testing.assert_allclose(np.ptp(drawn[:, :2], axis=0), np.ptp(written, axis=0), rtol=0.08)
    assert np.all(drawn[:, 2] == 0.0)
    hop = still.hop_mm if len(ink.strokes) > 1 else 1.0
    assert path.position[~path.down, 2].max() > 0.5 * hop


@pytest.mark.parametrize("rate_hz", [200.0, 800.0])
def test_the_tip_settles_on_the_paper_without_a_jump(rate_hz):
    path = session_path(words(), touch(tremor_mm=0.0), Pace(), np.random.default_rng(0), rate_hz)
    fall = np.abs(np.diff(path.position[:, 2])) * rate_hz
    at_the_paper = np.flatnonzero(np.diff(path.down.astype(int)) != 0)
    assert len(at_the_paper) > 8
    assert fall[at_the_paper].max() < 0.2 * fall.max()


def test_the_hand_rests_in_a_pause_and_bursts_while_it_writes():
    session = VirtualWriter.draw(5, pace=Pace(gap_s=(1.5, 1.5))).write(words(), 5)
    turning = np.linalg.norm(session.values[:, 6:9] - np.median(session.values[:, 6:9], axis=0), axis=1)
    pauses = [(session.t > a.end_t + 0.5) & (session.t < b.start_t - 0.6) for a, b in pairwise(session.words)]
    assert np.median(turning[np.any(pauses, axis=0)]) < 0.5 * np.median(turning[session.down])


def test_recorded_pen_ups_keep_their_length():
    line = np.array([[0.0, 0.0], [3.0, 0.0]])
    ink = WordInk("ii", (line, line + 4.0), (np.array([0.0, 0.2]), np.array([0.55, 0.8])), True, "w")
    builder = PathBuilder(touch(), Pace(), np.random.default_rng(0))
    builder.add(ink)
    (first, second) = builder.build(RATE).words[0].stroke_t
    assert second[0] - first[1] == pytest.approx(0.35)


def test_sessions_report_at_the_asked_rate():
    writer = VirtualWriter.draw(5)
    for rate_hz in (50.0, 104.0, 400.0):
        session = writer.write(words(1), 7, rate_hz=rate_hz)
        assert np.median(np.diff(session.t)) == pytest.approx(1.0 / rate_hz, rel=1e-3)
        assert session.t[-1] > session.words[-1].end_t
        assert np.isfinite(session.values).all()
