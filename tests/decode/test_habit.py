"""The writer's habit of capitals: counted in committed words, gone after a reset, off by its weight."""

from __future__ import annotations

import dataclasses
import math

import pytest

from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.decode.habit import CasingHabit
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.decode.types import LogProbs, TextState
from penapp.decode.word_decoder import WordDecoder
from tests.decode.test_word_decoder import written

UNSURE = ("stages", {0: ("S", 0.7)})
"""The network leans to a capital, less than its rarity weighs at the start."""


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return Lexicon.load()


def unsure() -> LogProbs:
    return written(UNSURE[0], doubts=UNSURE[1])


def after(decoder: WordDecoder, words: list[str]) -> str:
    decoder.reset()
    for word in words:
        assert decoder.decode(written(word)).text == word
    return decoder.decode(unsure()).text


def test_the_first_word_knows_no_habit() -> None:
    assert CasingHabit().bonus == 0.0


def test_the_bonus_is_the_change_of_the_log_odds_from_one_capital_in_four() -> None:
    habit = CasingHabit()
    for text in ("House", "mill", "River.", "Rain"):
        habit.push(text)
    assert habit.bonus == pytest.approx(math.log((1 + 3) / (3 + 1)) - math.log(1 / 3))
    habit.reset()
    assert habit.bonus == 0.0


@pytest.mark.parametrize("text", ["", "HOUSE", "I", "1993", "?", "McPen"])
def test_texts_without_a_usual_casing_tell_nothing(text: str) -> None:
    habit = CasingHabit()
    habit.push(text)
    assert habit.bonus == 0.0


def test_a_writer_of_capitals_gets_a_capital_and_a_writer_of_none_gets_none(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    assert after(decoder, ["House", "River", "Mill", "Garden", "Yellow"]) == "Stages"
    assert after(decoder, ["house", "river", "mill", "garden", "yellow"]) == "stages"


def test_reset_forgets_the_habit(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    fresh = decoder.decode(unsure())
    after(decoder, ["house", "river", "mill", "garden", "yellow"])
    decoder.reset()
    assert decoder.decode(unsure()) == fresh


def test_without_its_weight_habit_changes_nothing(shipped: Lexicon) -> None:
    off = dataclasses.replace(DecoderParams(), habit=0.0, context_weight=0.0)
    decoder = WordDecoder(PENAPP_ALPHABET, shipped, off)
    fresh = decoder.decode(unsure())
    for word in ("House", "River", "Mill", "Garden", "Yellow"):
        decoder.decode(written(word))
    assert decoder.decode(unsure()) == fresh


def test_only_committed_words_make_a_habit(shipped: Lexicon) -> None:
    decoder = WordDecoder(PENAPP_ALPHABET, shipped)
    fresh = decoder.decode(unsure())
    decoder.reset()
    for word in ("house", "river", "mill", "garden", "yellow"):
        decoder.decode(written(word), TextState.TENTATIVE)
    assert decoder.decode(unsure()) == fresh
