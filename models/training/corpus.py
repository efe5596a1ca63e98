"""Ink becomes feature shards: the virtual pen writes it and the live stages read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.hands import another_hand
from models.training.missing import block_without
from models.training.shards import Shard
from models.training.strokes import pack
from penapp.dsp.params import ROW_NAMES, FeatureParams
from penapp.pipeline import FrontEnd
from penapp.segment.types import WordSegment
from penapp.simulation.ink import InkCorpus, WordInk
from penapp.simulation.parameters import Pace
from penapp.simulation.path import WordTruth
from penapp.simulation.pen import SimulatedSession, VirtualWriter

SLACK_S = 0.02
"""A segment this near a word belongs to it: contact begins a little before the ink does."""


@dataclass(frozen=True, slots=True)
class CutWord:
    """Rows (T, R) of one word as the segmenter cut it, the writer's style (S,), the label and the ink."""

    label: str
    writer: str
    session: int
    rows: NDArray[np.float16]
    style: NDArray[np.float32]
    ink: WordInk


def training_mask(ink: InkCorpus, split: str = "train") -> NDArray[np.bool_]:
    """Words of a split that may be trained on: label not held out."""
    return np.asarray((ink.split == split) & ~ink.heldout_word)


def varied_pace(rng: np.random.Generator, spread: float = 1.0) -> Pace:
    """Size, speed, slant and line direction around the donor's own."""
    return Pace(
        speed=float(np.exp(spread * rng.normal(0.0, 0.13))),
        size=float(np.exp(spread * rng.normal(0.0, 0.15))),
        slant=float(spread * rng.normal(0.0, 0.1)),
        turn_deg=float(spread * rng.normal(0.0, 3.0)),
        gap_s=(0.85, 1.7),
        gap_mm=float(rng.uniform(2.0, 8.0)),
    )


def simulate(
    words: Sequence[WordInk], seed: Sequence[int], rate_hz: float, spread: float = 1.0
) -> tuple[SimulatedSession, Sequence[WordInk]]:
    """A session of these words by a freshly drawn grip, touch and pen; with spread in another hand.

    Returns the words as they were written too.
    """
    rng = np.random.default_rng([*seed, 7])
    writer = VirtualWriter.draw([*seed, 1], hand=words[0].hand, pace=varied_pace(rng, spread))
    if spread > 0.0:
        words = [another_hand(word, rng, spread) for word in words]
    return writer.write(words, [*seed, 2], rate_hz=rate_hz), words


def cut_words(
    session: SimulatedSession,
    inks: Sequence[WordInk],
    number: int,
    params: FeatureParams,
    absent: Sequence[str] = (),
) -> Iterator[CutWord]:
    """Run the live stages over a session; words that the segmenter cut exactly come out.

    absent: sensors that the pen lacks (names in SENSORS)
    """
    front_end = FrontEnd(session.rate_hz, params)
    cuts = front_end.push(block_without(session.t, session.values, absent)) + front_end.finish()
    for word, ink in zip(session.words, inks, strict=True):
        own = [c for c in cuts if _overlap(c.segment, word, SLACK_S)]
        others = [w for w in session.words if w is not word]
        if len(own) == 1 and not any(_overlap(own[0].segment, w, 0.0) for w in others):
            values = own[0].features.values
            rows = values[:, : len(ROW_NAMES)].astype(np.float16)
            yield CutWord(word.label, ink.writer, number, rows, values[0, len(ROW_NAMES) :], ink)


def _overlap(segment: WordSegment, word: WordTruth, slack_s: float) -> bool:
    return segment.start_t < word.end_t + slack_s and segment.end_t > word.start_t - slack_s


def shard_of(words: Sequence[CutWord], params: FeatureParams) -> Shard:
    """Pack cut words."""
    lengths = [len(w.rows) for w in words]
    return Shard(
        np.concatenate([w.rows for w in words]),
        np.stack([w.style for w in words]),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([w.label for w in words]),
        np.array([w.writer for w in words]),
        np.array([w.session for w in words], dtype=np.int64),
        pack([w.ink for w in words]),
        params.fingerprint(),
    )
