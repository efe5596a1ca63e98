"""Letters without their case: what the word trie walks on, and how network outputs map to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet
from penapp.decode.ctc import FLOOR

MARKS = ".,?!-'"
FOLDED = "abcdefghijklmnopqrstuvwxyzäöüß" + "0123456789" + MARKS
"""The classes of the trie; class i is FOLDED[i], class len(FOLDED) is nothing (the trie's root)."""

ROOT_CLASS = len(FOLDED)
_CLASS = {letter: index for index, letter in enumerate(FOLDED)}


def fold(text: str) -> str:
    """Lower case; ß stays ß, so that the length never changes for letters that have a class."""
    return text.lower()


def classes(text: str) -> list[int] | None:
    """The trie classes of a text, or None if one of its letters has none."""
    found = [_CLASS.get(letter, -1) for letter in fold(text)]
    return None if -1 in found else found


class Folding:
    """Sums the network's columns over the cases of a letter."""

    def __init__(self, alphabet: Alphabet) -> None:
        self._alphabet = alphabet
        self._lower = np.array([_column(alphabet, letter) for letter in FOLDED])
        self._upper = np.array(
            [_column(alphabet, letter.upper()) if _has_case(letter) else -1 for letter in FOLDED]
        )
        self._marks = [_CLASS[mark] for mark in MARKS]

    @property
    def missing(self) -> str:
        """Letters of the trie that this alphabet writes in neither case."""
        absent = (self._lower < 0) & (self._upper < 0)
        return "".join(letter for letter, gone in zip(FOLDED, absent, strict=True) if gone)

    def fold(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Log-probabilities (T, V) to probabilities (T, ROOT_CLASS + 1); the last column is 0.

        Elementwise, so that a frame's result does not depend on the frames it arrives with.
        """
        p = np.zeros((len(values), self._alphabet.size + 1))
        np.exp(np.maximum(values, FLOOR), out=p[:, :-1])
        folded = np.zeros((len(values), ROOT_CLASS + 1))
        folded[:, :-1] = p[:, self._lower] + p[:, self._upper]
        return folded

    def marks(self, folded: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability (T,) that the frame belongs to a mark rather than to a letter."""
        total: NDArray[np.float64] = folded[:, self._marks[0]].copy()
        for mark in self._marks[1:]:
            total += folded[:, mark]
        return total


def _column(alphabet: Alphabet, letter: str) -> int:
    """Network column of a letter; -1, the column that is always 0, if the alphabet lacks it."""
    return alphabet.letters.find(letter) + 1 if letter in alphabet.letters else -1


def _has_case(letter: str) -> bool:
    return len(letter.upper()) == 1 and letter.upper() != letter
