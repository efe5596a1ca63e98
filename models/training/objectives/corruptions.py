"""Words with one letter too many, one missing, one wrong: the hardest negatives (ECHWR's error set)."""

from __future__ import annotations

import numpy as np

from penapp.errors import BadInputError

KINDS = 3
"""Corrupted words of a set: an insertion, a deletion, a substitution."""


def corrupted(label: str, letters: str, rng: np.random.Generator, sets: int = 2) -> list[str]:
    """3 * `sets` words one edit from `label`; new letters are drawn evenly from `letters`.

    A label of one letter has a second substitution for the deletion: no word becomes empty.
    """
    if not label or len(set(letters)) < 2:
        raise BadInputError(f"{label!r} cannot be corrupted with the letters {letters!r}.")
    words = []
    for _ in range(sets):
        words.append(_inserted(label, letters, rng))
        words.append(_deleted(label, rng) if len(label) > 1 else _substituted(label, letters, rng))
        words.append(_substituted(label, letters, rng))
    return words


def _inserted(label: str, letters: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(label) + 1))
    return label[:at] + letters[rng.integers(len(letters))] + label[at:]


def _deleted(label: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(label)))
    return label[:at] + label[at + 1 :]


def _substituted(label: str, letters: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(label)))
    others = letters.replace(label[at], "")
    return label[:at] + others[rng.integers(len(others))] + label[at + 1 :]
