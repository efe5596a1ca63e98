"""Pictures beside the words of a batch: of the same label, and of another one some edits away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.auxiliary.settings import AuxiliaryConfig
from models.training.batches import Batch, Corpus, Source
from models.training.images.batch import batch_of
from models.training.images.look import RenderConfig
from models.training.images.pairs import InkIndex, WordPictures
from models.training.images.render import render
from models.training.images.words import Guard, InkWords
from models.training.objectives.negatives import NegativeLabels, wanted_edits
from models.training.presenting import Words
from models.training.shards import Shard
from models.training.strokes import PackedInk
from penapp.errors import BadInputError

NEEDS_NEGATIVE = frozenset({"contrastive", "triplet"})
JOIN_GAP = 0.35
"""Gap between two joined words, in heights of the first."""
NEAREST = 1
"""Edits between a word and its hard negatives."""


@dataclass(frozen=True)
class Pictures:
    """pixels (N, 1, H, W) float32 in 0-1, widths (N,) px, labels of N pictures."""

    pixels: Tensor
    widths: Tensor
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Companions:
    """What a batch is compared with.

    words:     (N,) numbers of the words of the batch that are compared
    positive:  N pictures of their labels; negative: N of other labels, where a term wants them
    hard:      N * H pictures one edit away, word after word, where wanted
    """

    words: Tensor
    positive: Pictures
    negative: Pictures | None = None
    hard: Pictures | None = None


class PictureDrawer:
    """Draws the companions of a batch: a function of seed, step and part alone."""

    def __init__(
        self, corpora: Sequence[Corpus], val: Words, config: AuxiliaryConfig, *, seed: int, height: int
    ) -> None:
        """Takes the ink of the training shards; none of it may be of a validation writer.

        Raises:
            BadInputError: no shard holds ink, or ink that is not for training
        """
        self._config, self._seed = config, seed
        self._words = [_ink_of(corpus.shard) for corpus in corpora]
        if not any(words.ink.known().any() for words in self._words):
            raise BadInputError(
                "no training shard holds ink, so there are no pictures for the image branch.",
                advice="Make the shards with `python -m models.training prepare` of this version.",
            )
        self._look = RenderConfig(height=height)
        guard = Guard.of_validation(_ink_of(val))
        self._pictures = WordPictures(InkIndex(self._words, guard), self._look)
        wants = NEEDS_NEGATIVE & set(config.terms) or config.image.hard
        self._negatives = NegativeLabels(_commonest(self._words, config.image.labels)) if wants else None

    def draw(self, batch: Batch, step: int, part: int, progress: float) -> Companions | None:
        """Pictures for a share of the words; None when none of them has ink.

        progress: 0..1 of the run, for the schedule of the negatives
        """
        rng = np.random.default_rng([self._seed, step, part, 77])
        sources = batch.sources or ()
        able = [k for k, source in enumerate(sources) if self._able(source)]
        chosen = sorted(rng.permutation(able)[: round(self._config.share * len(able))].tolist())
        if not chosen:
            return None
        labels = tuple(batch.labels[k] for k in chosen)
        images = [self._positive(sources[k], rng) for k in chosen]
        negative = None
        if NEEDS_NEGATIVE & set(self._config.terms) and self._negatives is not None:
            c = self._config.triplet
            wanted = wanted_edits(progress / max(c.settled, 1e-9), c.far, c.near)
            negative = self._of([n.label for n in self._negatives.draw(labels, wanted, rng)], rng)
        return Companions(torch.tensor(chosen), _together(images, labels), negative, self._hard(labels, rng))

    def _able(self, source: Source) -> bool:
        known = self._words[source.corpus].ink.known()
        return bool(known[source.word] and (source.joined is None or known[source.joined]))

    def _positive(self, source: Source, rng: np.random.Generator) -> NDArray[np.uint8]:
        words = self._words[source.corpus]
        if source.joined is not None:
            strokes = _beside(words.ink.word(source.word), words.ink.word(source.joined))
            return render(strokes, self._look, rng)
        if rng.random() < self._config.image.own:
            return self._pictures.own(words, source.word, rng).image
        label, writer = str(words.label[source.word]), str(words.writer[source.word])
        return self._pictures.same_label(label, writer, rng).image

    def _hard(self, labels: Sequence[str], rng: np.random.Generator) -> Pictures | None:
        if not self._config.image.hard or self._negatives is None:
            return None
        repeated = [label for label in labels for _ in range(self._config.image.hard)]
        return self._of([n.label for n in self._negatives.draw(repeated, NEAREST, rng)], rng)

    def _of(self, labels: Sequence[str], rng: np.random.Generator) -> Pictures:
        return _together([self._pictures.of_label(label, rng).image for label in labels], tuple(labels))


def _ink_of(words: Words) -> InkWords:
    """The ink of a shard; recordings of archives have none."""
    if isinstance(words, Shard):
        return InkWords.of(words)
    return InkWords(PackedInk.none(len(words)), words.label, words.writer)


def _together(images: Sequence[NDArray[np.uint8]], labels: tuple[str, ...]) -> Pictures:
    return Pictures(*batch_of(images), labels)


def _beside(first: list[NDArray[np.float32]], second: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Strokes of two words (mm) on one line."""
    ink = np.concatenate(first)
    gap = JOIN_GAP * float(np.ptp(ink[:, 1]))
    shift = np.array([ink[:, 0].max() + gap - np.concatenate(second)[:, 0].min(), 0.0], dtype=np.float32)
    return [*first, *(stroke + shift for stroke in second)]


def _commonest(words: Sequence[InkWords], most: int) -> list[str]:
    """The labels written most often."""
    labels = np.concatenate([w.label[w.usable()] for w in words])
    names, counts = np.unique(labels, return_counts=True)
    return [str(name) for name in names[np.argsort(-counts, kind="stable")[:most]]]
