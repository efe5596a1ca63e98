"""Which pictures make up which step of a pre-training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.training.images.batch import batch_of
from models.training.images.look import RenderConfig
from models.training.images.recogniser import STRIDE
from models.training.images.render import render
from models.training.images.words import InkWords
from models.training.tokens import spellable
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError

POOL_STEPS = 8
"""Pictures of so many steps are drawn together and sorted by width: little padding."""

Labelled = tuple[NDArray[np.uint8], str]


@dataclass(frozen=True)
class Source:
    """Ink and its share of the pictures."""

    words: InkWords
    share: float


class PictureSampler:
    """Draws the pictures of every step: a function of seed and step alone."""

    def __init__(self, sources: Sequence[Source], look: RenderConfig, pictures: int, seed: int) -> None:
        self._sources, self._look, self._pictures, self._seed = list(sources), look, pictures, seed
        self._usable = [source.words.usable() for source in sources]
        if not all(map(len, self._usable)):
            raise BadInputError(
                "a training shard holds no word with ink that the alphabet can spell.",
                advice="Use shards made by `prepare` of this version.",
            )
        shares = np.array([source.share for source in sources])
        self._shares = shares / shares.sum()
        self._pool: tuple[int, list[list[Labelled]]] = (-1, [])

    def batch(self, step: int) -> tuple[Tensor, Tensor, list[str]]:
        """Pictures, widths and labels of a step, counted from 1."""
        number, place = divmod(step - 1, POOL_STEPS)
        if self._pool[0] != number:
            self._pool = (number, self._drawn(number))
        pairs = self._pool[1][place]
        return *batch_of([image for image, _ in pairs]), [label for _, label in pairs]

    def _drawn(self, number: int) -> list[list[Labelled]]:
        rng = np.random.default_rng([self._seed, number, 41])
        count = self._pictures
        pairs = sorted((self._picture(rng) for _ in range(count * POOL_STEPS)), key=lambda p: p[0].shape[1])
        return [pairs[count * k : count * (k + 1)] for k in rng.permutation(POOL_STEPS)]

    def _picture(self, rng: np.random.Generator) -> Labelled:
        """A word that fits its picture: the narrowest ones are drawn again."""
        while True:
            which = int(rng.choice(len(self._sources), p=self._shares))
            words, usable = self._sources[which].words, self._usable[which]
            i = int(usable[int(rng.integers(len(usable)))])
            image = render(words.ink.word(i), self._look, rng)
            if spellable(PENAPP_ALPHABET.encode(str(words.label[i])), -(-image.shape[1] // STRIDE)):
                return image, str(words.label[i])
