"""The reading without any knowledge of words: the best letter of every frame, collapsed."""

from __future__ import annotations

import math

import numpy as np

from penapp.decode.alphabet import Alphabet
from penapp.decode.ctc import ctc_scores
from penapp.decode.types import Candidate, Hypothesis, Letter, LogProbs, TextState
from penapp.errors import ModelMismatchError


def check_columns(alphabet: Alphabet, log_probs: LogProbs) -> None:
    """Raises ModelMismatchError unless the network has one output per letter plus the blank."""
    if log_probs.values.ndim != 2 or log_probs.values.shape[1] != alphabet.size:
        raise ModelMismatchError(
            f"network output has shape {log_probs.values.shape}, "
            f"the alphabet expects {alphabet.size} columns ({len(alphabet.letters)} letters and the blank).",
            advice="Use the alphabet that the model was trained with.",
        )


def greedy_columns(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]], blank: int = 0) -> list[int]:
    """Best column of every frame with repeats merged and blanks dropped."""
    path = values.argmax(axis=1)
    starts = np.ones(len(path), dtype=np.bool_)
    starts[1:] = path[1:] != path[:-1]
    kept: list[int] = path[starts & (path != blank)].tolist()
    return kept


class GreedyDecoder:
    """Best path decoding.

    A letter's time and confidence are those of its strongest frame; the hypothesis' confidence is the
    probability that the network gives to the text, over all alignments and against all other texts.
    """

    def __init__(self, alphabet: Alphabet) -> None:
        self._alphabet = alphabet

    def decode(self, log_probs: LogProbs, state: TextState = TextState.COMMITTED) -> Hypothesis:
        check_columns(self._alphabet, log_probs)
        letters = self._letters(log_probs)
        text = "".join(letter.text for letter in letters)
        score = float(ctc_scores(log_probs.values, [self._alphabet.encode(text)], self._alphabet.blank)[0])
        confidence = min(1.0, math.exp(score)) if text else 0.0
        return Hypothesis(
            text=text,
            letters=letters,
            candidates=(Candidate(text, score, False, confidence),) if text else (),
            confidence=confidence,
            state=state,
            start_t=float(log_probs.t[0]) if len(log_probs.t) else 0.0,
            end_t=float(log_probs.t[-1]) if len(log_probs.t) else 0.0,
        )

    def _letters(self, log_probs: LogProbs) -> tuple[Letter, ...]:
        path = log_probs.values.argmax(axis=1)
        edges = np.flatnonzero(np.diff(path)) + 1
        runs = np.split(np.arange(len(path)), edges)
        return tuple(
            self._letter(log_probs, run) for run in runs if len(run) and path[run[0]] != self._alphabet.blank
        )

    def _letter(self, log_probs: LogProbs, run: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Letter:
        column = int(log_probs.values[run[0]].argmax())
        peak = run[int(log_probs.values[run, column].argmax())]
        confidence = min(1.0, math.exp(float(log_probs.values[peak, column])))
        return Letter(self._alphabet.letters[column - 1], float(log_probs.t[peak]), confidence)
