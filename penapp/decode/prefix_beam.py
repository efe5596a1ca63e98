"""Streaming CTC prefix beam search without any knowledge of words: the readings as written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet


class PrefixBeam:
    """Keeps the most probable texts so far.

    beam:       texts kept per frame
    min_p:      letters below this probability are not appended (0: every letter is tried)
    max_letters: at most this many letters are appended per text and frame
    """

    def __init__(self, alphabet: Alphabet, beam: int = 6, min_p: float = 0.03, max_letters: int = 4) -> None:
        self._alphabet = alphabet
        self._beam = beam
        self._min_p = min_p
        self._max_letters = max_letters
        self.reset()

    def reset(self) -> None:
        self._texts: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}

    def push(self, values: NDArray[np.floating]) -> None:
        """Log-probabilities (n, V) of the next frames."""
        p = np.exp(np.maximum(values, -30.0).astype(np.float64))
        blank = p[:, self._alphabet.blank].copy()
        p[:, self._alphabet.blank] = -1.0
        loud = p.max(axis=1) >= self._min_p if len(p) else np.zeros(0, dtype=np.bool_)
        for row, p_blank, moves in zip(p, blank.tolist(), loud.tolist(), strict=True):
            self._step(row, p_blank, self._letters(row) if moves else [])

    def texts(self) -> list[str]:
        """The kept texts, most probable first."""
        ranked = sorted(self._texts.items(), key=lambda item: -sum(item[1]))
        return [self._alphabet.decode(columns) for columns, _ in ranked]

    def _letters(self, row: NDArray[np.float64]) -> list[tuple[int, float]]:
        tried = np.flatnonzero(row >= self._min_p)
        if len(tried) > self._max_letters:
            tried = tried[np.argpartition(row[tried], -self._max_letters)[-self._max_letters :]]
        return list(zip(tried.tolist(), row[tried].tolist(), strict=True))

    def _step(self, row: NDArray[np.float64], p_blank: float, letters: list[tuple[int, float]]) -> None:
        blank_mass: dict[tuple[int, ...], float] = {}
        letter_mass: dict[tuple[int, ...], float] = {}
        for text, (ends_blank, ends_letter) in self._texts.items():
            total = ends_blank + ends_letter
            last = text[-1] if text else -1
            blank_mass[text] = total * p_blank
            if text:
                letter_mass[text] = letter_mass.get(text, 0.0) + ends_letter * float(row[last])
            for column, p in letters:
                longer = (*text, column)
                passed = ends_blank if column == last else total
                letter_mass[longer] = letter_mass.get(longer, 0.0) + passed * p
        self._keep(blank_mass, letter_mass)

    def _keep(
        self, blank_mass: dict[tuple[int, ...], float], letter_mass: dict[tuple[int, ...], float]
    ) -> None:
        merged = {text: (blank_mass.get(text, 0.0), mass) for text, mass in letter_mass.items()}
        for text, mass in blank_mass.items():
            if text not in merged:
                merged[text] = (mass, 0.0)
        if len(merged) > self._beam:
            merged = dict(sorted(merged.items(), key=lambda item: -sum(item[1]))[: self._beam])
        scale = 1.0 / max(1e-300, *(sum(masses) for masses in merged.values()))
        self._texts = {text: (b * scale, n * scale) for text, (b, n) in merged.items()}
