"""The lexicon builder's own rules, without its sources installed."""

from __future__ import annotations

import numpy as np
import pytest

from models.lexicon.build import add_numbers, is_word, pack, quantise, smooth, spellings
from models.lexicon.capitals import noun_forms
from models.lexicon.sharp_s import with_sharp_s
from penapp.decode.folding import FOLDED
from penapp.decode.letters import EDGE
from penapp.decode.trie import from_packed, from_words


@pytest.mark.parametrize("word", ["haus", "don't", "o'leary", "straße", "a", "x", "co-op"])
def test_words_are_kept(word: str) -> None:
    assert is_word(word)


@pytest.mark.parametrize("word", ["café", "1990", "'tis", "well-", "и", "c3po"])
def test_what_the_pen_cannot_write_or_is_no_word_is_left_out(word: str) -> None:
    assert not is_word(word)


@pytest.mark.parametrize(
    ("folded", "restored"),
    [
        ("strasse", "straße"),
        ("grösste", "größte"),
        ("massstab", "maßstab"),
        ("reissverschluss", "reißverschluss"),
        ("kreisstrasse", "kreisstraße"),
        ("gleichermassen", "gleichermaßen"),
        *[
            (word, None)
            for word in ("dass", "wasser", "klasse", "russland", "aussage", "masse", "kreisstadt")
        ],
    ],
)
def test_sharp_s_comes_back_where_german_has_it(folded: str, restored: str | None) -> None:
    assert with_sharp_s(folded) == restored


def test_both_spellings_share_the_frequency_in_german_only() -> None:
    assert dict(spellings("gross", "de")) == pytest.approx({"groß": 0.85, "gross": 0.15})
    assert spellings("gross", "en") == [("gross", 1.0)]


def test_every_inflected_form_of_a_noun_is_one_but_abbreviations_are_not() -> None:
    rows = [
        {"lemma": "Haus", "pos": "Substantiv", "nominativ plural": "Häuser", "dativ singular*": "Hause"},
        {"lemma": "AG", "pos": "Abkürzung"},
        {"lemma": "-algie", "pos": "Suffix", "genus": "f"},
    ]
    assert noun_forms(rows) == {"haus", "häuser", "hause"}


def test_packing_keeps_words_and_rounds_their_probability() -> None:
    words = {"ab": -3.21, "abc": -7.77, "b": -1.0}
    arrays = pack(from_words(words))
    ends = np.unpackbits(arrays["ends"], count=len(arrays["letter"])).astype(bool)
    logs = np.full(len(ends), -np.inf)
    logs[ends] = -0.1 * arrays["log_word"]
    trie = from_packed(arrays["letter"], arrays["child_count"], logs)
    assert {word: trie.log_word[trie.find(word)] for word in words} == pytest.approx(words, abs=0.051)


def test_a_probability_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        quantise(np.array([0.1]), "words")


def test_letter_statistics_are_probabilities_and_know_numbers() -> None:
    counts = np.zeros((EDGE + 1, EDGE + 1, EDGE + 1))
    a, b = FOLDED.index("a"), FOLDED.index("b")
    np.add.at(counts, ([EDGE, EDGE, a], [EDGE, a, b], [a, b, EDGE]), 1.0)
    add_numbers(counts)
    p = smooth(counts)
    np.testing.assert_allclose(p.sum(axis=-1), 1.0)
    one = FOLDED.index("1")
    assert p[EDGE, one, one] > p[EDGE, one, a]
    assert p[EDGE, a, b] > p[EDGE, a, a]
