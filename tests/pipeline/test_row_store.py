"""The store of recent rows: what a cut holds does not depend on what came later, or on how it came."""

import numpy as np
import pytest

from penapp.dsp.motion import MotionBlock
from penapp.dsp.params import DEFAULT_PARAMS, FeatureParams
from penapp.dsp.store import PAD_S, RowStore


def motion(n=500, first=0):
    """Rows at 100 Hz, each recognisable by its force."""
    t = (first + np.arange(n)) / 100.0
    vectors = [np.zeros((n, 3)) for _ in range(4)]
    return MotionBlock(t, *vectors, force_n=1.0 + t)


def pieces(block, size):
    for a in range(0, len(block), size):
        parts = [getattr(block, name)[a : a + size] for name in MotionBlock.__dataclass_fields__]
        yield MotionBlock(*parts)


def filled(size=500, params=DEFAULT_PARAMS, **options):
    store = RowStore(params, **options)
    for block in pieces(motion(), size):
        store.push(block)
    return store


def test_a_cut_reaches_a_little_beyond_its_boundaries():
    found = filled().cut(1.0, 2.0)
    assert found.t[0] == pytest.approx(1.0 - PAD_S)
    assert found.t[-1] == pytest.approx(2.0 + PAD_S)
    assert len(found.values) == len(found.t) == 125
    assert found.fingerprint == DEFAULT_PARAMS.fingerprint()


@pytest.mark.parametrize("decided_t", [2.0, 2.05])
def test_no_row_after_the_decision_is_used_even_if_it_is_there(decided_t):
    """Cut at once or after a second block arrived: the word was decided when it was decided."""
    late = filled().cut(1.0, 2.0, decided_t)
    live = RowStore(DEFAULT_PARAMS)
    live.push(motion(round(decided_t * 100) + 1))
    np.testing.assert_array_equal(live.cut(1.0, 2.0, decided_t).values, late.values)
    assert late.t[-1] == decided_t


@pytest.mark.parametrize("size", [1, 7, 100])
def test_cuts_do_not_depend_on_the_blocks(size):
    np.testing.assert_array_equal(filled(size).cut(1.0, 2.0).values, filled().cut(1.0, 2.0).values)
    store = filled(size)
    store.cut(0.5, 1.0)
    np.testing.assert_array_equal(store.cut(1.0, 2.0).values, filled().cut(1.0, 2.0).values)


def test_old_rows_are_forgotten_and_recent_ones_are_not():
    store = filled(10, keep_s=2.0)
    assert len(store.cut(0.0, 1.0).t) == 0
    recent = store.cut(3.5, 4.5)
    assert (recent.t[0], recent.t[-1]) == (pytest.approx(3.38), pytest.approx(4.62))


def test_an_hour_of_writing_takes_no_more_room_than_two_minutes():
    """Cuts in between once kept every row for good."""
    store, held = RowStore(DEFAULT_PARAMS, keep_s=2.0), []
    for k in range(60):
        store.push(motion(100, first=100 * k))
        if k % 3:
            store.cut(k - 0.5, k + 0.5)
        held.append(sum(len(t) for t in store._t))
    assert max(held) <= 5 * 100
    assert len(store.cut(59.0, 59.5).t) > 50


def test_how_late_a_cut_is_made_does_not_matter():
    early, late = RowStore(DEFAULT_PARAMS, keep_s=10.0), RowStore(DEFAULT_PARAMS, keep_s=10.0)
    for block in pieces(motion(1500), 25):
        early.push(block)
    for block in pieces(motion(1650), 150):
        late.push(block)
    until_t = 14.99
    np.testing.assert_array_equal(early.cut(9.0, 13.0, until_t).values, late.cut(9.0, 13.0, until_t).values)


def test_per_segment_normalisation_acts_on_the_cut_alone():
    params = FeatureParams(normalisation="per-segment")
    one, other = (RowStore(params) for _ in range(2))
    rng = np.random.default_rng(1)
    noisy = MotionBlock(
        np.arange(300) / 100.0, *(rng.standard_normal((300, 3)) for _ in range(4)), np.ones(300)
    )
    one.push(noisy)
    louder = [getattr(noisy, name).copy() for name in MotionBlock.__dataclass_fields__]
    louder[1][250:] *= 50.0
    other.push(MotionBlock(*louder))
    np.testing.assert_array_equal(one.cut(0.5, 1.5).values, other.cut(0.5, 1.5).values)


def test_reset_forgets_all_rows():
    store = filled()
    store.reset()
    assert len(store.cut(1.0, 2.0).values) == 0
