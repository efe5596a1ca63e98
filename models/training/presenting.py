"""How a word is shown to the network: which other word is joined to it, and how it is varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.training.augment import augmented, joined
from models.training.config import AugmentConfig
from models.training.raw_augment import RawAugmentConfig, RawWord, joined_with, standardised, varied

MAX_ROWS = 1400
"""Longer words (14 s) are left out of training."""


class Words(Protocol):
    """What a feature shard and the raw recordings of an archive have in common.

    off: (W+1,) row boundaries; label, writer: (W,) text; session: (W,) same grip and pen, or same writer
    """

    @property
    def off(self) -> NDArray[np.int64]: ...
    @property
    def label(self) -> NDArray[np.str_]: ...
    @property
    def writer(self) -> NDArray[np.str_]: ...
    @property
    def session(self) -> NDArray[np.int64]: ...
    def __len__(self) -> int: ...
    def word(self, i: int) -> NDArray[np.float32]:
        """(T, F) rows of word i."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """One copy of a word: rows (T, F), its label, and the number of the word joined to it, if one was."""

    rows: NDArray[np.float32]
    label: str
    joined: int | None = None


class Presenter(Protocol):
    """Shows word i; `mates` are the words of its session, itself among them."""

    def show(self, words: Words, i: int, mates: Sequence[int], rng: np.random.Generator) -> Shown: ...
    def plain(self, words: Words, i: int) -> NDArray[np.float32]:
        """Word i as it is scored: unvaried."""
        ...

    def eased(self, strength: float) -> Presenter:
        """The same with every variation at 0..1 of its strength or probability."""
        ...


@dataclass(frozen=True, slots=True)
class FeaturePresenter:
    """Feature rows of the live stages, varied as writing varies."""

    config: AugmentConfig

    def show(self, words: Words, i: int, mates: Sequence[int], rng: np.random.Generator) -> Shown:
        rows, label, other = words.word(i), str(words.label[i]), None
        if rng.random() < self.config.concatenate and len(mates) > 1:
            j = int(mates[int(rng.integers(len(mates)))])
            if len(rows) + int(words.off[j + 1] - words.off[j]) < MAX_ROWS * 0.8:
                rows, label, other = joined(rows, words.word(j)), label + str(words.label[j]), j
        return Shown(augmented(rows, self.config, rng), label, other)

    def plain(self, words: Words, i: int) -> NDArray[np.float32]:
        return words.word(i)

    def eased(self, strength: float) -> FeaturePresenter:
        c = self.config
        return FeaturePresenter(AugmentConfig(**{key: strength * value for key, value in asdict(c).items()}))


@dataclass(frozen=True, slots=True)
class RawPresenter:
    """Raw channels as archives keep them: joined, varied, then each channel of a recording standardised."""

    config: RawAugmentConfig

    def show(self, words: Words, i: int, mates: Sequence[int], rng: np.random.Generator) -> Shown:
        word = RawWord(words.word(i), str(words.label[i]))
        others = [RawWord(words.word(j), str(words.label[j])) for j in self._drawn(mates, rng)]
        for other in others:
            if len(word.values) + len(other.values) < MAX_ROWS:
                word = joined_with(word, [other], 1, rng)
        return Shown(standardised(varied(word.values, self.config, rng)), word.label)

    def plain(self, words: Words, i: int) -> NDArray[np.float32]:
        return standardised(words.word(i))

    def eased(self, strength: float) -> RawPresenter:
        c = self.config
        extra = c.extra if strength >= 1.0 else 0
        return RawPresenter(replace(c, chance=strength * c.chance, missing=strength * c.missing, extra=extra))

    def _drawn(self, mates: Sequence[int], rng: np.random.Generator) -> list[int]:
        """`extra` recordings of the same writer; none where it has no other."""
        if len(mates) < 2:
            return []
        return [int(mates[int(rng.integers(len(mates)))]) for _ in range(self.config.extra)]
