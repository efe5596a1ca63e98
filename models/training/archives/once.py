"""Scores over folds that share recordings: each recording counts once, however often it was tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError


@dataclass(frozen=True, slots=True)
class OnceScore:
    """A mean over distinct recordings.

    mean:       each recording has the weight 1; one tested k times counts with the mean of its k outcomes
    recordings: distinct ones; repeated: those tested more than once; tests: all presentations
    """

    mean: float
    recordings: int
    repeated: int
    tests: int


def score_once(
    contents: Sequence[Sequence[bytes]], outcomes: Sequence[NDArray[np.floating] | Sequence[float]]
) -> OnceScore:
    """From the contents of the test side of every fold (`SignalSet.contents`) and an outcome for each item.

    An outcome is 1.0 for a right answer, or any figure that may be averaged.
    """
    sums: dict[bytes, float] = {}
    counts: dict[bytes, int] = {}
    for fold, (keys, values) in enumerate(zip(contents, outcomes, strict=True)):
        if len(keys) != len(values):
            raise BadInputError(f"fold {fold} has {len(keys)} recordings and {len(values)} outcomes.")
        for key, value in zip(keys, values, strict=True):
            sums[key] = sums.get(key, 0.0) + float(value)
            counts[key] = counts.get(key, 0) + 1
    if not counts:
        raise BadInputError("there is nothing to score: the folds hold no recordings.")
    tests = sum(counts.values())
    return OnceScore(
        float(np.mean([sums[key] / counts[key] for key in counts])),
        len(counts),
        sum(count > 1 for count in counts.values()),
        tests,
    )


def repeated_recordings(contents: Sequence[Sequence[bytes]]) -> int:
    """Distinct recordings that occur more than once on the test sides."""
    return score_once(contents, [[0.0] * len(keys) for keys in contents]).repeated if any(contents) else 0
