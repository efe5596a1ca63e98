"""Weights of the decoder are fitted to what is read, and a few writers do not lead them astray."""

from dataclasses import replace

import numpy as np
import pytest

from models.training.decoder_fit import (
    FITTED,
    Readings,
    _expected,
    cer,
    certainty,
    fit,
    readings_of,
    weights_of,
)
from models.training.tune_decoder import split_writers
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.errors import BadInputError

WORD = 1 + FITTED.index("word_insertion")


def made_up(words=60, seed=0):
    """Two readings a word, as written and a word of the lexicon, which is right unless far from the ink."""
    distance = np.random.default_rng(seed).uniform(0.5, 2.0, words)
    strange = np.arange(words) % 4 == 3
    distance[strange] += 4.0
    features = np.zeros((2 * words, 1 + len(FITTED)))
    features[1::2, 0] = -distance
    features[1::2, WORD] = 1.0
    edits = np.column_stack([np.where(strange, 0.0, 2.0), np.where(strange, 2.0, 0.0)]).ravel()
    return Readings(2 * np.arange(words), edits, features, features, np.full(words, 4.0))


def test_the_fit_learns_to_trust_the_words_that_are_right():
    readings, start = made_up(), replace(DecoderParams(), word_insertion=0.0)
    assert cer(readings, start) == pytest.approx(37.5)
    fitted = fit(readings, 0.2, start)
    assert 2.0 < fitted.word_insertion < 4.5
    assert cer(readings, fitted) < 2.0


def test_the_slope_of_the_expected_edits_is_its_derivative():
    readings, weights = made_up(8), np.random.default_rng(1).standard_normal(1 + len(FITTED))
    value, slope = _expected(readings, readings.known, weights)
    first = 1.0 / (1.0 + np.exp(readings.known[1::2] @ weights - readings.known[::2] @ weights))
    edits = first * readings.edits[::2] + (1.0 - first) * readings.edits[1::2]
    assert value == pytest.approx(float(edits.sum() / readings.letters.sum()))
    for k in (0, WORD):
        step = np.eye(len(weights))[k] * 1e-5
        higher, lower = (_expected(readings, readings.known, weights + s * step)[0] for s in (1, -1))
        assert slope[k] == pytest.approx((higher - lower) / 2e-5, abs=1e-6)


def test_some_of_the_words_are_their_own_readings():
    readings = made_up(10)
    part = readings.of(np.array([2, 7]))
    np.testing.assert_array_equal(part.known, readings.known[[4, 5, 14, 15]])
    np.testing.assert_array_equal(part.start, [0, 2])
    assert cer(part, DecoderParams()) in (0.0, 25.0, 50.0)


def test_confidence_is_duller_where_the_best_reading_is_often_wrong():
    readings = made_up(200)
    fitted = replace(DecoderParams(), word_insertion=3.0)
    wrong = replace(readings, edits=np.where(np.arange(400) % 16 < 4, 2.0 - readings.edits, readings.edits))
    assert certainty(wrong, fitted) < certainty(readings, fitted)


def test_features_are_what_the_weights_multiply_in_the_decoders_own_score():
    """A reading's bonus under any weights is the sum of its features times them."""
    lexicon = Lexicon.load()
    texts = ["house", "House", "hxuse", "house."]
    frames = np.log(np.full((30, PENAPP_ALPHABET.size), 1.0 / PENAPP_ALPHABET.size, dtype=np.float32))
    found = readings_of(PENAPP_ALPHABET, lexicon, 1.0, [frames], [texts], ["house"])
    np.testing.assert_array_equal(found.edits, [0, 1, 1, 1])
    bonus = found.known[:, 1:] @ weights_of(DecoderParams())[1:]
    assert bonus[0] > bonus[2]
    assert found.known[0, WORD] == 1.0
    assert found.known[2, WORD] == found.unknown[0, WORD] == 0.0


def test_writers_are_halved_and_one_alone_is_refused():
    one, other = split_writers(["a", "a", "a", "b", "b", "c"])
    assert sorted([*one, *other]) == list(range(6))
    assert set(one) == {0, 1, 2, 5}
    with pytest.raises(BadInputError, match="one writer"):
        split_writers(["a", "a"])
