"""The reading's vote: does what stands in front of a doubtful pen-up read like a finished word?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from penapp.segment.params import VoteParams
from penapp.segment.pen_up import PenUp

_EDGE_S = 0.12
"""Behind its lift a stretch is whole after so long: its reading no longer changes."""

_LEAST = 1e-9
"""Chances nearer to 0 or 1 are as good as certain."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How well one stretch of the stream reads, natural logarithms, comparable within one stream.

    finished: of its best reading as a whole word
    begun:    of its best reading as the beginning of a word that may go on
    """

    finished: float
    begun: float


class StretchReader(Protocol):
    """Reads what lies between two times (s) of the stream, with no row that is later than until_t."""

    def __call__(self, start_t: float, end_t: float, until_t: float) -> Scores: ...


class Vote:
    """Asks the reader about doubtful pen-ups. Remembers one stretch, which is asked for again and again."""

    def __init__(self, params: VoteParams, reader: StretchReader) -> None:
        self._params, self._reader = params, reader
        self.reset()

    def reset(self) -> None:
        self._known: tuple[tuple[float, float, float], Scores] | None = None

    def chance(self, judged: float, pen_up: PenUp, start_t: float, now_t: float) -> float:
        """The judged probability of a word end, changed by the reading of the word begun at start_t."""
        p, logit = self._params, _logit(judged)
        if abs(logit) > p.doubt:
            return judged
        nats = self.nats(pen_up, start_t, now_t)
        if pen_up.land_t is None:
            return _chance(logit + p.air_offset + p.air_weight * nats)
        return _chance(logit + p.landed_offset + p.landed_weight * nats)

    def nats(self, pen_up: PenUp, start_t: float, now_t: float) -> float:
        """How much better the word begun at start_t reads if it ends here, as VoteParams says."""
        before = self._before(start_t, pen_up.lift_t, now_t)
        if pen_up.land_t is None:
            return before.finished - before.begun
        behind = self._reader(pen_up.land_t, now_t, now_t)
        return before.finished + behind.begun - self._reader(start_t, now_t, now_t).begun

    def _before(self, start_t: float, lift_t: float, now_t: float) -> Scores:
        stretch = start_t, lift_t, min(now_t, lift_t + _EDGE_S)
        if self._known is None or self._known[0] != stretch:
            self._known = stretch, self._reader(*stretch)
        return self._known[1]


def _logit(chance: float) -> float:
    inside = min(max(chance, _LEAST), 1.0 - _LEAST)
    return math.log(inside / (1.0 - inside))


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit))
