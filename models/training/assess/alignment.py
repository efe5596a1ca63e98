"""Which letters are taken for which: the cheapest edits of a reading, letter by letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.assess.predictions import Sample

NOTHING = ""
"""The other side of a letter that was left out or put in."""


@dataclass(frozen=True)
class Confusions:
    """How often each letter was read as each.

    letters: those with most errors first to last; counts: (n, n) label in rows, reading in columns
    left_out, put_in: (n,) letters read as nothing, letters read where there was nothing
    """

    letters: tuple[str, ...]
    counts: NDArray[np.int64]
    left_out: NDArray[np.int64]
    put_in: NDArray[np.int64]


def aligned(label: str, text: str) -> list[tuple[str, str]]:
    """(letter, read as) along one cheapest path that prefers substitutions; NOTHING: put in or left out."""
    cost = _costs(label, text)
    pairs: list[tuple[str, str]] = []
    i, j = len(label), len(text)
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + (label[i - 1] != text[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((label[i], text[j]))
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            pairs.append((label[i], NOTHING))
        else:
            j -= 1
            pairs.append((NOTHING, text[j]))
    return pairs[::-1]


def letter_pairs(samples: Iterable[Sample]) -> Counter[tuple[str, str]]:
    """How often each (letter, read as) came, right ones included."""
    return Counter(pair for sample in samples for pair in aligned(sample.label, sample.text))


def top_confusions(pairs: Counter[tuple[str, str]], count: int = 20) -> list[tuple[str, str, int]]:
    """The most frequent (letter, read as, times) that are errors; equal ones in order of the letters."""
    wrong = [(a, b, n) for (a, b), n in pairs.items() if a != b]
    return sorted(wrong, key=lambda row: (-row[2], row[0], row[1]))[:count]


def confusion_matrix(pairs: Counter[tuple[str, str]], size: int = 24) -> Confusions:
    """Over the `size` letters with most errors, in the order of the alphabet."""
    errors: Counter[str] = Counter()
    for (letter, read), n in pairs.items():
        if letter != read:
            errors.update({letter: n, read: n})
    del errors[NOTHING]
    ranked = sorted(errors, key=lambda letter: (-errors[letter], letter))[:size]
    letters = tuple(sorted(ranked, key=lambda c: (not c.isalpha(), c.lower(), c)))
    counts = np.array([[pairs[a, b] for b in letters] for a in letters], np.int64)
    return Confusions(
        letters,
        counts.reshape(len(letters), len(letters)),
        np.array([pairs[a, NOTHING] for a in letters], np.int64),
        np.array([pairs[NOTHING, a] for a in letters], np.int64),
    )


def worst(samples: Iterable[Sample], count: int = 20) -> list[tuple[Sample, int]]:
    """(sample, edits), most edits a letter first, among equals the longer label, then the id."""
    counted = [(s, sum(a != b for a, b in aligned(s.label, s.text))) for s in samples if s.label != s.text]
    counted.sort(key=lambda pair: (-pair[1] / max(len(pair[0].label), 1), -len(pair[0].label), pair[0].id))
    return counted[:count]


def _costs(label: str, text: str) -> Sequence[Sequence[int]]:
    """Edits between all beginnings of both."""
    rows = [list(range(len(text) + 1))]
    for i, letter in enumerate(label, 1):
        row, above = [i], rows[-1]
        for j, other in enumerate(text, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != other)))
        rows.append(row)
    return rows
