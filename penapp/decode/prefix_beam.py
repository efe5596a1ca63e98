"""Streaming CTC prefix beam search without any knowledge of words: the readings as written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet
from penapp.decode.ctc import FLOOR

_Texts = dict[tuple[int, ...], tuple[float, float]]
"""Columns of a text -> probability of its paths that end in a blank, in its last letter."""

_TINY = 1e-60
"""Probabilities are scaled up again when the best has become this small."""


class PrefixBeam:
    """Keeps the most probable texts so far.

    beam:       texts kept per frame
    min_p:      letters below this probability are not appended (0: every letter is tried)
    max_letters: at most this many letters are appended per text and frame
    """

    def __init__(self, alphabet: Alphabet, beam: int = 5, min_p: float = 0.03, max_letters: int = 3) -> None:
        self._alphabet = alphabet
        self._beam = beam
        self._min_p = min_p
        self._max_letters = max_letters
        self.reset()

    def reset(self) -> None:
        self._texts: _Texts = {(): (1.0, 0.0)}

    def push(self, values: NDArray[np.floating]) -> None:
        """Log-probabilities (n, V) of the next frames."""
        p = np.exp(np.maximum(values, FLOOR).astype(np.float64))
        letters: list[list[int]] = [[] for _ in p]
        for frame, column in zip(*(axis.tolist() for axis in (p >= self._min_p).nonzero()), strict=True):
            letters[frame].append(column)
        for row, tried in zip(p.tolist(), letters, strict=True):
            self._step(row, self._best(row, tried))

    def texts(self) -> list[str]:
        """The kept texts, most probable first."""
        return [self._alphabet.decode(columns) for columns, _ in _ranked(self._texts)]

    def _best(self, row: list[float], tried: list[int]) -> list[int]:
        letters = [column for column in tried if column != self._alphabet.blank]
        if len(letters) <= self._max_letters:
            return letters
        return sorted(letters, key=row.__getitem__)[-self._max_letters :]

    def _step(self, row: list[float], letters: list[int]) -> None:
        p_blank = row[self._alphabet.blank]
        blanks: dict[tuple[int, ...], float] = {}
        ends: dict[tuple[int, ...], float] = {}
        for text, (blank, letter) in self._texts.items():
            total = blank + letter
            last = text[-1] if text else -1
            blanks[text] = total * p_blank
            ends[text] = ends.get(text, 0.0) + (letter * row[last] if text else 0.0)
            for column in letters:
                longer = (*text, column)
                ends[longer] = ends.get(longer, 0.0) + (blank if column == last else total) * row[column]
        self._texts = {text: (blanks.get(text, 0.0), mass) for text, mass in ends.items()}
        self._shorten()

    def _shorten(self) -> None:
        if len(self._texts) > self._beam:
            self._texts = dict(_ranked(self._texts)[: self._beam])
        peak = max(map(sum, self._texts.values()))
        if 0.0 < peak < _TINY:
            self._texts = {text: (b / peak, n / peak) for text, (b, n) in self._texts.items()}


def _ranked(texts: _Texts) -> list[tuple[tuple[int, ...], tuple[float, float]]]:
    return sorted(texts.items(), key=lambda item: item[1][0] + item[1][1], reverse=True)
