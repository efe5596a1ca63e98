"""How much each term counts: constant, on a ramp, or by how fast it still falls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from penapp.errors import BadInputError


@dataclass(frozen=True)
class Ramp:
    """A weight that goes linearly from `start` to `end` between two shares of the steps; constant if equal.

    The group of the paper found a slow increase of the second loss better than a constant (WACV 2022).
    """

    start: float
    end: float
    begins: float = 0.0
    ends: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.begins <= self.ends <= 1.0:
            raise BadInputError(
                f"a ramp from {self.begins} to {self.ends} of the steps, expected 0 <= begins <= ends <= 1"
            )

    def at(self, progress: float) -> float:
        """The weight at `progress` 0..1 of the run."""
        if progress >= self.ends:
            return self.end
        if progress <= self.begins:
            return self.start
        share = (progress - self.begins) / (self.ends - self.begins)
        return self.start + (self.end - self.start) * share


def constant(weight: float) -> Ramp:
    return Ramp(weight, weight)


@dataclass(frozen=True)
class DynamicWeights:
    """Dynamic weight averaging (Liu et al. 2019; formula as in WACV 2022, methods 2.4), as a value.

    w_i(e) = exp(l_i / temperature) / sum_k exp(l_k / temperature) with l_i = L_i(e-1) / L_i(e-2): a loss that
    no longer falls counts more. Until two epochs are over all weights are equal. They add up to 1.
    sums, count: the epoch under way; last, before: mean losses of the two epochs before it
    """

    names: tuple[str, ...]
    temperature: float = 1.0
    sums: dict[str, float] = field(default_factory=dict)
    count: int = 0
    last: dict[str, float] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)

    def weights(self) -> dict[str, float]:
        """By name; all above 0, adding up to 1."""
        if not self.before:
            return dict.fromkeys(self.names, 1.0 / len(self.names))
        pace = {n: self.last[n] / max(self.before[n], 1e-12) / self.temperature for n in self.names}
        top = max(pace.values())
        shares = {name: math.exp(value - top) for name, value in pace.items()}
        return {name: share / sum(shares.values()) for name, share in shares.items()}

    def after_step(self, losses: Mapping[str, float]) -> DynamicWeights:
        """With one more step's losses in the epoch under way; BadInputError when one is missing."""
        missing = sorted(set(self.names) - set(losses))
        if missing:
            raise BadInputError(f"no loss {', '.join(missing)}; found {', '.join(sorted(losses))}.")
        sums = {name: self.sums.get(name, 0.0) + losses[name] for name in self.names}
        return DynamicWeights(self.names, self.temperature, sums, self.count + 1, self.last, self.before)

    def after_epoch(self) -> DynamicWeights:
        """The epoch's means move back by one; an epoch without steps changes nothing."""
        if not self.count:
            return self
        means = {name: total / self.count for name, total in self.sums.items()}
        return DynamicWeights(self.names, self.temperature, last=means, before=self.last)

    def state(self) -> dict[str, object]:
        """Plain values for a checkpoint; `DynamicWeights.of(state)` is the same again."""
        return asdict(self)

    @staticmethod
    def of(state: Mapping[str, object]) -> DynamicWeights:
        """From `state()`, also after JSON, where tuples are lists."""
        return DynamicWeights(**{**state, "names": tuple(state["names"])})  # type: ignore[arg-type]
