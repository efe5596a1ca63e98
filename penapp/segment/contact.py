"""Force to contact to strokes: two thresholds, minimum times, soft dips bridged."""

from __future__ import annotations

import math

from penapp.dsp.motion import MotionBlock
from penapp.segment.params import ContactParams
from penapp.segment.types import Stroke


class ContactDetector:
    """MotionBlocks in, finished Strokes out, however the stream was cut.

    Thresholds stand above the force seen in the air and grow with the writer's own contact force. A stroke
    ends at its last row above the lower threshold and is reported once the tip stayed up for min_up_s. A
    small force that does not stir is no hand but a sensor whose zero has moved: the tip is then up.
    """

    down: bool
    _above: bool
    _start_t: float
    _last_t: float
    _previous_t: float
    _sum_n: float
    _count: int
    _peak_n: float
    _calm_t: float
    _calm_low_n: float
    _calm_high_n: float

    def __init__(self, params: ContactParams | None = None) -> None:
        self._params = params or ContactParams()
        self.reset()

    def reset(self) -> None:
        self._level_n = self._params.first_level_n
        self._rest_n = 0.0
        self._set_thresholds()
        self._clear()

    def push(self, block: MotionBlock) -> list[Stroke]:
        rows = zip(block.t.tolist(), block.force_n.tolist(), strict=True)
        strokes = (self.step(t, force_n) for t, force_n in rows)
        return [stroke for stroke in strokes if stroke is not None]

    def finish(self) -> list[Stroke]:
        """Ends the stroke that is still open; contact levels are kept."""
        open_stroke = [Stroke(self._start_t, self._last_t)] if self.down else []
        self._clear()
        return open_stroke

    def split(self) -> Stroke:
        """Ends the open stroke here and begins another one."""
        stroke = Stroke(self._start_t, self._last_t)
        self._start_t = self._last_t
        return stroke

    def step(self, t: float, force_n: float) -> Stroke | None:
        """One row; returns the stroke that this row shows to be over."""
        return self._step_down(t, force_n) if self.down else self._step_up(t, force_n)

    @property
    def down_since(self) -> float | None:
        """Touchdown of the open stroke, if the tip is on paper."""
        return self._start_t if self.down else None

    def _step_up(self, t: float, force_n: float) -> Stroke | None:
        if force_n < self._off_n:
            self._follow_rest(t, force_n)
            self._above = False
        elif self._above or force_n >= self._on_n:
            self._touch(t, force_n)
        self._previous_t = t
        return None

    def _touch(self, t: float, force_n: float) -> None:
        if not self._above:
            self._above, self._start_t, self._sum_n, self._count = True, t, 0.0, 0
            self._peak_n = 0.0
        self._sum_n += force_n
        self._count += 1
        if t - self._start_t >= self._params.min_down_s:
            self.down, self._last_t = True, t
            self._calm_t, self._calm_low_n, self._calm_high_n = t, force_n, force_n

    def _step_down(self, t: float, force_n: float) -> Stroke | None:
        self._previous_t = t
        if force_n >= self._off_n:
            self._last_t = t
            self._sum_n += force_n
            self._count += 1
            return self._moved_zero(t, force_n)
        if t - self._last_t < self._params.min_up_s:
            return None
        self._follow_level()
        self.down = self._above = False
        return Stroke(self._start_t, self._last_t)

    def _moved_zero(self, t: float, force_n: float) -> Stroke | None:
        p = self._params
        self._peak_n = max(self._peak_n, force_n)
        low, high = min(self._calm_low_n, force_n), max(self._calm_high_n, force_n)
        if high - low > p.calm_n or force_n > p.calm_share * max(self._level_n, self._peak_n):
            self._calm_t, self._calm_low_n, self._calm_high_n = t, force_n, force_n
            return None
        self._calm_low_n, self._calm_high_n = low, high
        if t - self._calm_t < p.calm_s:
            return None
        self.down = self._above = False
        self._rest_n = 0.5 * (low + high)
        self._set_thresholds()
        long_enough = self._calm_t - self._start_t >= p.min_down_s
        return Stroke(self._start_t, self._calm_t) if long_enough else None

    def _follow_rest(self, t: float, force_n: float) -> None:
        share = min(max((t - self._previous_t) / self._params.rest_s, 0.0), 1.0)
        self._rest_n += share * (force_n - self._rest_n)
        self._set_thresholds()

    def _follow_level(self) -> None:
        keep = self._params.level_keep
        self._level_n = keep * self._level_n + (1.0 - keep) * self._sum_n / self._count
        self._set_thresholds()

    def _set_thresholds(self) -> None:
        p = self._params
        self._on_n = self._rest_n + max(p.on_n, p.on_share * self._level_n)
        self._off_n = self._rest_n + max(p.off_n, p.off_share * self._level_n)

    def _clear(self) -> None:
        self.down = False
        self._above = False
        self._start_t = 0.0
        self._last_t = -math.inf
        self._previous_t = math.inf
        self._sum_n = 0.0
        self._count = 0
        self._peak_n = 0.0
        self._calm_t = self._calm_low_n = self._calm_high_n = 0.0
