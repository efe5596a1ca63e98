"""The writing pad as values: paper geometry, ink, time stamps. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field

PX_PER_MM = 9.0
"""Larger than life: a hand moves a mouse in bigger strokes than a pen."""
LINE_MM = 9.0
"""Distance of the ruled lines, as in an exercise book."""
MARGIN_MM = 2.0
ENLARGED = 1.5
"""How much larger than life the ink of another pen is shown."""


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


@dataclass(frozen=True, slots=True)
class Box:
    """Millimetres."""

    left: float
    low: float
    right: float
    high: float


@dataclass(frozen=True, slots=True)
class ShownInk:
    """What another pen has written so far, and the box that its whole word will fill (mm)."""

    strokes: Strokes
    box: Box


NO_INK = ShownInk([], Box(0.0, 0.0, 1.0, 1.0))


def fitted(ink: ShownInk, geometry: PadGeometry) -> Strokes:
    """Ink moved into the middle of the pad, enlarged a little, shrunk if too wide.

    The place follows from the box, so that what is written does not move while the word grows.
    """
    box = ink.box
    width_mm = geometry.width_px / geometry.px_per_mm
    height_mm = geometry.height_px / geometry.px_per_mm
    scale = min(
        ENLARGED,
        (width_mm - 2 * MARGIN_MM) / max(box.right - box.left, 1e-6),
        (height_mm - 2 * MARGIN_MM) / max(box.high - box.low, 1e-6),
    )
    x0, y0 = (box.left + box.right) / 2, (box.low + box.high) / 2
    return [
        [(width_mm / 2 + (x - x0) * scale, height_mm / 2 + (y - y0) * scale) for x, y in stroke]
        for stroke in ink.strokes
    ]
