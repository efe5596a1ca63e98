"""Which words make up which step: a function of seed and step alone, so that a run resumes anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.config import RunConfig
from models.training.curriculum import LengthSchedule
from models.training.easing import strength
from models.training.presenting import MAX_ROWS, Presenter, Words
from models.training.tokens import TargetAlphabet, spellable
from penapp.errors import BadInputError

POOL_STEPS = 8
"""Words of so many steps are drawn together and sorted by length: little padding, still mixed."""

MIN_ROWS = 9
"""Shorter recordings hold no letter."""


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
    """A named part of the training words and its share of the presentations."""

    shard: Words
    share: float


class Sampler:
    """Draws the words of every step from the corpora by share, writers flattened, lengths bucketed.

    left_out: for each corpus, how many words cannot be learned, by reason
    """

    def __init__(
        self,
        corpora: Sequence[Corpus],
        config: RunConfig,
        targets: TargetAlphabet,
        presenter: Presenter,
        output_length: Callable[[int], int],
    ) -> None:
        self._corpora, self._config, self._targets = list(corpora), config, targets
        self._presenter, self._output_length = presenter, output_length
        sorted_out = [_usable(c.shard, targets, output_length) for c in corpora]
        self._usable = [usable for usable, _ in sorted_out]
        self.left_out = [reasons for _, reasons in sorted_out]
        for c, usable in zip(corpora, self._usable, strict=True):
            if not len(usable):
                raise BadInputError(
                    f"none of the {len(c.shard)} words of a training shard can be used.",
                    advice="Words must fit the alphabet and leave the network enough rows for their letters.",
                )
        pairs = list(zip(corpora, self._usable, strict=True))
        if config.data.task == "labels":
            refuse_words(str(label) for c, usable in pairs for label in c.shard.label[usable])
        self._shortest = min(len(str(label)) for c, usable in pairs for label in c.shard.label[usable])
        self._curriculum = LengthSchedule(
            config.optim.short_letters, config.optim.long_letters, config.optim.short_first
        )
        flatten = config.data.writer_flatten
        self._weights = [_writer_weights(c.shard.writer[usable], flatten) for c, usable in pairs]
        self._mates = [_session_mates(c.shard, usable) for c, usable in pairs]
        shares = np.array([c.share for c in corpora])
        self._shares = shares / shares.sum()
        self._pools: dict[int, tuple[int, list[list[Presented]]]] = {}

    def batch(self, step: int, part: int = 0) -> Batch:
        """The words of one part of one step."""
        number, place = divmod(step - 1, POOL_STEPS)
        if self._pools.get(part, (-1, []))[0] != number:
            self._pools[part] = (number, self._drawn(number, part))
        words = self._pools[part][1][place]
        batch = collate([(word.rows, word.label) for word in words], self._targets)
        return replace(batch, sources=tuple(word.source for word in words))

    def _drawn(self, number: int, part: int) -> list[list[Presented]]:
        """The words of POOL_STEPS steps: drawn, varied, sorted by length, cut into batches of equal work."""
        config = self._config
        rng = np.random.default_rng([config.seed, number, part])
        presenter = self._eased(number * POOL_STEPS)
        longest = self._curriculum.longest_allowed(number * POOL_STEPS / config.optim.steps, self._shortest)
        budget = config.optim.batch_rows * POOL_STEPS
        words: list[Presented] = []
        rows = 0
        while rows < budget:
            which = int(rng.choice(len(self._corpora), p=self._shares))
            i = int(self._usable[which][np.searchsorted(self._weights[which], rng.random())])
            if len(self._corpora[which].shard.label[i]) > longest:
                continue
            words.append(self._presented(which, i, presenter, rng))
            rows += len(words[-1].rows)
        words.sort(key=lambda word: len(word.rows))
        work = np.cumsum([len(word.rows) for word in words])
        inner = [int(np.searchsorted(work, rows * k / POOL_STEPS)) for k in range(1, POOL_STEPS)]
        batches = [words[a:b] for a, b in pairwise([0, *inner, len(words)])]
        return [batches[k] for k in rng.permutation(POOL_STEPS)]

    def _eased(self, step: int) -> Presenter:
        """How words are shown at a step: less varied at the start of a run that is eased in."""
        share = strength(self._config.optim, step)
        return self._presenter if share >= 1.0 else self._presenter.eased(share)

    def _presented(self, which: int, i: int, presenter: Presenter, rng: np.random.Generator) -> Presented:
        words = self._corpora[which].shard
        mates = self._mates[which].get(int(words.session[i]), [])
        shown = presenter.show(words, i, mates, rng)
        if spellable(self._targets.encode(shown.label), self._output_length(len(shown.rows))):
            return Presented(shown.rows, shown.label, Source(which, i, shown.joined))
        return Presented(presenter.plain(words, i), str(words.label[i]), Source(which, i))


def collate(words: Sequence[tuple[NDArray[np.float32], str]], targets: TargetAlphabet) -> Batch:
    """Words (T_i, F) with labels side by side."""
    lengths = [len(rows) for rows, _ in words]
    features = np.zeros((len(words), max(lengths), words[0][0].shape[1]), dtype=np.float32)
    for k, (rows, _) in enumerate(words):
        features[k, : len(rows)] = rows
    codes = [targets.encode(label) for _, label in words]
    return Batch(
        torch.from_numpy(features),
        torch.tensor(lengths),
        torch.tensor([c for code in codes for c in code]),
        torch.tensor([len(code) for code in codes]),
        tuple(label for _, label in words),
    )


def _usable(
    words: Words, targets: TargetAlphabet, output_length: Callable[[int], int]
) -> tuple[NDArray[np.int64], Counter[str]]:
    """Words that can be learned, and how many cannot, by reason."""
    reasons = [
        _obstacle(int(rows), str(label), targets, output_length)
        for rows, label in zip(np.diff(words.off), words.label, strict=True)
    ]
    return np.flatnonzero([reason == "" for reason in reasons]), Counter(r for r in reasons if r)


def refuse_words(labels: Iterable[str]) -> None:
    """BadInputError unless every label is one letter."""
    long = sorted({label for label in labels if len(label) != 1})
    if long:
        raise BadInputError(
            f"{len(long)} labels are not one letter, such as {long[0]!r}.",
            advice="data.task = labels reads one letter a recording; words want data.task = words.",
        )


def _obstacle(rows: int, label: str, targets: TargetAlphabet, output_length: Callable[[int], int]) -> str:
    """Why a word cannot be learned, or nothing."""
    if not MIN_ROWS <= rows <= MAX_ROWS:
        return f"outside {MIN_ROWS}-{MAX_ROWS} rows"
    if not targets.covers(label):
        return "letters outside the alphabet"
    return "" if spellable(targets.encode(label), output_length(rows)) else "too short for the label"


def _writer_weights(writers: NDArray[np.str_], flatten: float) -> NDArray[np.float64]:
    """Cumulated probabilities: a writer with many words counts less per word (exponent `flatten`)."""
    _, inverse, counts = np.unique(writers, return_inverse=True, return_counts=True)
    weights = counts[inverse].astype(np.float64) ** (-flatten)
    return np.asarray(np.cumsum(weights / weights.sum()).clip(max=1.0 - 1e-12))


def _session_mates(words: Words, usable: NDArray[np.int64]) -> dict[int, list[int]]:
    mates: dict[int, list[int]] = {}
    for i in usable:
        mates.setdefault(int(words.session[i]), []).append(int(i))
    return mates
