"""Texts to a ranked hypothesis: exact network score plus prior, letters with time and confidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet
from penapp.decode.ctc import FLOOR, align, ctc_scores
from penapp.decode.params import DecoderParams
from penapp.decode.prior import Prior
from penapp.decode.types import Candidate, Hypothesis, Letter, LogProbs, TextState

_HOPELESS = -4.0
"""A text whose best path is less probable than this (ln) is never sure."""

_LOST = -500.0
"""What a text has in a further look that cannot hold it: the first look alone decides what is possible."""


class Ranker:
    """Scores candidate texts of one word against its frames."""

    def __init__(self, alphabet: Alphabet, params: DecoderParams) -> None:
        self._alphabet = alphabet
        self._params = params

    def rank(
        self,
        values: NDArray[np.float32],
        priors: Mapping[str, Prior],
        further: Sequence[NDArray[np.float32]] = (),
    ) -> list[Candidate]:
        """Every text that the alphabet can write and the frames can hold, best first.

        further: outputs (T', V) of the network for other looks at the same word; the mean of ln p counts.
        """
        texts = [text for text in priors if self._alphabet.covers(text)]
        labels = [self._alphabet.encode(text) for text in texts]
        network = self._network(values, labels)
        others = [np.maximum(self._network(look, labels), _LOST) for look in further]
        network = sum(others, network) / (1 + len(others))
        scored = [
            Candidate(text, float(score) + priors[text].bonus, priors[text].in_lexicon)
            for text, score in zip(texts, network, strict=True)
            if score > -math.inf
        ]
        return sorted(scored, key=lambda candidate: (-candidate.score, candidate.text))

    def _network(self, values: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        return ctc_scores(softened(values, self._params.sharpness), labels, self._alphabet.blank)

    def is_sure(self, values: NDArray[np.float32], text: str) -> bool:
        """Whether the network alone gives `text`, its best path, at least the probability `sure`."""
        if float(values.max(axis=1, initial=-np.inf).sum()) < _HOPELESS:  # a cheap look before the exact one
            return False
        score = ctc_scores(values, [self._alphabet.encode(text)], self._alphabet.blank)[0]
        return bool(score >= math.log(self._params.sure))

    def hypothesis(
        self, frames: LogProbs, ranked: Sequence[Candidate], as_written: str, state: TextState
    ) -> Hypothesis:
        """The best of `ranked`; `as_written`, the reading without lexicon, stays among the candidates."""
        text = ranked[0].text if ranked else ""
        ranked = self._weighed(ranked)
        return Hypothesis(
            text=text,
            letters=self._letters(frames, text),
            candidates=tuple(self._shortened(ranked, as_written)) if text else (),
            confidence=ranked[0].confidence if text else 0.0,
            state=state,
            start_t=float(frames.t[0]) if len(frames.t) else 0.0,
            end_t=float(frames.t[-1]) if len(frames.t) else 0.0,
        )

    def _shortened(self, ranked: Sequence[Candidate], as_written: str) -> list[Candidate]:
        best = list(ranked[: self._params.candidates])
        written = [candidate for candidate in ranked if candidate.text == as_written]
        if written and written[0] not in best:
            best[-1 if len(best) > 1 else len(best) :] = written
        return best

    def _weighed(self, ranked: Sequence[Candidate]) -> list[Candidate]:
        """The candidates, best first, each with its share of the probability."""
        shares = [math.exp(self._params.certainty * (c.score - ranked[0].score)) for c in ranked]
        total = sum(shares)
        return [replace(c, confidence=share / total) for c, share in zip(ranked, shares, strict=True)]

    def _letters(self, frames: LogProbs, text: str) -> tuple[Letter, ...]:
        columns = self._alphabet.encode(text)
        spans = align(frames.values, columns, self._alphabet.blank)
        return tuple(
            Letter(
                letter,
                float(frames.t[span.peak]),
                min(1.0, math.exp(float(frames.values[span.peak, column]))),
            )
            for letter, column, span in zip(text, columns, spans, strict=True)
        )


def softened(values: NDArray[np.float32], sharpness: float) -> NDArray[np.float32]:
    """Log-probabilities (T, V) to the power `sharpness`, each frame summing to 1 again."""
    if sharpness == 1.0:
        return values
    flat: NDArray[np.float32] = np.maximum(values, FLOOR) * np.float32(sharpness)
    flat -= np.log(np.exp(flat).sum(axis=1, keepdims=True))
    return flat
