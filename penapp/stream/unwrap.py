"""The pen's two 32-bit counters, sample index and microseconds, as numbers that never wrap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

WRAP = 1 << 32
OLD_S = 2.0
"""A frame further back than this is no late frame: the pen has started again."""
PERIOD_MEMORY = 64
"""Samples over which the measured sample period is averaged."""
DRIFT = 0.2
JUMP_S = 1.0


class Place(Enum):
    """Where a frame stands relative to those before it."""

    FIRST = "first"
    NEXT = "next"
    OLD = "old"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Position:
    """lost: samples missing before the frame; t0_s: seconds of its first sample since the segment began."""

    place: Place
    lost: int = 0
    t0_s: float = 0.0


class Unwrapper:
    """Follows one boot of one pen; `place` looks, `accept` moves on. Times are seconds of the pen's clock."""

    def __init__(self, nominal_rate_hz: float) -> None:
        self._nominal_s = 1.0 / nominal_rate_hz
        self.reset()

    def reset(self) -> None:
        self.period_s = self._nominal_s
        self._expected = 0
        self._last_index = 0
        self._last_us = 0
        self._elapsed_s = 0.0
        self._started = False

    def place(self, index: int, t_us: int) -> Position:
        """`index` and `t_us` as they stand in the frame (32 bits)."""
        if not self._started:
            return Position(Place.FIRST)
        ahead = signed(index - self._expected)
        if ahead < 0:
            return Position(Place.OLD if -ahead * self._nominal_s <= OLD_S else Place.RESTART)
        stated_s = self._since_last_s(index, t_us)
        predicted_s = signed(index - self._last_index) * self.period_s
        if abs(stated_s - predicted_s) > JUMP_S + DRIFT * predicted_s:
            return Position(Place.RESTART)
        return Position(Place.NEXT, ahead, self._elapsed_s + stated_s)

    def accept(self, index: int, t_us: int, n: int, position: Position) -> None:
        if position.place is Place.NEXT:
            steps = signed(index - self._last_index)
            measured_s = (position.t0_s - self._elapsed_s) / steps
            weight = min(1.0, steps / PERIOD_MEMORY)
            self.period_s += weight * (measured_s - self.period_s)
        self._started = True
        self._elapsed_s = position.t0_s
        self._last_index, self._last_us = index, t_us
        self._expected = (index + n) % WRAP

    def _since_last_s(self, index: int, t_us: int) -> float:
        """Seconds since the last frame's first sample: of all that t_us may mean, the one the index tells."""
        predicted_us = signed(index - self._last_index) * self.period_s * 1e6
        within_wrap = (t_us - self._last_us) % WRAP
        wraps = round((predicted_us - within_wrap) / WRAP)
        return (within_wrap + wraps * WRAP) / 1e6


def signed(difference: int) -> int:
    """A difference of 32-bit counters, from -2**31 to 2**31 - 1."""
    return (difference + WRAP // 2) % WRAP - WRAP // 2
