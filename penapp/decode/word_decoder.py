"""One word's network output to its reading: what the pipeline calls."""

from __future__ import annotations

from penapp.decode.alphabet import Alphabet
from penapp.decode.greedy import GreedyDecoder
from penapp.decode.params import DecoderParams
from penapp.decode.types import Hypothesis, LogProbs, TextState


class WordDecoder:
    """Reads one word at a time. Without a lexicon it hands out the network's own reading."""

    def __init__(self, alphabet: Alphabet, lexicon: None = None, params: DecoderParams | None = None) -> None:
        self._alphabet = alphabet
        self._lexicon = lexicon
        self._params = params or DecoderParams()
        self._greedy = GreedyDecoder(alphabet)

    def decode(self, log_probs: LogProbs, state: TextState = TextState.COMMITTED) -> Hypothesis:
        """The reading of a whole word, best candidates first."""
        return self._greedy.decode(log_probs, state)
