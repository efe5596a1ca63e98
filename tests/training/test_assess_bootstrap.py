"""Intervals over writers and seeds, against plain loops and against an answer known by counting."""

import numpy as np
import pytest

from models.training.assess.bootstrap import Tally, difference, interval, statement, writer_sums
from penapp.errors import BadInputError


def made_up(edits, characters, writers, ids=None):
    edits, characters = np.array(edits, float), np.array(characters, float)
    names = np.array(ids if ids is not None else [f"{i:03d}" for i in range(len(edits))])
    return Tally(names, np.array(writers), edits, characters, edits / 2, (edits > 0).astype(float))


def random_tallies(seeds, worse=0.0, samples=120, writers=12):
    random = np.random.default_rng(5)
    names = random.integers(0, writers, samples).astype(str)
    characters = random.integers(1, 9, samples)
    skill = random.uniform(0.02, 0.4, writers)[names.astype(int)]
    return [
        made_up(random.binomial(characters, skill + worse + 0.03 * seed), characters, names)
        for seed in range(seeds)
    ]


def plain_draws(systems, resamples, seed):
    """Writer by writer, seed by seed: (resamples, systems) percent."""
    random = np.random.default_rng(seed)
    writers = sorted(set(systems[0][0].writers.tolist()))
    sums = [[_sums(tally, writers) for tally in tallies] for tallies in systems]
    draws = []
    for _ in range(resamples):
        drawn = [writers[k] for k in random.integers(0, len(writers), len(writers))]
        row = []
        for tallies in sums:
            seeds = [tallies[k] for k in random.integers(0, len(tallies), len(tallies))]
            errors = units = 0.0
            for writer in drawn:
                for tally in seeds:
                    errors += tally[writer][0]
                    units += tally[writer][1]
            row.append(100.0 * errors / units)
        draws.append(row)
    return np.array(draws)


def _sums(tally, writers):
    own = {writer: tally.writers == writer for writer in writers}
    return {w: (float(tally.edits[own[w]].sum()), float(tally.characters[own[w]].sum())) for w in writers}


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_interval_is_that_of_a_plain_loop(seeds):
    base, other = random_tallies(seeds), random_tallies(seeds, worse=0.05)
    found = difference(base, other, resamples=20_000)
    draws = plain_draws([base, other], 1500, seed=2)
    expected = np.percentile(draws[:, 1] - draws[:, 0], [2.5, 97.5])
    assert [found.points.low, found.points.high] == pytest.approx(expected, abs=0.5)
    alone = interval(writer_sums(base), resamples=20_000)
    assert [alone.low, alone.high] == pytest.approx(np.percentile(draws[:, 0], [2.5, 97.5]), abs=0.8)
    relative = np.percentile(100 * (draws[:, 1] / draws[:, 0] - 1), [2.5, 97.5])
    assert found.relative is not None
    assert [found.relative.low, found.relative.high] == pytest.approx(relative, abs=3.0)


def test_two_writers_give_the_three_values_that_can_be_drawn():
    """10 % of 10 and 30 % of 30 letters: a quarter of the draws is at 10, half at 25, a quarter at 30."""
    sums = writer_sums([made_up([1, 9], [10, 30], ["a", "b"])])
    found = interval(sums, resamples=4000)
    assert (found.value, found.low, found.high) == pytest.approx((25.0, 10.0, 30.0))


def test_the_same_loss_for_every_writer_has_no_width():
    base = [made_up([1, 2, 3], [10, 10, 10], ["a", "b", "c"])]
    other = [made_up([2, 3, 4], [10, 10, 10], ["a", "b", "c"])]
    found = difference(base, other, resamples=500)
    assert (found.points.value, found.points.low, found.points.high) == pytest.approx((10.0, 10.0, 10.0))
    assert found.points.excludes_zero


def test_seeds_widen_the_interval_of_equal_writers():
    seeds = [made_up([e, e], [10, 10], ["a", "b"]) for e in (1, 3)]
    found = interval(writer_sums(seeds), resamples=4000)
    assert (found.value, found.low, found.high) == pytest.approx((20.0, 10.0, 30.0))


def test_words_of_one_writer_are_drawn_together():
    """Twenty words of a good and twenty of a bad writer are two draws, not forty."""
    apart = made_up([0] * 20 + [5] * 20, [10] * 40, [str(i) for i in range(40)])
    together = made_up([0] * 20 + [5] * 20, [10] * 40, ["a"] * 20 + ["b"] * 20)
    narrow, wide = (interval(writer_sums([t]), resamples=1000) for t in (apart, together))
    assert (wide.low, wide.high) == (0.0, 50.0)
    assert narrow.high - narrow.low < 20.0


def test_a_drawn_interval_is_the_same_every_time_and_another_with_another_seed():
    base, other = random_tallies(1), random_tallies(1, worse=0.05)
    one = difference(base, other, resamples=300)
    assert difference(base, other, resamples=300) == one
    assert difference(base, other, resamples=300, seed=2) != one


def test_words_and_letters_without_case_can_be_compared_too():
    base = [made_up([2, 0], [10, 30], ["a", "b"])]
    assert writer_sums(base).rate == pytest.approx(5.0)
    assert writer_sums(base, "wer").rate == pytest.approx(50.0)
    assert writer_sums(base, "cer_nocase").rate == pytest.approx(2.5)
    with pytest.raises(BadInputError, match="unknown measure 'wers'"):
        writer_sums(base, "wers")


def test_different_samples_are_not_paired():
    base = [made_up([1, 2], [5, 5], ["a", "b"])]
    with pytest.raises(BadInputError, match="1 samples only in the first, 1 only in the second, 1 in both"):
        difference(base, [made_up([1, 2], [5, 5], ["a", "b"], ["000", "007"])])
    with pytest.raises(BadInputError, match="other labels or writers"):
        difference(base, [made_up([1, 2], [5, 6], ["a", "b"])])
    with pytest.raises(BadInputError, match="did not read the same samples"):
        difference(base, [*base, made_up([1], [5], ["a"])])


def test_samples_without_writers_have_no_interval():
    with pytest.raises(BadInputError, match="1 of 2 samples name no writer"):
        writer_sums([made_up([1, 2], [5, 5], ["a", ""])])


def test_no_errors_at_all_have_no_relative_difference():
    right, wrong = [made_up([0, 0], [5, 5], ["a", "b"])], [made_up([1, 1], [5, 5], ["a", "b"])]
    found = difference(right, wrong, resamples=200)
    assert found.relative is None
    assert found.points.value == pytest.approx(20.0)


def test_the_statement_says_who_is_better_and_how_sure_it_is():
    base, other = random_tallies(3), random_tallies(3, worse=0.2)
    said = statement("plain", "joined", difference(base, other, resamples=500))
    assert said.startswith("joined makes more errors than plain: +")
    assert "12 writers, 3 against 3 seeds" in said
    assert "too narrow" not in said
    same = statement("plain", "again", difference(base[:1], base[:1], resamples=200))
    assert same.startswith("no difference shown between again and plain: +0.00 points CER")
    assert "luck of training" in same
    few = [made_up([1, 2], [5, 5], ["a", "b"])]
    assert "with 2 writers the interval is too narrow" in statement("a", "b", difference(few, few))
