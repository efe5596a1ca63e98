"""Offset and skew of a clock as a two-state Kalman filter, gated."""

from __future__ import annotations

from dataclasses import dataclass

from penapp.stream.clock import MAX_SKEW


@dataclass(frozen=True, slots=True)
class FilterParams:
    """How a clock moves.

    walk_ppm, memory_s: how far and how fast temperature moves the rate of a crystal
    first_skew_ppm:     how far a crystal may be off, before anything is known (standard deviation)
    wander_s:           how far the measured offset itself wanders in a second
    gate:               standard deviations beyond which a measurement is believed less
    """

    walk_ppm: float = 2.0
    memory_s: float = 300.0
    first_skew_ppm: float = 50.0
    wander_s: float = 0.0004
    gate: float = 10.0


class OffsetSkew:
    """y = offset + skew * (x - x of the last measurement); x must rise from measurement to measurement."""

    def __init__(self, params: FilterParams, x_s: float, offset_s: float, sd_s: float) -> None:
        self._gate = params.gate
        self._wander = params.wander_s**2
        self._walk = 2.0 * (params.walk_ppm * 1e-6) ** 2 / params.memory_s
        self._x_s, self._offset_s, self.skew = x_s, offset_s, 0.0
        self._oo, self._os, self._ss = sd_s**2, 0.0, (params.first_skew_ppm * 1e-6) ** 2

    def at(self, x_s: float) -> float:
        return self._offset_s + self.skew * (x_s - self._x_s)

    def variance_at(self, x_s: float) -> float:
        """Of the offset there: it grows with the distance from the last measurement."""
        step = x_s - self._x_s
        drift = self._walk * abs(step) ** 3 / 3 + self._wander * abs(step)
        return self._oo + 2 * step * self._os + step * step * self._ss + drift

    @property
    def skew_variance(self) -> float:
        return self._ss

    def move_to(self, x_s: float) -> None:
        """Carry the state on to the place of the next measurement."""
        step = x_s - self._x_s
        self._offset_s, self._oo = self.at(x_s), self.variance_at(x_s)
        self._os += step * self._ss + self._walk * step * step / 2
        self._ss += self._walk * step
        self._x_s = x_s

    def see_offset(self, offset_s: float, sd_s: float) -> None:
        """A measured offset; the further it is beyond the gate, the less it counts."""
        miss = offset_s - self._offset_s
        noise = sd_s * sd_s
        beyond = miss * miss / (self._gate**2 * (self._oo + noise))
        spread = self._oo + noise * max(1.0, beyond)
        self._correct(miss / spread, self._oo, self._os, spread)

    def see_skew(self, skew: float, sd: float) -> None:
        spread = self._ss + sd * sd
        self._correct((skew - self.skew) / spread, self._os, self._ss, spread)

    def _correct(self, pull: float, with_offset: float, with_skew: float, spread: float) -> None:
        """with_offset, with_skew: covariance of the two states with what was measured."""
        self._offset_s += with_offset * pull
        self.skew = min(max(self.skew + with_skew * pull, -MAX_SKEW), MAX_SKEW)
        self._oo -= with_offset * with_offset / spread
        self._os -= with_offset * with_skew / spread
        self._ss -= with_skew * with_skew / spread
