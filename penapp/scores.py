"""Error rates as the field counts them: corpus level, edits over reference characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Percent. cer: edits / reference characters of all words; wer: words not read exactly / words."""

    cer: float
    wer: float
    words: int


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance: insertions, deletions, substitutions count one each."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (letter != other))
    return row[-1]


def error_rates(references: Sequence[str], readings: Sequence[str]) -> ErrorRates:
    """Corpus-level rates; 0 words give 0."""
    edits = sum(edit_distance(r, h) for r, h in zip(references, readings, strict=True))
    letters = sum(len(r) for r in references)
    wrong = sum(r != h for r, h in zip(references, readings, strict=True))
    count = max(len(references), 1)
    return ErrorRates(100.0 * edits / max(letters, 1), 100.0 * wrong / count, len(references))
