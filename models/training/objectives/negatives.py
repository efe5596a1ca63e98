"""Which other word an anchor is held against: chosen by edit distance, from far to near.

Words of equal length come first: their letters stand in the same places, only some are others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError

FARTHEST = 10
BLOCK = 64
"""Anchors compared at a time: the working rows stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Negative:
    """Another word of the list and how many edits it is from the anchor."""

    label: str
    edits: int


def wanted_edits(progress: float, far: int = FARTHEST, near: int = 1) -> int:
    """The distance to ask for at `progress` 0..1 of the schedule: linear from far to near."""
    share = min(max(progress, 0.0), 1.0)
    return round(far + (near - far) * share)


class NegativeLabels:
    """A fixed list of words and the edit distances between those of equal length.

    Memory is one byte per pair of equal length: 8 MB for 8,000 English words.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        by_length: dict[int, list[str]] = {}
        for label in sorted(set(labels)):
            by_length.setdefault(len(label), []).append(label)
        if sum(map(len, by_length.values())) < 2:
            raise BadInputError(f"negatives need two different labels, found {len(set(labels))}.")
        self._words = {length: np.array(words) for length, words in by_length.items()}
        self._codes = {length: letter_codes(words) for length, words in by_length.items()}
        self._place = {word: k for words in by_length.values() for k, word in enumerate(words)}
        self._tables = {length: edit_distances(codes, codes) for length, codes in self._codes.items()}

    def draw(self, anchors: Sequence[str], wanted: int, rng: np.random.Generator) -> list[Negative]:
        """One negative for each anchor, `wanted` edits away or as near to that as the list allows.

        Of equal length where the list has another word of that length; the same for the same `rng`.
        """
        return [self._draw(anchor, wanted, rng) for anchor in anchors]

    def at(self, anchor: str, edits: int) -> list[str]:
        """All words of the anchor's length that are exactly `edits` away."""
        if len(anchor) not in self._words:
            return []
        return [str(word) for word in self._words[len(anchor)][self._row(anchor) == edits]]

    def _draw(self, anchor: str, wanted: int, rng: np.random.Generator) -> Negative:
        length = len(anchor)
        if length in self._words:
            edits, words = self._row(anchor), self._words[length]
        if length not in self._words or not edits.any():
            edits, words = self._across(anchor)
        misses = np.abs(edits.astype(np.int16) - wanted)
        misses[edits == 0] = np.iinfo(np.int16).max
        nearest = np.flatnonzero(misses == misses.min())
        chosen = nearest[rng.integers(len(nearest))]
        return Negative(str(words[chosen]), int(edits[chosen]))

    def _row(self, anchor: str) -> NDArray[np.uint8]:
        """Distances to the words of the anchor's length, also of an anchor that is not in the list."""
        if anchor in self._place:
            row: NDArray[np.uint8] = self._tables[len(anchor)][self._place[anchor]]
            return row
        return _from(anchor, self._codes[len(anchor)])

    def _across(self, anchor: str) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
        """The words of the nearest other length."""
        length = min((n for n in self._words if n != len(anchor)), key=lambda n: (abs(n - len(anchor)), n))
        return _from(anchor, self._codes[length]), self._words[length]


def letter_codes(words: Sequence[str]) -> NDArray[np.uint32]:
    """(n, L) code points of n words of one length."""
    length = len(words[0])
    return np.array(words, dtype=f"<U{max(length, 1)}").view(np.uint32).reshape(len(words), -1)[:, :length]


def edit_distances(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Levenshtein distances (n, m) of n words of one length against m words of one length, up to 255."""
    blocks = [_block_distances(a[k : k + BLOCK], b) for k in range(0, len(a), BLOCK)]
    return np.concatenate(blocks)


def _from(anchor: str, codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    return edit_distances(letter_codes([anchor]), codes).reshape(-1)


def _block_distances(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The usual table of prefixes, each cell an (n, m) array."""
    shape = (len(a), len(b))
    row = [np.full(shape, j, np.uint8) for j in range(b.shape[1] + 1)]
    for i in range(a.shape[1]):
        before, row[0] = row[0], np.full(shape, i + 1, np.uint8)
        for j in range(b.shape[1]):
            changed = before + (a[:, i, None] != b[None, :, j])
            before = row[j + 1]
            row[j + 1] = np.minimum(np.minimum(row[j], before) + np.uint8(1), changed)
    return row[-1]
