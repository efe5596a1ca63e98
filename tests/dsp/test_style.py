"""The writer's style: what the recent ink says, and nothing else."""

import numpy as np
import pytest

from penapp.dsp.motion import MotionBlock
from penapp.dsp.params import DEFAULT_PARAMS, FEATURE_NAMES, ROW_NAMES
from penapp.dsp.store import RowStore
from penapp.dsp.style import INK_ROWS, RECENT_ROWS, STYLE_NAMES, writing_style


def ink_rows(n=400, seed=0, size=1.0):
    """Rows on paper: motion of a certain size in every direction."""
    rows = np.random.default_rng(seed).standard_normal((n, len(ROW_NAMES))).astype(np.float32)
    rows[:, :12] *= size
    rows[:, 12], rows[:, 13] = 1.7, 0.9
    return rows


def in_the_air(n, size=5.0):
    rows = ink_rows(n, 1, size)
    rows[:, 12:] = 0.0
    return rows


def style(rows):
    return dict(zip(STYLE_NAMES, writing_style(rows).tolist(), strict=True))


def test_a_large_hand_is_told_from_a_small_one():
    small, large = style(ink_rows(size=0.5)), style(ink_rows(size=2.0))
    for name in STYLE_NAMES[:9]:
        if not name.endswith("_tie"):
            assert large[name] - small[name] == pytest.approx(np.log(4.0), abs=0.25), name
    assert large["style_rate"] > small["style_rate"] + 0.8


def test_slant_shows_as_a_tie_between_forward_and_side():
    rows = ink_rows(600)
    rows[:, 7] += 0.8 * rows[:, 6]
    assert style(rows)["style_pos_tie"] > 0.4
    assert abs(style(ink_rows(600))["style_pos_tie"]) < 0.1


def test_only_ink_counts():
    rows = ink_rows()
    np.testing.assert_array_equal(writing_style(np.concatenate([rows, in_the_air(300)])), writing_style(rows))


def test_pen_ups_cut_the_ink_into_strokes():
    many = np.concatenate([part for k in range(10) for part in (ink_rows(30, k), in_the_air(10))])
    assert style(many)["style_stroke"] < style(ink_rows(300))["style_stroke"] - 0.5


def test_old_ink_is_forgotten():
    late, pause, wild = ink_rows(INK_ROWS), in_the_air(RECENT_ROWS), ink_rows(size=9.0)
    for kept in (late, pause):
        np.testing.assert_array_equal(writing_style(np.concatenate([wild, kept])), writing_style(kept))


def test_little_ink_says_little():
    """A few rows of a giant's hand: nearer to the usual than a long text of the same hand."""
    hands = (ink_rows(0), ink_rows(5, 0, 4.0), ink_rows(500, 0, 4.0))
    usual, little, much = (style(rows)["style_pos_side"] for rows in hands)
    assert usual < little < much - 0.5
    assert style(ink_rows(5))["style_ink"] < style(ink_rows(500))["style_ink"] - 1.0


def test_a_word_knows_the_ink_before_it_but_none_behind_it():
    def motion(n, first, size):
        vectors = [size * np.random.default_rng(k + n).standard_normal((n, 3)) for k in range(4)]
        return MotionBlock((first + np.arange(n)) / 100.0, *vectors, force_n=np.full(n, 2.0))

    calm, wild = motion(300, 0, 0.001), motion(300, 0, 0.01)
    word, later = motion(100, 300, 0.002), motion(300, 400, 0.05)
    cuts = []
    for blocks in ([calm, word], [calm, word, later], [wild, word]):
        store = RowStore(DEFAULT_PARAMS)
        for block in blocks:
            store.push(block)
        cuts.append(store.cut(3.2, 3.8).values)
    np.testing.assert_array_equal(cuts[0], cuts[1])
    first = len(ROW_NAMES)
    assert cuts[0].shape[1] == len(FEATURE_NAMES) == first + len(STYLE_NAMES)
    assert np.ptp(cuts[0][:, first:], axis=0).max() == 0.0
    assert np.abs(cuts[0][0, first:] - cuts[2][0, first:]).max() > 0.5
    np.testing.assert_array_equal(cuts[0][:, :first], cuts[2][:, :first])
