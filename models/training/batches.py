"""Which words make up which step: a function of seed and step alone, so that a run resumes anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.augment import augmented, joined
from models.training.config import RunConfig
from models.training.shards import Shard
from penapp.decode.alphabet import Alphabet
from penapp.errors import BadInputError

MAX_ROWS = 1400
"""Longer words (14 s) are left out of training."""

POOL_STEPS = 8
"""Words of so many steps are drawn together and sorted by length: little padding, still mixed."""

SHORT_LETTERS = 5
"""Longest word of the opening phase; short words lead CTC out of its all-blank plateau sooner."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which word of which corpus was presented, and the word joined to it, if one was."""

    corpus: int
    word: int
    joined: int | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    """One varied copy of a word (or of two joined): rows (T, F) and label."""

    rows: NDArray[np.float32]
    label: str
    source: Source


@dataclass(frozen=True)
class Batch:
    """Words of one part of a step.

    features (B, T, F) float32 zero-padded; lengths (B,); targets flat int64 with target_lengths (B,)
    sources: where each word came from, None outside training
    """

    features: torch.Tensor
    lengths: torch.Tensor
    targets: torch.Tensor
    target_lengths: torch.Tensor
    labels: tuple[str, ...]
    sources: tuple[Source, ...] | None = None


@dataclass(frozen=True)
class Corpus:
    """A named part of the training data and its share of the presentations."""

    shard: Shard
    share: float


class Sampler:
    """Draws the words of every step from the corpora by share, writers flattened, lengths bucketed."""

    def __init__(
        self,
        corpora: Sequence[Corpus],
        config: RunConfig,
        alphabet: Alphabet,
        output_length: Callable[[int], int],
    ) -> None:
        self._output_length = output_length
        self._corpora, self._config, self._alphabet = list(corpora), config, alphabet
        self._usable = [_usable(c.shard, alphabet, output_length) for c in corpora]
        for c, usable in zip(corpora, self._usable, strict=True):
            if not len(usable):
                raise BadInputError(
                    f"none of the {len(c.shard)} words of a training shard can be used.",
                    advice="Words must fit the alphabet and leave the network enough rows for their letters.",
                )
        self._any_short = any(
            len(str(label)) <= SHORT_LETTERS
            for c, usable in zip(corpora, self._usable, strict=True)
            for label in c.shard.label[usable]
        )
        self._weights = [
            _writer_weights(c.shard.writer[usable], config.data.writer_flatten)
            for c, usable in zip(corpora, self._usable, strict=True)
        ]
        shares = np.array([c.share for c in corpora])
        self._shares = shares / shares.sum()
        self._pooled: tuple[tuple[int, int], list[list[Presented]]] = ((-1, -1), [])
        self._mates = [
            _session_mates(c.shard, usable) for c, usable in zip(corpora, self._usable, strict=True)
        ]

    def batch(self, step: int, part: int = 0) -> Batch:
        """The words of one part of one step."""
        pool = self._pool((step - 1) // POOL_STEPS, part)
        words = pool[(step - 1) % POOL_STEPS]
        batch = collate([(word.rows, word.label) for word in words], self._alphabet)
        return replace(batch, sources=tuple(word.source for word in words))

    def _pool(self, number: int, part: int) -> list[list[Presented]]:
        """The words of POOL_STEPS steps: drawn, varied, sorted by length, cut into batches of equal work."""
        if self._pooled[0] == (number, part):
            return self._pooled[1]
        config = self._config
        rng = np.random.default_rng([config.seed, number, part])
        short = self._any_short and number * POOL_STEPS < config.optim.short_first * config.optim.steps
        budget = config.optim.batch_rows * POOL_STEPS
        words: list[Presented] = []
        rows = 0
        while rows < budget:
            which = int(rng.choice(len(self._corpora), p=self._shares))
            i = int(self._usable[which][np.searchsorted(self._weights[which], rng.random())])
            if short and len(self._corpora[which].shard.label[i]) > SHORT_LETTERS:
                continue
            words.append(self._presented(which, i, rng))
            rows += len(words[-1].rows)
        words.sort(key=lambda word: len(word.rows))
        work = np.cumsum([len(word.rows) for word in words])
        bounds = [
            0,
            *(int(np.searchsorted(work, rows * k / POOL_STEPS)) for k in range(1, POOL_STEPS)),
            len(words),
        ]
        batches = [words[a:b] for a, b in pairwise(bounds)]
        self._pooled = ((number, part), [batches[k] for k in rng.permutation(POOL_STEPS)])
        return self._pooled[1]

    def _presented(self, which: int, i: int, rng: np.random.Generator) -> Presented:
        augment, shard = self._config.augment, self._corpora[which].shard
        rows, label, source = shard.word(i), str(shard.label[i]), Source(which, i)
        if rng.random() < augment.concatenate:
            mates = self._mates[which].get(int(shard.session[i]), [])
            if len(mates) > 1:
                j = int(mates[int(rng.integers(len(mates)))])
                if len(rows) + int(shard.off[j + 1] - shard.off[j]) < MAX_ROWS * 0.8:
                    rows, label = joined(rows, shard.word(j)), label + str(shard.label[j])
                    source = Source(which, i, j)
        varied = augmented(rows, augment, rng)
        whole = fits(self._output_length(len(varied)), label)
        return Presented(varied if whole else rows, label, source)


def fits(frames: int, label: str) -> bool:
    """Whether CTC can spell the label in that many frames (a repeated letter needs a blank between)."""
    repeats = sum(a == b for a, b in pairwise(label))
    return frames >= len(label) + repeats


def collate(words: Sequence[tuple[NDArray[np.float32], str]], alphabet: Alphabet) -> Batch:
    lengths = [len(rows) for rows, _ in words]
    features = np.zeros((len(words), max(lengths), words[0][0].shape[1]), dtype=np.float32)
    for k, (rows, _) in enumerate(words):
        features[k, : len(rows)] = rows
    codes = [alphabet.encode(label) for _, label in words]
    return Batch(
        torch.from_numpy(features),
        torch.tensor(lengths),
        torch.tensor([c for code in codes for c in code]),
        torch.tensor([len(code) for code in codes]),
        tuple(label for _, label in words),
    )


def _usable(shard: Shard, alphabet: Alphabet, output_length: Callable[[int], int]) -> NDArray[np.int64]:
    lengths = np.diff(shard.off)
    good = [
        8 < lengths[i] <= MAX_ROWS
        and alphabet.covers(str(label))
        and fits(output_length(int(lengths[i])), str(label))
        for i, label in enumerate(shard.label)
    ]
    return np.flatnonzero(good)


def _writer_weights(writers: NDArray[np.str_], flatten: float) -> NDArray[np.float64]:
    """Cumulated probabilities: a writer with many words counts less per word (exponent `flatten`)."""
    _, inverse, counts = np.unique(writers, return_inverse=True, return_counts=True)
    weights = counts[inverse].astype(np.float64) ** (-flatten)
    return np.asarray(np.cumsum(weights / weights.sum()).clip(max=1.0 - 1e-12))


def _session_mates(shard: Shard, usable: NDArray[np.int64]) -> dict[int, list[int]]:
    mates: dict[int, list[int]] = {}
    for i in usable:
        mates.setdefault(int(shard.session[i]), []).append(int(i))
    return mates
