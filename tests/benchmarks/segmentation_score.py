"""How well words were cut: exact, over-cut, under-cut, and how late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from segmentation_lines import Lines

from penapp.dsp.motion import MotionBlock
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.dsp.store import RowStore
from penapp.read_along import StretchScorer
from penapp.segment.contact import ContactDetector
from penapp.segment.params import SegmentParams
from penapp.segment.types import CloseReason, Stroke, WordSegment
from penapp.segment.vote import Scores
from penapp.segment.words import WordSegmenter
from penapp.simulation.path import WordTruth

SLACK_S = 0.01


@dataclass(slots=True)
class Score:
    """Counts over words; delays are seconds from a word's true end to the decision, of exactly cut words."""

    words: int = 0
    exact: int = 0
    over: int = 0
    under: int = 0
    torn_stroke: int = 0
    delays_s: list[float] = field(default_factory=list)

    def add(self, words: Sequence[WordTruth], segments: Sequence[WordSegment]) -> None:
        """A word is exact if one segment covers all its strokes and nothing else.

        over: more than one segment touches the word; under: a segment that touches it touches another one;
        torn_stroke: a stroke of it lies in no segment.
        """
        starts = np.array([s.start_t for s in segments])
        ends = np.array([s.end_t for s in segments])
        touched = [(starts < w.end_t + SLACK_S) & (ends > w.start_t - SLACK_S) for w in words]
        shared = np.sum(touched, axis=0) > 1
        for word, mine in zip(words, touched, strict=True):
            over, under = int(mine.sum()) > 1, bool(shared[mine].any())
            torn = not all(np.any((starts < b) & (ends > a)) for a, b in word.stroke_t)
            self.words += 1
            self.over += over
            self.under += under
            self.torn_stroke += torn and not over
            if not (over or under or torn):
                self.exact += 1
                self.delays_s.append(segments[int(np.argmax(mine))].decided_t - word.end_t)

    def line(self) -> str:
        share = 100.0 / max(self.words, 1)
        delays = np.array(self.delays_s or [np.nan])
        return (
            f"{share * self.exact:6.1f} {share * self.over:6.1f} {share * self.under:6.1f} "
            f"{share * self.torn_stroke:6.1f} {delays.mean():7.2f} {np.quantile(delays, 0.95):6.2f}"
        )


HEADER = " exact   over  under   lost    mean    p95"


def segmented(sessions: Iterable[Lines], params: SegmentParams, scorer: StretchScorer | None = None) -> Score:
    """Words cut by the segmenter, each session from scratch; with a scorer the reading has a vote."""
    score = Score()
    for session in sessions:
        reader = None if scorer is None else Stretches(session.motion, scorer)
        segmenter = WordSegmenter(params, reader=reader)
        segments = [segment for block in session.motion for segment in segmenter.push(block)]
        score.add(session.words, segments + segmenter.finish())
    return score


class Stretches:
    """All rows of a session; what a stretch may not know yet is cut off by its until_t."""

    def __init__(self, motion: Iterable[MotionBlock], scorer: StretchScorer) -> None:
        self._store, self._scorer = RowStore(DEFAULT_PARAMS, keep_s=float("inf")), scorer
        for block in motion:
            self._store.push(block)

    def __call__(self, start_t: float, end_t: float, until_t: float) -> Scores:
        return self._scorer(self._store.cut(start_t, end_t, until_t))


def by_pause(sessions: Iterable[Lines], delay_s: float) -> Score:
    """The baseline: the same strokes, a word ends after a fixed pause."""
    score = Score()
    for session in sessions:
        detector = ContactDetector()
        strokes = [stroke for block in session.motion for stroke in detector.push(block)]
        score.add(session.words, _fixed(strokes + detector.finish(), delay_s))
    return score


def _fixed(strokes: Sequence[Stroke], delay_s: float) -> list[WordSegment]:
    words: list[list[Stroke]] = []
    for stroke in strokes:
        if not words or stroke.start_t - words[-1][-1].end_t >= delay_s:
            words.append([])
        words[-1].append(stroke)
    return [WordSegment(tuple(w), CloseReason.PAUSE, w[-1].end_t + delay_s) for w in words]
