import numpy as np
import pytest

from models.training.augment import augmented, joined
from models.training.config import AugmentConfig
from penapp.dsp.params import FEATURE_NAMES

PLAIN = AugmentConfig(**dict.fromkeys(AugmentConfig.__dataclass_fields__, 0.0))
WILD = AugmentConfig(
    stretch=1.0, warp=0.5, turn_deg=90.0, shear=0.5, size=0.5, noise=0.3, mask=0.9, channel=1.0, force=0.5
)


def rows_of(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, len(FEATURE_NAMES))).astype(np.float32)


@pytest.mark.parametrize("n", [9, 64, 333])
def test_without_strength_every_row_stays_as_it_is(n):
    rows = rows_of(n)
    for seed in range(20):
        np.testing.assert_array_equal(augmented(rows, PLAIN, np.random.default_rng(seed)), rows)


@pytest.mark.parametrize("n", [4, 9, 30, 700])
def test_even_the_wildest_variation_stays_finite_and_keeps_its_kind(n):
    for seed in range(50):
        varied = augmented(rows_of(n, seed), WILD, np.random.default_rng(seed))
        assert varied.dtype == np.float32
        assert varied.shape[1] == len(FEATURE_NAMES)
        assert np.isfinite(varied).all()
        assert 0.45 * n <= max(len(varied), 4) <= max(2.1 * n, 4)


def test_the_word_itself_is_not_touched():
    rows = rows_of(50)
    before = rows.copy()
    for seed in range(10):
        augmented(rows, WILD, np.random.default_rng(seed))
    np.testing.assert_array_equal(rows, before)


def test_the_same_draw_gives_the_same_variation_and_another_draw_another():
    rows = rows_of(80)
    one, again, other = (augmented(rows, AugmentConfig(), np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_a_faster_word_has_fewer_rows_and_more_of_everything_that_is_per_second():
    """Twice as fast: half the rows, twice the velocity, four times the acceleration, the same path."""
    rows = np.ones((100, len(FEATURE_NAMES)), dtype=np.float32)
    only_tempo = AugmentConfig(**{**dict.fromkeys(AugmentConfig.__dataclass_fields__, 0.0), "stretch": 1.0})
    for seed in range(10):
        varied = augmented(rows, only_tempo, np.random.default_rng(seed))
        tempo = varied[0, 3]
        assert len(varied) == pytest.approx(100 / tempo, abs=1)
        np.testing.assert_allclose(varied[:, 0:3], tempo**2, rtol=1e-5)
        np.testing.assert_allclose(varied[:, 6:9], 1.0, rtol=1e-5)
        np.testing.assert_allclose(varied[:, 9:12], tempo, rtol=1e-5)
        np.testing.assert_allclose(varied[:, 12:], 1.0, rtol=1e-5)


def test_turning_keeps_lengths_and_the_vertical():
    rows = rows_of(40)
    only_turn = AugmentConfig(**{**dict.fromkeys(AugmentConfig.__dataclass_fields__, 0.0), "turn_deg": 60.0})
    turned = augmented(rows, only_turn, np.random.default_rng(3))
    for group in (0, 3, 6, 9):
        before, after = (np.hypot(x[:, group], x[:, group + 1]) for x in (rows, turned))
        np.testing.assert_allclose(after, before, rtol=1e-5)
        np.testing.assert_array_equal(turned[:, group + 2], rows[:, group + 2])
    assert np.abs(turned - rows).max() > 0.1


def test_joined_words_follow_each_other():
    a, b = rows_of(5, 1), rows_of(7, 2)
    np.testing.assert_array_equal(joined(a, b), [*a, *b])
