"""What every objective returns: a sum and how many examples it is of."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Term:
    """A loss before it is averaged: `total` () over `count` examples.

    A loss over several batches or processes is the sum of their totals over the sum of their counts,
    however the examples were shared out.
    """

    total: Tensor
    count: int

    def mean(self, of: int | None = None) -> Tensor:
        """() loss per example; `of`: the number of examples of all processes, by default those here."""
        return self.total / max(self.count if of is None else of, 1)

    def __add__(self, other: Term) -> Term:
        return Term(self.total + other.total, self.count + other.count)
