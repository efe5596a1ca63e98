"""How well a stretch of writing reads, for the segmenter's doubtful pen-ups."""

from __future__ import annotations

from dataclasses import replace

from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.decode.types import Hypothesis
from penapp.decode.word_decoder import WordDecoder
from penapp.dsp.features import Features
from penapp.recognise.session import OnnxRecogniser
from penapp.segment.vote import Scores

_NOTHING = -5.0
"""Score of a stretch in which nothing can be read."""


class StretchScorer:
    """One pass of the network and two readings with the lexicon: as a whole word and as a beginning.

    Every stretch stands for itself: the decoder is this scorer's own and knows no previous word, so that
    asking changes nothing in what is committed. A sure reading gets no bonus: it would compare unlike scores.
    """

    def __init__(self, recogniser: OnnxRecogniser, lexicon: Lexicon) -> None:
        self._recogniser = recogniser
        params = replace(DecoderParams(), sure_bonus=0.0)
        self._decoder = WordDecoder(recogniser.manifest.alphabet, lexicon, params)

    def __call__(self, features: Features) -> Scores:
        decoder = self._decoder
        decoder.reset()
        decoder.push(self._recogniser(features))
        begun = decoder.snapshot()
        return Scores(_score(decoder.finish()), _score(begun))


def _score(hypothesis: Hypothesis) -> float:
    return hypothesis.candidates[0].score if hypothesis.candidates else _NOTHING
