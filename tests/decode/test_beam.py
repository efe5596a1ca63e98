"""The trie search against exact scoring of every word."""

from __future__ import annotations

import numpy as np
import pytest

from penapp.decode.alphabet import Alphabet
from penapp.decode.beam import TrieBeam
from penapp.decode.ctc import ctc_scores
from penapp.decode.params import DecoderParams
from penapp.decode.trie import from_words, join

SMALL = Alphabet("abcABC.")
WORDS = ["a", "aa", "aab", "ab", "abc", "abcc", "b", "ba", "bb", "c", "cab", "caab"]
ALL = DecoderParams(
    beam=1000,
    beam_log_width=500.0,
    word_weight=0.0,
    rare_weight=0.0,
    letter_insertion=0.0,
    word_insertion=0.0,
)


def random_values(frames: int, seed: int, letters: slice) -> np.ndarray:
    """Random probabilities on the blank and some letters; nothing on the others."""
    logits = np.full((frames, SMALL.size), -40.0)
    rng = np.random.default_rng(seed)
    logits[:, 0] = rng.normal(0, 2, frames)
    columns = np.arange(SMALL.size)[letters]
    logits[:, columns] = rng.normal(0, 2, (frames, len(columns)))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def exact_order(values: np.ndarray, texts: list[str]) -> list[str]:
    scores = ctc_scores(values, [SMALL.encode(text) for text in texts])
    return [texts[i] for i in np.argsort(-scores) if scores[i] > -60]


@pytest.mark.parametrize("seed", range(10))
def test_a_search_that_drops_nothing_ranks_words_exactly(seed: int) -> None:
    values = random_values(8, seed, slice(1, 4))
    beam = TrieBeam(SMALL, from_words(dict.fromkeys(WORDS, -3.0)), ALL)
    beam.push(values)
    exact = exact_order(values, WORDS)
    assert beam.words()[: len(exact)] == exact


def test_capitals_count_for_the_word() -> None:
    values = random_values(8, 1, slice(1, 4))
    capitals = values[:, [0, 4, 5, 6, 1, 2, 3, 7]]
    beam = TrieBeam(SMALL, from_words(dict.fromkeys(WORDS, -3.0)), ALL)
    beam.push(capitals)
    exact = exact_order(values, WORDS)
    assert beam.words()[: len(exact)] == exact


def test_a_mark_behind_a_word_does_not_change_the_order_of_words() -> None:
    values = random_values(8, 2, slice(1, 4))
    mark = np.full((2, SMALL.size), -40.0)
    mark[:, SMALL.encode(".")[0]] = 0.0
    beam = TrieBeam(SMALL, from_words(dict.fromkeys(WORDS, -3.0)), ALL)
    beam.push(values)
    before = beam.words()
    beam.push(mark)
    assert beam.words()[:8] == before[:8]


def test_a_word_in_both_tries_is_one_word() -> None:
    both = join(from_words({"ab": -3.0, "a": -2.0}), from_words({"ab": -1.0}))
    beam = TrieBeam(SMALL, both, ALL)
    beam.push(random_values(6, 3, slice(1, 4)))
    assert sorted(beam.words()) == ["a", "ab"]


def test_a_narrow_search_follows_frequent_words() -> None:
    values = np.log(np.full((6, SMALL.size), 1 / SMALL.size))
    words = {"a": -15.0, "b": -1.0, "c": -15.0}
    beam = TrieBeam(SMALL, from_words(words), DecoderParams(beam=2))
    beam.push(values)
    assert beam.words() == ["b"]


def test_completions_offer_the_best_word_of_an_unfinished_beginning() -> None:
    beam = TrieBeam(SMALL, from_words({"abc": -1.0, "abcc": -5.0}), DecoderParams(beam=4))
    values = np.full((2, SMALL.size), -20.0)
    values[0, SMALL.encode("a")[0]] = values[1, SMALL.encode("b")[0]] = 0.0
    beam.push(values)
    assert beam.leaders(1) == ["ab"]
    assert beam.completions(1) == ["abc"]


def test_a_thousand_frames_do_not_underflow() -> None:
    values = np.log(np.full((1000, SMALL.size), 1 / SMALL.size))
    beam = TrieBeam(SMALL, from_words(dict.fromkeys(WORDS, -3.0)), DecoderParams(beam=25))
    beam.push(values)
    assert beam.words()


def test_quiet_frames_do_not_make_the_search_depend_on_the_split() -> None:
    """Letters that the network barely sees (0.0003 a frame) may only move on every third frame."""
    values = np.full((12, SMALL.size), np.log(0.0003))
    values[:, 0] = np.log(0.9979)
    trie = from_words(dict.fromkeys(WORDS, -3.0))
    whole, parts = TrieBeam(SMALL, trie, ALL), TrieBeam(SMALL, trie, ALL)
    whole.push(values)
    for at in range(12):
        parts.push(values[at : at + 1])
    assert sorted(whole.words()) == sorted(set(WORDS))
    np.testing.assert_array_equal(whole._scores(), parts._scores())
