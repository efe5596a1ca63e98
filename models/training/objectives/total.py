"""All terms of a step in one number, with its parts in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from models.training.objectives.term import Term
from penapp.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Loss:
    """`total` () to call backward on; `parts`: each term's mean, unweighted and detached."""

    total: Tensor
    parts: dict[str, Tensor]


def combined(
    terms: Mapping[str, Term], weights: Mapping[str, float], counts: Mapping[str, int] | None = None
) -> Loss:
    """Sum of weight * mean over the terms; counts: examples of all processes by term, by default those here.

    Raises:
        BadInputError: terms and weights do not name the same, or there is no term
    """
    if not terms or set(terms) != set(weights):
        raise BadInputError(
            f"losses {', '.join(terms) or 'none'} but weights for {', '.join(weights) or 'none'}.",
            advice="Give each term one weight; 0 is allowed.",
        )
    means = {name: term.mean(None if counts is None else counts[name]) for name, term in terms.items()}
    weighted = [weights[name] * mean for name, mean in means.items()]
    total = sum(weighted[1:], weighted[0])
    return Loss(total, {name: mean.detach() for name, mean in means.items()})
