"""From plotter paths to pen strokes."""

import numpy as np

from penapp.simulation.font_direction import printed
from penapp.simulation.font_strokes import cut_retraces, recover_strokes


def path(*points):
    return np.array(points, float)


def test_a_bar_drawn_out_and_back_becomes_one_stroke():
    t = path((300, 0), (300, 700), (100, 700), (500, 700), (300, 700), (300, 1000))
    stem, bar = printed("t", [t])[1]
    assert stem[0].tolist() == [300, 1000]
    assert stem[-1].tolist() == [300, 0]
    assert bar[0].tolist() == [100, 700]
    assert bar[-1].tolist() == [500, 700]


def test_going_back_up_a_stem_is_kept_as_one_stroke_and_cut_when_lifted():
    n = path((0, 0), (0, 700), (0, 500), (200, 690), (400, 500), (400, 0))
    (written,), lifted = printed("n", [n])
    assert written[0].tolist() == [0, 700], "the stem runs down"
    assert written[-1].tolist() == [400, 0]
    assert len(lifted) == 2


def test_a_ring_begins_at_its_top_and_runs_anticlockwise():
    angle = np.linspace(-np.pi / 2, -5 * np.pi / 2, 25)
    ring = np.stack([300 + 300 * np.cos(angle), 350 + 350 * np.sin(angle)], axis=1)
    (stroke,), _ = printed("o", [ring])
    assert stroke[0, 1] > 680
    assert stroke[6, 0] < 100, "first to the left"


def test_separate_downstrokes_of_a_v_become_one():
    (stroke,), _ = printed("v", [path((0, 700), (300, 0)), path((600, 700), (300, 0))])
    assert stroke[0].tolist() == [0, 700]
    assert stroke[-1].tolist() == [600, 700]


def test_nothing_is_lost_or_invented():
    e = path((500, 700), (0, 700), (0, 350), (400, 350), (0, 350), (0, 0), (500, 0))
    for flat in (True, False):
        strokes = recover_strokes([e], horizontal_only=flat)
        length = sum(np.hypot(*np.diff(s, axis=0).T).sum() for s in strokes)
        assert length == 2100
    assert len(cut_retraces(e, horizontal_only=False)) == 2
