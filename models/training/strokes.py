"""The ink of many words in few bytes: what the virtual pen wrote, kept beside what it felt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from penapp.simulation.ink import WordInk

UNITS_PER_MM = 50.0
"""Resolution of stored points: 0.02 mm, a tenth of a pen line."""
STEP_MM = 0.12
"""Points nearer to the last kept one are left out."""


@dataclass(frozen=True)
class PackedInk:
    """Pen-down strokes of W words; a word of a real recording has none.

    xy:    (P, 2) int16, 1/UNITS_PER_MM mm from the corner of the word, x to the right, y away from the writer
    start: (P,) bool, first point of a stroke
    off:   (W+1,) int64 word boundaries
    """

    xy: NDArray[np.int16]
    start: NDArray[np.bool_]
    off: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.off) - 1

    def word(self, i: int) -> list[NDArray[np.float32]]:
        """Strokes of word i, each (n, 2) in mm; empty where no ink is known."""
        rows = slice(int(self.off[i]), int(self.off[i + 1]))
        xy = self.xy[rows].astype(np.float32) / np.float32(UNITS_PER_MM)
        return np.split(xy, np.flatnonzero(self.start[rows])[1:]) if len(xy) else []

    def known(self) -> NDArray[np.bool_]:
        """(W,) which words have ink."""
        return np.diff(self.off) > 0

    def first(self, count: int) -> PackedInk:
        end = int(self.off[count])
        return PackedInk(self.xy[:end], self.start[:end], self.off[: count + 1])

    def only(self, words: NDArray[np.int64]) -> PackedInk:
        """The ink of the words at these places, in this order."""
        rows, off = rows_of(self.off, words)
        return PackedInk(self.xy[rows], self.start[rows], off)

    @staticmethod
    def none(count: int) -> PackedInk:
        """`count` words without ink."""
        return PackedInk(np.zeros((0, 2), np.int16), np.zeros(0, np.bool_), np.zeros(count + 1, np.int64))

    @staticmethod
    def joined(parts: Sequence[PackedInk]) -> PackedInk:
        starts = np.cumsum([0, *(int(p.off[-1]) for p in parts)])
        off = [np.zeros(1, np.int64), *(p.off[1:] + s for p, s in zip(parts, starts[:-1], strict=True))]
        return PackedInk(
            np.concatenate([p.xy for p in parts]),
            np.concatenate([p.start for p in parts]),
            np.concatenate(off),
        )


def rows_of(off: NDArray[np.int64], words: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the rows of some words, one word after the other, and the boundaries they then have.

    off: (W+1,) boundaries of all words; words: (n,) which of them; returns (rows,) and (n+1,)
    """
    sizes = np.diff(off)[words]
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return np.arange(ends[-1]) + np.repeat(off[:-1][words] - ends[:-1], sizes), ends


def pack(words: Sequence[WordInk]) -> PackedInk:
    """Thin the strokes to STEP_MM and store them; strokes of one point keep it."""
    places: list[NDArray[np.int16]] = []
    starts: list[NDArray[np.bool_]] = []
    counts: list[int] = []
    for word in words:
        corner = np.concatenate(word.strokes).min(axis=0)
        kept = [_thinned(stroke) for stroke in word.strokes]
        points = (np.concatenate(kept) - corner) * UNITS_PER_MM
        places.append(np.clip(np.rint(points), 0, np.iinfo(np.int16).max).astype(np.int16))
        firsts = np.zeros(len(points), dtype=np.bool_)
        firsts[np.cumsum([0, *(len(k) for k in kept[:-1])])] = True
        starts.append(firsts)
        counts.append(len(points))
    if not words:
        return PackedInk.none(0)
    off = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return PackedInk(np.concatenate(places), np.concatenate(starts), off)


def _thinned(stroke: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points at least STEP_MM of path apart; both ends stay."""
    steps = np.hypot(*np.diff(stroke, axis=0).T) if len(stroke) > 1 else np.zeros(0)
    marks = np.floor(np.concatenate([[0.0], np.cumsum(steps)]) / STEP_MM)
    keep = np.concatenate([[True], np.array([b > a for a, b in pairwise(marks)], dtype=np.bool_)])
    keep[-1] = True
    return np.asarray(stroke[keep])
