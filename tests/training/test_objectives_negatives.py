"""Which words are held against an anchor."""

import time
from pathlib import Path

import numpy as np
import pytest

from models import training
from models.training.objectives.negatives import (
    NegativeLabels,
    edit_distances,
    letter_codes,
    wanted_edits,
)
from penapp.errors import BadInputError
from penapp.scores import edit_distance

WORDS = Path(training.__file__).with_name("corpus_words.txt").read_text(encoding="utf-8").split()


def words(count, step):
    return WORDS[: count * step : step]


def test_distances_are_those_of_the_error_rates():
    groups = {n: [w for w in words(1000, 54) if len(w) == n][:12] for n in (3, 5, 8)}
    for a in groups.values():
        for b in groups.values():
            found = edit_distances(letter_codes(a), letter_codes(b))
            assert found.tolist() == [[edit_distance(x, y) for y in b] for x in a]


def test_a_negative_is_as_far_as_it_says_and_as_near_to_the_wish_as_the_list_allows():
    labels = words(400, 50)
    pool = NegativeLabels(labels)
    anchors = labels[::7]
    for wanted in (1, 3, 6, 10):
        for anchor, negative in zip(
            anchors, pool.draw(anchors, wanted, np.random.default_rng(1)), strict=True
        ):
            assert negative.label != anchor
            assert edit_distance(anchor, negative.label) == negative.edits
            same = [w for w in labels if len(w) == len(anchor) and w != anchor]
            if same:
                assert len(negative.label) == len(anchor)
                best = min(abs(edit_distance(anchor, w) - wanted) for w in same)
                assert abs(negative.edits - wanted) == best


def test_the_schedule_goes_from_far_to_near():
    asked = [wanted_edits(p) for p in np.linspace(0.0, 1.0, 50)]
    assert (asked[0], asked[-1]) == (10, 1)
    assert asked == sorted(asked, reverse=True)
    assert set(asked) == set(range(1, 11))
    assert (wanted_edits(-1.0), wanted_edits(2.0)) == (10, 1)
    labels = words(300, 60)
    pool = NegativeLabels(labels)
    rng = np.random.default_rng(1)
    means = [
        np.mean([n.edits for n in pool.draw(labels, wanted_edits(p), rng)]) for p in (0.0, 0.5, 0.8, 1.0)
    ]
    assert means == sorted(means, reverse=True)
    assert means[0] > means[-1] + 1


def test_the_same_seed_draws_the_same_negatives_from_a_list_in_any_order():
    labels = words(300, 60)
    drawn = [
        NegativeLabels(ordered).draw(labels[:20], 4, np.random.default_rng(seed))
        for ordered, seed in ((labels, 5), (labels[::-1] + labels, 5), (labels, 6))
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_all_words_at_a_distance_can_be_listed():
    pool = NegativeLabels(["house", "mouse", "horse", "plant", "cat"])
    assert pool.at("house", 1) == ["horse", "mouse"]
    assert pool.at("house", 0) == ["house"]
    assert pool.at("incomprehensible", 1) == []


@pytest.mark.parametrize("anchor", ["cat", "cats", "incomprehensible", ""])
def test_an_anchor_of_a_length_of_its_own_or_outside_the_list_has_a_negative_too(anchor):
    pool = NegativeLabels(["house", "mouse", "cat"])
    (negative,) = pool.draw([anchor], 1, np.random.default_rng(1))
    assert negative.label != anchor
    assert negative.edits == edit_distance(anchor, negative.label)


def test_one_word_has_no_negatives():
    with pytest.raises(BadInputError, match="two different labels"):
        NegativeLabels(["house", "house"])


def test_negatives_of_a_batch_are_drawn_in_milliseconds():
    labels = words(1500, 30)
    pool, rng = NegativeLabels(labels), np.random.default_rng(1)
    anchors = [labels[i] for i in rng.integers(len(labels), size=64)]
    began = time.process_time()
    for _ in range(10):
        pool.draw(anchors, 3, rng)
    assert (time.process_time() - began) / 10 < 0.03  # 0.0009 s with 8,000 labels; room for a busy machine
