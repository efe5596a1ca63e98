"""How likely a text is before looking at the network: word, way of casing, marks around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.decode.folding import MARKS, fold
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams


@dataclass(frozen=True, slots=True)
class Prior:
    """What a text's score gains before any frame is looked at."""

    bonus: float
    in_lexicon: bool


def word_bonus(log_word: NDArray[np.float64], params: DecoderParams) -> NDArray[np.float64]:
    """What lexicon words gain by their ln p, without length and casing; grows with the ln p."""
    rare = params.rare_weight * np.minimum(log_word - params.log_rare, 0.0)
    return np.asarray(params.word_insertion + params.word_weight * log_word + rare)


def bare(text: str) -> str:
    """The text without the marks around it; a text of marks only stays as it is."""
    return text.strip(MARKS) or text


def case_variants(folded: str, spelling: str | None = None) -> list[str]:
    """The usual ways to write a lower-case word: lower, Capitalised, UPPER, Capitalised-Parts."""
    found = [folded, folded[:1].upper() + folded[1:], upper(folded), _titled(folded), spelling or folded]
    return list(dict.fromkeys(found))


def upper(text: str) -> str:
    """Capitals, letter by letter; ß has none."""
    return "".join(letter.upper() if len(letter.upper()) == 1 else letter for letter in text)


def _titled(text: str) -> str:
    raised = [not i or text[i - 1] in MARKS for i in range(len(text))]
    return "".join(upper(letter) if up else letter for letter, up in zip(text, raised, strict=True))


class TextPrior:
    """The bonus of a text as DecoderParams describes it; without a lexicon there is none."""

    def __init__(self, lexicon: Lexicon | None, params: DecoderParams) -> None:
        self._lexicon = lexicon
        self._params = params
        self._seen: dict[tuple[str, str], Prior] = {}

    def forget(self) -> None:
        """Drops what was remembered of the words looked up: the lexicon or the context may change now."""
        self._seen.clear()

    def of_word(self, text: str, previous: str = "", capital: float = 0.0) -> Prior:
        """Of a whole word, marks around it included; `capital`: what a capital gains by habit."""
        if self._lexicon is None:
            return Prior(0.0, in_lexicon=False)
        core = bare(text)
        found = self._known(self._lexicon, core, previous)
        if core != text:
            whole = self._known(self._lexicon, text, previous)
            core, found = (text, whole) if whole.in_lexicon else (core, found)
        marks = (len(text) - len(core)) * self._params.mark
        length = self._params.letter_insertion * len(text)
        case = self._case(self._lexicon, core, capital)
        return Prior(found.bonus + length + marks + case, found.in_lexicon)

    def of_beginning(self, text: str, capital: float = 0.0) -> Prior:
        """Of the letters so far of a word that may go on."""
        if self._lexicon is None:
            return Prior(0.0, in_lexicon=False)
        node = self._lexicon.trie.find(text) if text else -1
        look = self._lexicon.trie.look_ahead[[node]] if node >= 0 else np.array([-np.inf])
        word = float(word_bonus(look, self._params)[0])
        open_ = self._params.letters_weight * self._lexicon.letters.log_prob(text, whole=False)
        length = self._params.letter_insertion * len(text)
        return Prior(max(word, open_) + length + self._case(self._lexicon, text, capital), node >= 0)

    def _known(self, lexicon: Lexicon, text: str, previous: str) -> Prior:
        """As a word or as a string of letters in any case, remembered until `forget`."""
        key = (fold(text), previous)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = self._looked_up(lexicon, *key)
        return found

    def _looked_up(self, lexicon: Lexicon, folded: str, previous: str) -> Prior:
        params = self._params
        log_word = lexicon.log_word(folded)
        if log_word == -math.inf:
            return Prior(params.letters_weight * lexicon.letters.log_prob(folded), in_lexicon=False)
        context = lexicon.log_word(folded, bare(previous), params.bigram_weight) - log_word
        bonus = float(word_bonus(np.array([log_word]), params)[0])
        return Prior(bonus + params.context_weight * context, in_lexicon=True)

    def _case(self, lexicon: Lexicon, text: str, capital: float) -> float:
        params, spelling = self._params, lexicon.spelling(fold(text))
        if text == (spelling or fold(text)):
            return params.noun if spelling else 0.0
        if text in (text[:1].upper() + text[1:].lower(), _titled(text.lower())):
            return params.capitalised + capital + params.noun * lexicon.capital_share(text)
        return params.upper if text == upper(text) else params.mixed
