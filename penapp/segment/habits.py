"""What the segmenter has learned of a writer: tempo, size, direction of writing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ALONG = (0.93, 0.37)
"""(forward, side) of the line for the usual grip: the tail points along it, 22 deg towards the writer."""
_USUAL_M = 0.012
"""How much upward hopping the usual grip is worth before anything is seen."""
HOPS_ENOUGH = 60


@dataclass(slots=True)
class Habits:
    """Running estimates of one writer, from priors; updated with every decision.

    inside_s:   typical pen-up inside a word (geometric mean), s
    long_s:     long pen-up inside a word (about nine of ten are shorter), s
    between_s:  typical pause between words (geometric mean), s
    short_s:    short pause between words (about nine of ten are longer), s
    size_m:     root mean square of the high-passed position on paper, m
    """

    inside_s: float = 0.16
    long_s: float = 0.30
    between_s: float = 0.75
    short_s: float = 0.45
    size_m: float = 0.0016
    inside_seen: int = 0
    between_seen: int = 0
    size_seen: float = 0.0
    hops_seen: int = 0
    _upward_m: float = _USUAL_M

    def inside(self, pause_s: float) -> None:
        """A pen-up turned out to lie inside a word."""
        self.inside_seen += 1
        keep = 1.0 - max(1.0 / (self.inside_seen + 6.0), 0.04)
        self.inside_s = _toward(self.inside_s, pause_s, keep)
        step = max(1.0 / (self.inside_seen + 6.0), 0.06)
        self.long_s *= math.exp(step * (1.8 if pause_s > self.long_s else -0.2))
        self.long_s = max(self.long_s, 1.2 * self.inside_s)

    def between(self, pause_s: float) -> None:
        """A pause turned out to lie between words."""
        self.between_seen += 1
        keep = 1.0 - max(1.0 / (self.between_seen + 3.0), 0.08)
        self.between_s = _toward(self.between_s, min(pause_s, 2.0), keep)
        step = max(1.0 / (self.between_seen + 3.0), 0.1)
        self.short_s *= math.exp(step * (0.2 if pause_s > self.short_s else -1.8))
        self.short_s = min(self.short_s, 0.9 * self.between_s)

    def wrote(self, position_m: NDArray[np.float64]) -> None:
        """A stroke's high-passed horizontal position, (n, 2)."""
        weight = min(len(position_m) / 300.0, 0.3)
        self.size_seen = min(self.size_seen + weight, 4.0)
        share = weight / (1.0 + self.size_seen)
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


def _toward(value: float, seen: float, keep: float) -> float:
    return math.exp(keep * math.log(value) + (1.0 - keep) * math.log(max(seen, 0.02)))
