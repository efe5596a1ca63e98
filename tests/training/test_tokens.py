"""Sub-word targets: what is a token, how a word is spelled with them, and what a path over them reads."""

import json
from itertools import product

import pytest

from models.training.tokens import BigramTokens, frames_needed, spellable
from penapp.decode.alphabet import PENAPP_ALPHABET, Alphabet
from penapp.errors import BadInputError

WORDS = ("then", "the", "these", "hen", "hen", "hen", "tee")


def test_letters_come_first_and_then_the_pairs_that_most_words_hold():
    tokens = BigramTokens.built(WORDS, 8)
    assert tokens.tokens == ("e", "h", "n", "s", "t", "he", "th")
    assert tokens.size == 8
    assert tokens.blank == 0


def test_a_word_that_is_written_often_counts_once():
    """`hen` is there three times: with repetitions `en` (4) would come before `th` (3)."""
    assert "th" in BigramTokens.built(WORDS, 8).tokens
    assert "en" not in BigramTokens.built(WORDS, 8).tokens


def test_pairs_of_equal_frequency_come_in_one_order_whatever_order_the_words_have():
    one, other = BigramTokens.built(WORDS, 12), BigramTokens.built(reversed(WORDS), 12)
    assert one == other
    assert one.tokens[5:] == ("he", "th", "en", "ee", "es", "se")


def test_fewer_pairs_than_wanted_give_a_smaller_set():
    assert BigramTokens.built(["ab"], 500).tokens == ("a", "b", "ab")


def test_a_vocabulary_too_small_for_the_letters_is_refused():
    with pytest.raises(BadInputError, match=r"5 outputs cannot hold 5 letters.*at least 6"):
        BigramTokens.built(WORDS, 5)
    assert BigramTokens.built(WORDS, 6).tokens == ("e", "h", "n", "s", "t")


def test_the_letters_of_an_alphabet_stay_in_front_and_keep_their_columns():
    tokens = BigramTokens.built([*WORDS, "caf\u00e9"], 200, PENAPP_ALPHABET.letters)
    assert tokens.covers("Quax!")
    assert tokens.covers("caf\u00e9")
    for letter in PENAPP_ALPHABET.letters:
        assert tokens.encode(letter) == PENAPP_ALPHABET.encode(letter)


def test_words_are_spelled_greedily_from_the_left():
    tokens = BigramTokens(("a", "b", "c", "ab", "bc"))
    assert tokens.encode("abc") == [4, 3]  # not a + bc
    assert tokens.encode("bcab") == [5, 4]
    assert tokens.encode("cba") == [3, 2, 1]
    assert tokens.encode("") == []


@pytest.mark.parametrize("size", [6, 8, 10, 100])
def test_every_word_of_the_letters_comes_back_from_its_columns(size):
    tokens = BigramTokens.built(WORDS, size)
    for letters in product("ehnst", repeat=4):
        word = "".join(letters)
        assert tokens.decode(tokens.encode(word)) == word
        assert tokens.covers(word)


def test_a_letter_outside_the_tokens_is_named():
    tokens = BigramTokens.built(WORDS, 8)
    assert not tokens.covers("thx")
    with pytest.raises(BadInputError, match="'x' of 'thx'"):
        tokens.encode("thx")


def test_a_greedy_path_over_tokens_reads_as_text():
    """Equal columns merge only without a blank between; different tokens of one letter never merge."""
    tokens = BigramTokens(("a", "b", "ab", "aa"))
    assert tokens.collapse([0, 3, 3, 0, 0, 3, 1, 1]) == "ababa"
    assert tokens.collapse([1, 1, 0, 1]) == "aa"
    assert tokens.collapse([4, 1, 4]) == "aaaaa"
    assert tokens.collapse([]) == ""


def test_without_pairs_tokens_answer_like_an_alphabet():
    alphabet, tokens = Alphabet("abc"), BigramTokens(("a", "b", "c"))
    assert (tokens.size, tokens.blank) == (alphabet.size, alphabet.blank)
    assert tokens.encode("cab") == alphabet.encode("cab")
    for path in product(range(4), repeat=5):
        assert tokens.collapse(path) == alphabet.collapse(path)


def shortest_path(columns):
    """Frames of the shortest path that collapses to the columns, by trying all of them."""
    for length in range(10):
        for path in product(range(max(columns, default=0) + 1), repeat=length):
            kept = [c for i, c in enumerate(path) if c and (i == 0 or c != path[i - 1])]
            if kept == columns:
                return length
    raise AssertionError


@pytest.mark.parametrize("columns", [[], [1], [1, 1], [1, 2, 1], [2, 2, 2], [1, 1, 2, 2]])
def test_frames_needed_are_those_of_the_shortest_path(columns):
    assert frames_needed(columns) == shortest_path(columns)


def test_pairs_let_a_word_fit_into_fewer_frames():
    tokens = BigramTokens(("a", "b", "ab"))
    letters, pairs = Alphabet("ab").encode("abab"), tokens.encode("abab")
    assert [spellable(letters, n) for n in (3, 4)] == [False, True]
    assert [spellable(pairs, n) for n in (2, 3)] == [False, True]  # the pair is repeated


def test_tokens_are_read_as_they_were_saved_and_the_file_is_plain_text(tmp_path):
    tokens = BigramTokens.built([*WORDS, "\u00fc\u00df"], 14)
    path = tmp_path / "tokens.json"
    tokens.save(path)
    assert BigramTokens.load(path) == tokens
    assert json.loads(path.read_text(encoding="utf-8"))["tokens"] == list(tokens.tokens)
    assert [p.name for p in tmp_path.iterdir()] == ["tokens.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"kind": "penapp bigram tokens"}',
        '{"kind": "penapp bigram tokens", "tokens": [1, 2]}',
        '{"kind": "another", "tokens": ["a"]}',
        '{"kind": "penapp bigram tokens", "tokens": ["a", "ab"]}',
        '{"kind": "penapp bigram tokens", "tokens": ["a", "a"]}',
        '{"kind": "penapp bigram tokens", "tokens": ["a", ""]}',
    ],
)
def test_a_file_that_holds_no_tokens_is_refused(tmp_path, text):
    path = tmp_path / "tokens.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match="tokens"):
        BigramTokens.load(path)


def test_batches_take_tokens_in_place_of_letters():
    pytest.importorskip("torch")
    import numpy as np

    from models.training.batches import collate

    tokens = BigramTokens.built(WORDS, 8)
    rows = np.zeros((40, 3), np.float32)
    batch = collate([(rows, "then"), (rows, "tee")], tokens)
    assert batch.target_lengths.tolist() == [3, 3]
    assert batch.targets.tolist() == tokens.encode("then") + tokens.encode("tee")
