"""How likely a string of letters is, word or not: keeps readings outside the lexicon pronounceable."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from penapp.decode.folding import FOLDED, ROOT_CLASS, classes

EDGE = ROOT_CLASS
"""The class before the first and after the last letter."""


class LetterModel:
    """Trigrams over folded letters.

    log_p: (C, C, C) ln p(third | first, second), C = len(FOLDED) + 1 with the word's edge as last class.
    """

    def __init__(self, log_p: NDArray[np.floating]) -> None:
        self._log_p = log_p.astype(np.float64)

    @classmethod
    def flat(cls) -> Self:
        size = len(FOLDED) + 1
        return cls(np.full((size, size, size), -np.log(size)))

    def log_prob(self, text: str, *, whole: bool = True) -> float:
        """Log probability of a text in any case; `whole` counts the end of the word as well."""
        path = classes(text)
        if path is None:
            return -np.inf
        padded = [EDGE, EDGE, *path, *([EDGE] if whole else [])]
        return float(self._log_p[padded[:-2], padded[1:-1], padded[2:]].sum())
