"""The demo's pen, and the ink it has written so far: the writing pad shows it. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.descriptor import Descriptor
from penapp.simulation.demo_ink import demo_sentences, sentence_ink
from penapp.simulation.ink import WordInk
from penapp.simulation.path import WordTruth
from penapp.simulation.pen import SimulatedSession
from penapp.simulation.sources import SessionSource, write_ink
from penapp.ui.pad_state import NO_INK, Box, ShownInk, Strokes

GAP_S = (0.8, 1.1)


@dataclass(frozen=True, slots=True)
class Page:
    """One sentence being written: its words, when each is written, the sample it begins with."""

    ink: tuple[WordInk, ...]
    truth: tuple[WordTruth, ...]
    first_sample: int


class DemoPen:
    """A CountSource: real people's sentences over and over; `ink_so_far` may be called from any thread."""

    def __init__(self, rate_hz: float = 100.0, *, seed: int = 1) -> None:
        self._rate_hz = rate_hz
        self._seed = seed
        self._samples = 0
        self._page: Page | None = None
        self._source = SessionSource(self._sessions(), rate_hz)

    @property
    def descriptor(self) -> Descriptor:
        return self._source.descriptor

    def read(self, n: int) -> NDArray[np.int16] | None:
        counts = self._source.read(n)
        self._samples += 0 if counts is None else len(counts)
        return counts

    def ink_so_far(self) -> ShownInk:
        """The word being written, as far as it is."""
        page = self._page
        if page is None:
            return NO_INK
        return written(page.ink, page.truth, (self._samples - page.first_sample) / self._rate_hz)

    def _sessions(self) -> Iterator[SimulatedSession]:
        seed = self._seed
        while True:
            for sentence in demo_sentences():
                ink = tuple(sentence_ink(sentence))
                session = write_ink(ink, seed, rate_hz=self._rate_hz, gap_s=GAP_S)
                self._page = Page(ink, session.words, self._samples)
                yield session
                seed += 1


def written(ink: tuple[WordInk, ...], truth: tuple[WordTruth, ...], now_s: float) -> ShownInk:
    """The last word that has begun at `now_s`, with those of its points that are on paper by then."""
    begun = [index for index, word in enumerate(truth) if word.start_t <= now_s]
    if not begun:
        return NO_INK
    word, when = ink[begun[-1]], truth[begun[-1]]
    strokes: Strokes = []
    for points, times, (start, end) in zip(word.strokes, word.times, when.stroke_t, strict=False):
        if start > now_s:
            break
        share = 1.0 if now_s >= end else (now_s - start) / (end - start)
        due = times <= times[0] + share * (times[-1] - times[0])
        strokes.append([(float(x), float(y)) for x, y in points[due]])
    return ShownInk(strokes, _box(word))


def _box(word: WordInk) -> Box:
    every = np.concatenate(word.strokes)
    (left, low), (right, high) = every.min(axis=0), every.max(axis=0)
    return Box(float(left), float(low), float(right), float(high))
