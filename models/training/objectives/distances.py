"""Distances between embeddings (Ott et al., WACV 2022 and arXiv 2202.07901): MSE, cosine, Pearson, KL.

An embedding is (B, D), or (B, K, D) with K slots in the order of the letters: then the slots are compared
one by one and the mean counts. Half-precision embeddings are compared in float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from penapp.errors import BadInputError

SHORTEST = 1e-6
"""A vector shorter than this has no direction: its cosine with anything is 0, and so is its gradient."""


class Distance(Protocol):
    """How far embeddings are apart."""

    def rows(self, a: Tensor, b: Tensor) -> Tensor:
        """(B, ...) and (B, ...) to (B,): row i against row i."""

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(B, ...) and (N, ...) to (B, N): every row against every other's."""


@dataclass(frozen=True, slots=True)
class MeanSquare:
    """Mean over the D entries of the squared difference; of unit vectors it is 2 (1 - cosine) / D."""

    def rows(self, a: Tensor, b: Tensor) -> Tensor:
        _check(a, b, rows=True)
        return (wide(a) - wide(b)).square().flatten(1).mean(1)

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        _check(a, b)
        b = wide(b).flatten(1)
        centre = b.mean(0).detach()  # no difference to the distance, fewer digits lost
        a, b = wide(a).flatten(1) - centre, b - centre
        squares = a.square().sum(1)[:, None] + b.square().sum(1)[None, :] - 2.0 * _products(a, b)
        return squares.clamp(min=0.0) / a.shape[1]


@dataclass(frozen=True, slots=True)
class Cosine:
    """1 - cosine, 0..2; `centred`: of the deviations from each vector's own mean (1 - Pearson)."""

    centred: bool = False

    def rows(self, a: Tensor, b: Tensor) -> Tensor:
        _check(a, b, rows=True)
        return 1.0 - (self._unit(a) * self._unit(b)).sum(-1).reshape(len(a), -1).mean(1)

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        _check(a, b)
        return 1.0 - _products(self._unit(a).flatten(1), self._unit(b).flatten(1)) / _slots(a)

    def _unit(self, x: Tensor) -> Tensor:
        x = wide(x)
        return unit(x - x.mean(-1, keepdim=True) if self.centred else x)


@dataclass(frozen=True, slots=True)
class KullbackLeibler:
    """KL(softmax a || softmax b) in nats: how badly b describes a; not symmetric."""

    def rows(self, a: Tensor, b: Tensor) -> Tensor:
        _check(a, b, rows=True)
        log_a, log_b = wide(a).log_softmax(-1), wide(b).log_softmax(-1)
        return (log_a.exp() * (log_a - log_b)).sum(-1).reshape(len(a), -1).mean(1)

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        _check(a, b)
        log_a, log_b = wide(a).log_softmax(-1).flatten(1), wide(b).log_softmax(-1).flatten(1)
        own = (log_a.exp() * log_a).sum(1)
        return (own[:, None] - _products(log_a.exp(), log_b)).clamp(min=0.0) / _slots(a)


DISTANCES: dict[str, Distance] = {
    "mse": MeanSquare(),
    "cosine": Cosine(),
    "pearson": Cosine(centred=True),
    "kl": KullbackLeibler(),
}


def distance_named(name: str) -> Distance:
    """One of DISTANCES; BadInputError names those that there are."""
    if name not in DISTANCES:
        raise BadInputError(
            f"no distance is called {name!r}.", advice=f"Known here: {', '.join(sorted(DISTANCES))}."
        )
    return DISTANCES[name]


def each(distance: Distance, a: Tensor, b: Tensor) -> Tensor:
    """(B, ...) against its own N others (B, N, ...): (B, N)."""
    number = b.shape[1]
    return distance.rows(a.repeat_interleave(number, 0), b.flatten(0, 1)).view(len(a), number)


def unit(x: Tensor) -> Tensor:
    """Last dimension to length 1; shorter than SHORTEST becomes 0, without gradient."""
    squares = x.square().sum(-1, keepdim=True)
    long = squares > SHORTEST**2
    return x * torch.where(long, torch.where(long, squares, 1.0).rsqrt(), 0.0)


def wide(x: Tensor) -> Tensor:
    """At least float32."""
    return x.float() if x.dtype in {torch.float16, torch.bfloat16} else x


def _products(a: Tensor, b: Tensor) -> Tensor:
    with torch.autocast(a.device.type, enabled=False):
        return a @ b.T


def _slots(x: Tensor) -> int:
    return x.shape[1] if x.ndim == 3 else 1


def _check(a: Tensor, b: Tensor, *, rows: bool = False) -> None:
    same = a.shape == b.shape if rows else a.shape[1:] == b.shape[1:]
    if not same or a.ndim not in {2, 3}:
        raise BadInputError(
            f"embeddings of shapes {tuple(a.shape)} and {tuple(b.shape)} cannot be compared.",
            advice="Both are (B, D), or (B, K, D) with the same K and D.",
        )
