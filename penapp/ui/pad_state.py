"""The writing pad as values: paper geometry, ink, time stamps. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field

PX_PER_MM = 9.0
"""Larger than life: a hand moves a mouse in bigger strokes than a pen."""
LINE_MM = 9.0
"""Distance of the ruled lines, as in an exercise book."""
MARGIN_MM = 2.0


@dataclass(frozen=True, slots=True)
class PadPoint:
    """One position of mouse, finger or stylus on the virtual paper.

    x_mm, y_mm: from the lower left corner, x to the right, y away from the writer
    down:       the tip touches;  pressure: 0..1, 0 where the pointer has none
    t_s:        seconds on the clock of the input events
    """

    x_mm: float
    y_mm: float
    down: bool
    pressure: float
    t_s: float


@dataclass(frozen=True, slots=True)
class PadGeometry:
    """Pixels of the widget to millimetres of the virtual paper."""

    width_px: int
    height_px: int
    px_per_mm: float = PX_PER_MM

    def to_mm(self, x_px: float, y_px: float) -> tuple[float, float]:
        return x_px / self.px_per_mm, (self.height_px - y_px) / self.px_per_mm

    def to_px(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        return x_mm * self.px_per_mm, self.height_px - y_mm * self.px_per_mm

    def ruled_lines(self) -> list[float]:
        """Heights in pixels of the lines to write on, top first."""
        step = LINE_MM * self.px_per_mm
        lines, y = [], self.height_px - 0.45 * step
        while y > 0.5 * step:
            lines.append(y)
            y -= step
        return lines[::-1]


@dataclass
class EventClock:
    """Turns event time stamps into seconds that never run backwards.

    Some platforms send no time stamp, or the same one twice; then the host clock fills in.
    """

    _last_s: float = field(default=-1.0)
    _offset_s: float | None = field(default=None)

    def seconds(self, timestamp_ms: int, host_s: float) -> float:
        stamp = timestamp_ms / 1000.0
        if timestamp_ms and self._offset_s is None:
            self._offset_s = host_s - stamp
        now = stamp + self._offset_s if timestamp_ms and self._offset_s is not None else host_s
        self._last_s = max(now, self._last_s + 1e-4)
        return self._last_s


@dataclass
class PadInk:
    """What has been written, in millimetres. Dimmed strokes are text already."""

    strokes: list[list[tuple[float, float]]] = field(default_factory=list)
    dimmed: list[list[tuple[float, float]]] = field(default_factory=list)
    _down: bool = False

    def add(self, point: PadPoint) -> None:
        """Follow the pointer; a new stroke on a page of dimmed ink turns the page."""
        if point.down and not self._down:
            if not self.strokes:
                self.dimmed.clear()
            self.strokes.append([])
        if point.down:
            self.strokes[-1].append((point.x_mm, point.y_mm))
        self._down = point.down

    def dim(self) -> None:
        """The word became text: what was written so far steps back. A stroke in progress stays."""
        kept = self.strokes[-1:] if self._down else []
        self.dimmed += self.strokes[: len(self.strokes) - len(kept)]
        self.strokes = kept

    def clear(self) -> None:
        self.strokes, self.dimmed, self._down = [], [], False


Strokes = list[list[tuple[float, float]]]


def fitted(strokes: Strokes, geometry: PadGeometry) -> Strokes:
    """Strokes of someone else's pen moved into the pad: left margin, middle height, shrunk if too wide."""
    points = [point for stroke in strokes for point in stroke]
    if not points:
        return []
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    width_mm = geometry.width_px / geometry.px_per_mm - 2 * MARGIN_MM
    height_mm = geometry.height_px / geometry.px_per_mm - 2 * MARGIN_MM
    scale = min(1.6, width_mm / max(right - left, 1e-6), height_mm / max(high - low, 1e-6))
    middle = geometry.height_px / geometry.px_per_mm / 2
    centre = (low + high) / 2
    return [
        [(MARGIN_MM + (x - left) * scale, middle + (y - centre) * scale) for x, y in stroke]
        for stroke in strokes
    ]
