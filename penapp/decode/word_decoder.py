"""One word's network output to its reading: what the pipeline calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import Alphabet
from penapp.decode.beam import TrieBeam
from penapp.decode.folding import MARKS
from penapp.decode.greedy import check_columns, greedy_columns
from penapp.decode.habit import CasingHabit
from penapp.decode.lexicon import Lexicon
from penapp.decode.params import DecoderParams
from penapp.decode.prefix_beam import PrefixBeam
from penapp.decode.prior import Prior, TextPrior, case_variants
from penapp.decode.ranking import Ranker
from penapp.decode.types import Hypothesis, LogProbs, TextState

_WORDS_MARKED = 2
"""The best words, which are scored with a mark behind them as well."""

_MARGIN = 12.0
"""Words that the search finds worse than its best by more nats than this are not scored exactly."""

_COMPLETIONS = 4
"""Unfinished nodes whose best word is scored as well: a lost last letter loses no word."""

_MARK_P = 0.03
"""A mark that reaches this probability somewhere is tried behind the best words."""


class WordDecoder:
    """Reads one word at a time: exactly one, the segmenter has cut already.

    Two searches run side by side, one through the lexicon and one without it. What they find is scored
    exactly (all alignments) and ranked together with the prior of DecoderParams, so a confident reading
    outside the lexicon beats a poor word. Further outputs of the network for the same word, if there are any,
    take part in the scoring. Committed words are the context of the next one: the last of them, and how
    often the writer has begun one with a capital.

    Stream: `push` frames, `snapshot` for the reading so far, `finish` for the reading of the word.
    Whole words: `decode`. `reset` forgets the word and its context. Words added to the lexicon count from
    the next word on.
    """

    def __init__(
        self, alphabet: Alphabet, lexicon: Lexicon | None = None, params: DecoderParams | None = None
    ) -> None:
        if lexicon is not None:
            lexicon.check(alphabet)
        self._alphabet = alphabet
        self._lexicon = lexicon
        self._params = params or DecoderParams()
        self._prior = TextPrior(lexicon, self._params)
        self._ranker = Ranker(alphabet, self._params)
        self._open = PrefixBeam(alphabet)
        self._beam = TrieBeam(alphabet, lexicon.trie, self._params) if lexicon else None
        self._version = lexicon.version if lexicon else 0
        self._previous = ""
        self._habit = CasingHabit()
        self._begin()

    def decode(
        self,
        log_probs: LogProbs,
        state: TextState = TextState.COMMITTED,
        further: Sequence[LogProbs] = (),
    ) -> Hypothesis:
        """The reading of one word's frames, which replace whatever was pushed before.

        further: outputs for other looks at the same word; they count when the word is committed.
        """
        self._begin()
        self.push(log_probs)
        return self.snapshot() if state is TextState.TENTATIVE else self.finish(further)

    def push(self, log_probs: LogProbs) -> None:
        """The next frames of the word being written."""
        check_columns(self._alphabet, log_probs)
        self._pushed.append(log_probs)
        self._open.push(log_probs.values)
        if self._beam:
            self._beam.push(log_probs.values)

    def snapshot(self) -> Hypothesis:
        """The tentative reading of the frames so far: a beginning of a word, or the letters as written."""
        frames = self._frames()
        greedy = self._greedy(frames.values)
        texts = self._as_written(greedy)
        if self._beam:
            texts += self._cased(self._beam.leaders(_COMPLETIONS))
        priors = {text: self._prior.of_beginning(text, self._capital) for text in texts}
        ranked = self._ranker.rank(frames.values, priors)
        return self._ranker.hypothesis(frames, ranked, greedy, TextState.TENTATIVE)

    def finish(self, further: Sequence[LogProbs] = ()) -> Hypothesis:
        """The committed reading of the word; the next frames belong to the next word."""
        for look in further:
            check_columns(self._alphabet, look)
        frames, looks = self._frames(), [look.values for look in further if len(look.values)]
        greedy = self._greedy(frames.values)
        texts = self._as_written(greedy) + self._lexicon_texts(self._marks(frames.values))
        texts += [text for text in map(self._greedy, looks) if text and greedy]
        priors = {text: self._word_prior(text) for text in texts}
        if self._lexicon and self._ranker.is_sure(frames.values, greedy):
            priors[greedy] = replace(priors[greedy], bonus=priors[greedy].bonus + self._params.sure_bonus)
        ranked = self._ranker.rank(frames.values, priors, looks)
        hypothesis = self._ranker.hypothesis(frames, ranked, greedy, TextState.COMMITTED)
        self._previous = hypothesis.text or self._previous
        self._habit.push(hypothesis.text)
        self._begin()
        return hypothesis

    def reset(self) -> None:
        """Forgets the word being read, the word before it and the writer's habit."""
        self._previous = ""
        self._habit.reset()
        self._begin()

    def _begin(self) -> None:
        self._pushed: list[LogProbs] = []
        self._open.reset()
        self._prior.forget()
        if self._beam is None or self._lexicon is None:
            return
        if self._version == self._lexicon.version:
            self._beam.reset()
        else:
            self._beam.follow(self._lexicon.trie)
            self._version = self._lexicon.version

    def _frames(self) -> LogProbs:
        if not self._pushed:
            return LogProbs(np.zeros((0, self._alphabet.size), dtype=np.float32), np.zeros(0))
        values = np.concatenate([part.values for part in self._pushed])
        return LogProbs(values, np.concatenate([part.t for part in self._pushed]))

    def _greedy(self, values: NDArray[np.float32]) -> str:
        return self._alphabet.decode(greedy_columns(values, self._alphabet.blank))

    def _as_written(self, greedy: str) -> list[str]:
        """Readings without lexicon. That nothing was written is one only if greedy says so."""
        return [greedy, *(text for text in self._open.texts() if text)]

    def _lexicon_texts(self, marks: Sequence[str]) -> list[str]:
        """The words found, in every usual casing; the best ones also with a mark behind them."""
        if self._beam is None:
            return []
        words = self._beam.words(self._params.words, _MARGIN)
        best = self._cased(words[:_WORDS_MARKED])
        others = self._cased([*words[_WORDS_MARKED:], *self._beam.completions(_COMPLETIONS)])
        return [*best, *others, *(text + mark for text in best for mark in marks)]

    def _cased(self, folded: Iterable[str]) -> list[str]:
        spelling = self._lexicon.spelling if self._lexicon else str
        return [text for word in folded if word for text in case_variants(word, spelling(word))]

    def _word_prior(self, text: str) -> Prior:
        if not text:
            return Prior(0.0, in_lexicon=False)
        return self._prior.of_word(text, self._previous, self._capital)

    @property
    def _capital(self) -> float:
        return self._params.habit * self._habit.bonus

    def _marks(self, values: NDArray[np.float32]) -> list[str]:
        """Up to two marks that the network considers in the last third of the word."""
        tail = values[len(values) * 2 // 3 :]
        known = [mark for mark in MARKS if self._alphabet.covers(mark)]
        if not len(tail) or not known:
            return []
        peaks = tail[:, self._alphabet.encode("".join(known))].max(axis=0)
        ranked = sorted(zip(peaks.tolist(), known, strict=True), reverse=True)
        return [mark for peak, mark in ranked[:2] if peak > np.log(_MARK_P)]
