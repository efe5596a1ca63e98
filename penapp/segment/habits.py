"""What the segmenter has learned of a writer: tempo, size, direction of writing."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_ALONG = (0.93, 0.37)
"""(forward, side) of the line for the usual grip: the tail points along it, 22 deg towards the writer."""
_USUAL_M = 0.012
"""How much upward hopping the usual grip is worth before anything is seen."""
HOPS_ENOUGH = 60


@dataclass(slots=True)
class Tempo:
    """A running lognormal of pauses, from a prior that counts like `trust` pauses.

    mean, sd: of log(pause / 1 s); seen: pauses so far; memory: the last pause counts at least 1 / memory
    """

    mean: float
    sd: float
    trust: float
    memory: float
    seen: int = 0

    def learn(self, pause_s: float) -> None:
        self.seen += 1
        share = max(1.0 / (self.trust + self.seen), 1.0 / self.memory)
        off = math.log(min(max(pause_s, 0.04), 2.5)) - self.mean
        self.mean += share * off
        self.sd = math.sqrt((1.0 - share) * (self.sd**2 + share * off**2))

    def z(self, pause_s: float) -> float:
        """How unusual the pause is, in standard deviations."""
        return (math.log(pause_s) - self.mean) / self.sd


class Divide:
    """Where the late pen-ups, taken together, fall into short and long ones, whatever was decided about them.

    at: logarithm of the dividing pause; apart: difference of the two groups' mean logarithms
    """

    _FIRST_S = (0.1, 0.13, 0.16, 0.22, 0.3, 0.55, 0.7, 0.9)
    _KEPT = 32

    def __init__(self) -> None:
        self._logs = deque((math.log(pause) for pause in self._FIRST_S), maxlen=self._KEPT)
        self._find()

    def learn(self, pause_s: float) -> None:
        self._logs.append(math.log(min(max(pause_s, 0.06), 2.5)))
        self._find()

    def _find(self) -> None:
        """The split into two groups that lie farthest apart for their sizes (Otsu 1979)."""
        logs = sorted(self._logs)
        n, total, below, best = len(logs), sum(logs), 0.0, -1.0
        for k in range(1, n):
            below += logs[k - 1]
            apart = (total - below) / (n - k) - below / k
            if k * (n - k) * apart * apart > best:
                best, self.apart, self.at = k * (n - k) * apart * apart, apart, 0.5 * (logs[k - 1] + logs[k])


@dataclass(slots=True)
class Habits:
    """Running estimates of one writer, from priors.

    inside, between:  tempo of pen-ups inside words and of pauses between them, as decided
    divide:           what lies between short and long pauses
    size_m:           root mean square of the high-passed position on paper, m
    """

    inside: Tempo = field(default_factory=lambda: Tempo(math.log(0.16), 0.5, 5.0, 40.0))
    between: Tempo = field(default_factory=lambda: Tempo(math.log(0.75), 0.45, 2.0, 15.0))
    divide: Divide = field(default_factory=Divide)
    size_m: float = 0.0016
    hops_seen: int = 0
    _size_seen: float = 0.0
    _upward_m: float = _USUAL_M

    def paused(self, pause_s: float, *, between: bool) -> None:
        """A pen-up is over and decided."""
        (self.between if between else self.inside).learn(pause_s)
        self.divide.learn(pause_s)

    def wrote(self, position_m: NDArray[np.float64]) -> None:
        """A stroke's high-passed horizontal position, (n, 2)."""
        weight = min(len(position_m) / 300.0, 0.3)
        self._size_seen = min(self._size_seen + weight, 4.0)
        share = weight / (1.0 + self._size_seen)
        seen = float(np.mean(np.sum(position_m**2, axis=1)))
        self.size_m = math.sqrt((1.0 - share) * self.size_m**2 + share * seen)

    def hopped(self, forward_m: float, side_m: float) -> None:
        """A short pen-up inside a word: most go up the page, which tells how it lies."""
        self.hops_seen += 1
        up = _ALONG[0] * side_m - _ALONG[1] * forward_m
        self._upward_m += min(max(up, -0.004), 0.004)

    def along(self, forward_m: float, side_m: float) -> tuple[float, float]:
        """The move in the writer's own directions: along the line, up the page (metres)."""
        c, s = _ALONG if self._upward_m >= 0.0 else (-_ALONG[0], -_ALONG[1])
        return c * forward_m + s * side_m, c * side_m - s * forward_m
