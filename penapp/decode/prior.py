"""How likely a text is before looking at the network: word, way of casing, marks around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from penapp.decode.folding import FOLDED, MARKS, fold
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams


@dataclass(frozen=True, slots=True)
class Prior:
    log_p: float
    in_lexicon: bool


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
    """ln p(text) as DecoderParams describes it; without a lexicon every letter is equally likely."""

    def __init__(self, lexicon: Lexicon | None, params: DecoderParams) -> None:
        self._lexicon = lexicon
        self._params = params
        self._seen: dict[tuple[str, str], tuple[float, float]] = {}
        self._log_known = math.log1p(-math.exp(min(params.log_oov, -1e-6)))

    def forget(self) -> None:
        """Drops what was remembered of the words looked up: the lexicon or the context may change now."""
        self._seen.clear()

    def of_word(self, text: str, previous: str = "") -> Prior:
        """Of a whole word, marks around it included."""
        core = bare(text)
        if core != text and self._known(text, previous)[0] > -math.inf:
            core = text
        word, letters = self._known(core, previous)
        log_p = _log_add(self._log_known + word, self._params.log_oov + letters)
        marks = (len(text) - len(core)) * self._params.log_mark
        return Prior(log_p + self._case(core) + marks, word > -math.inf)

    def of_beginning(self, text: str) -> Prior:
        """Of the letters so far of a word that may go on."""
        node = self._lexicon.trie.find(text) if self._lexicon and text else -1
        word = float(self._lexicon.trie.look_ahead[node]) if self._lexicon and node >= 0 else -math.inf
        open_ = self._params.log_oov + self._letters(text, whole=False)
        return Prior(_log_add(self._log_known + word, open_) + self._case(text), node >= 0)

    def _known(self, text: str, previous: str) -> tuple[float, float]:
        """Log probability as a word and as a string of letters, remembered until `forget`."""
        key = (fold(text), previous)
        found = self._seen.get(key)
        if found is None:
            weight = self._params.bigram_weight
            word = self._lexicon.log_word(key[0], bare(previous), weight) if self._lexicon else -math.inf
            found = self._seen[key] = (word, self._letters(key[0], whole=True))
        return found

    def _letters(self, text: str, *, whole: bool) -> float:
        if self._lexicon is None:
            return -math.log(len(FOLDED) + 1) * (len(text) + whole)
        return self._lexicon.letters.log_prob(text, whole=whole)

    def _case(self, text: str) -> float:
        params = self._params
        if text == text.lower() or (self._lexicon and self._lexicon.spelling(text.lower()) == text):
            return 0.0
        if text in (text[:1].upper() + text[1:].lower(), _titled(text.lower())):
            return params.log_capitalised
        return params.log_upper if text == upper(text) else params.log_mixed


def _log_add(a: float, b: float) -> float:
    low, high = sorted((a, b))
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
