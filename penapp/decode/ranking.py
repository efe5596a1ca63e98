"""Texts to a ranked hypothesis: exact network score plus prior, letters with time and confidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet
from penapp.decode.ctc import align, ctc_scores
from penapp.decode.params import DecoderParams
from penapp.decode.prior import Prior
from penapp.decode.types import Candidate, Hypothesis, Letter, LogProbs, TextState


class Ranker:
    """Scores candidate texts of one word against its frames."""

    def __init__(self, alphabet: Alphabet, params: DecoderParams) -> None:
        self._alphabet = alphabet
        self._params = params

    def rank(self, values: NDArray[np.float32], priors: Mapping[str, Prior]) -> list[Candidate]:
        """Every text that the alphabet can write and the frames can hold, best first."""
        texts = [text for text in priors if self._alphabet.covers(text)]
        network = ctc_scores(values, [self._alphabet.encode(text) for text in texts], self._alphabet.blank)
        scored = [
            Candidate(text, float(score) + self._weighed(text, priors[text]), priors[text].in_lexicon)
            for text, score in zip(texts, network, strict=True)
            if score > -math.inf
        ]
        return sorted(scored, key=lambda candidate: (-candidate.score, candidate.text))

    def _weighed(self, text: str, prior: Prior) -> float:
        insertion = self._params.word_insertion if prior.in_lexicon else 0.0
        return self._params.lm_weight * prior.log_p + insertion + self._params.letter_insertion * len(text)

    def hypothesis(
        self, frames: LogProbs, ranked: Sequence[Candidate], as_written: str, state: TextState
    ) -> Hypothesis:
        """The best of `ranked`; `as_written`, the reading without lexicon, stays among the candidates."""
        text = ranked[0].text if ranked else ""
        return Hypothesis(
            text=text,
            letters=self._letters(frames, text),
            candidates=tuple(self._shortened(ranked, as_written)) if text else (),
            confidence=_share(ranked) if text else 0.0,
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


def _share(ranked: Sequence[Candidate]) -> float:
    """Probability mass of the best among all candidates."""
    return 1.0 / sum(math.exp(candidate.score - ranked[0].score) for candidate in ranked)
