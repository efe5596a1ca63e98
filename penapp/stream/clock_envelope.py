"""The line below a cloud of delays: no frame arrives before it was sampled, and some arrive at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from penapp.stream.clock import MAX_SKEW

Point = tuple[float, float]
"""x: device seconds; y: seconds that the host's clock is ahead of the pen's."""

KEPT_BLOCKS = 1024


@dataclass(frozen=True, slots=True)
class Line:
    """y = y_s + slope * (x - x_s); length_s: distance of the two points that it touches, 0 = one point."""

    x_s: float
    y_s: float
    slope: float = 0.0
    length_s: float = 0.0

    def at(self, x_s: float) -> float:
        return self.y_s + self.slope * (x_s - self.x_s)


def lower_hull(points: Iterable[Point]) -> list[Point]:
    """Corners of the lower convex hull of points with rising x (Andrew's monotone chain)."""
    hull: list[Point] = []
    for x, y in points:
        while len(hull) > 1 and _on_or_above(hull[-1], hull[-2], (x, y)):
            hull.pop()
        hull.append((x, y))
    return hull


def edge_over(hull: list[Point], x_s: float) -> Line:
    """The edge of a hull that spans x_s, not steeper than a clock can be."""
    for (x0, y0), (x1, y1) in pairwise(hull):
        if x1 >= x_s:
            slope = (y1 - y0) / (x1 - x0)
            if abs(slope) <= MAX_SKEW:
                return Line(x0, y0, slope, x1 - x0)
            return touching(hull, MAX_SKEW if slope > 0 else -MAX_SKEW)
    return Line(*hull[-1])


def touching(points: Iterable[Point], slope: float) -> Line:
    """The highest line of this slope below all points."""
    x, y = min(points, key=lambda p: p[1] - slope * p[0])
    return Line(x, y, slope)


def _on_or_above(p: Point, a: Point, b: Point) -> bool:
    """Whether p lies on or above the line from a to b."""
    return (p[1] - a[1]) * (b[0] - a[0]) >= (b[1] - a[1]) * (p[0] - a[0])


class Envelope:
    """Lowest points of short blocks over a window, and how far above them a point usually lies.

    line:     the highest line below the points, in the middle of the window
    excess_s: mean height of a point above it
    newest_s: the newest of those points, its y
    sweep_s:  how far the lowest points of blocks rise and fall: twice their usual height above it
    """

    def __init__(self, block_s: float, window_s: float) -> None:
        self._block_s, self._window_s = block_s, window_s
        self._points: deque[Point] = deque(maxlen=KEPT_BLOCKS)
        self._lowest: Point | None = None
        self._block_end_s = 0.0
        self._line: Line | None = None
        self.count = 0
        self.excess_s = self.sweep_s = self.newest_s = 0.0

    @property
    def line(self) -> Line:
        if self._line is None:
            raise ValueError("no point was pushed yet")
        return self._line

    def push(self, x_s: float, y_s: float) -> bool:
        """True when a block ended and `line` is new."""
        closed = self._lowest is not None and x_s >= self._block_end_s
        if closed:
            self._close()
        if self._lowest is None:
            self._block_end_s = x_s + self._block_s
        if self._lowest is None or y_s < self._lowest[1]:
            self._lowest = (x_s, y_s)
        if self._line is None:
            self._line = Line(x_s, y_s)
        above_s = y_s - self._line.at(x_s)
        if above_s < 0.0:
            self._line = replace(self._line, x_s=x_s, y_s=y_s)
        self.count += 1
        self.excess_s += (max(0.0, above_s) - self.excess_s) / min(self.count, 500)
        return closed

    def touch(self, slope: float, since_s: float) -> Line:
        """The highest line of this slope below the points since then."""
        recent = [p for p in self._points if p[0] >= since_s]
        if self._lowest is not None:
            recent.append(self._lowest)
        return touching(recent or self._points, slope)

    def _close(self) -> None:
        lowest, self._lowest = self._lowest, None
        if lowest is None or (self._points and lowest[0] <= self._points[-1][0]):
            return
        self._points.append(lowest)
        self.newest_s = lowest[1]
        while self._points[0][0] < lowest[0] - self._window_s:
            self._points.popleft()
        hull = lower_hull(self._points)
        self._line = line = edge_over(hull, 0.5 * (self._points[0][0] + lowest[0]))
        heights = sorted(y - line.at(x) for x, y in self._points)
        self.sweep_s = 2.0 * heights[len(heights) // 2]
