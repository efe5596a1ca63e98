"""What a calibration step looks like: a ring of seconds, a sphere from both sides, a mass on a scale."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from calibration.coverage import BANDS, SECTORS
from calibration.progress import Progress
from calibration.steps import Shows
from penapp.ui.calibration_state import facing
from penapp.ui.theme import LIGHT, Theme

Array = NDArray[np.float64]

VIEW = np.array([0.80, 0.42, 0.42])
FINE = 4
"""Each cell is painted in FINE x FINE pieces, so that its edges are round."""


class CalibrationPicture(QWidget):
    """Paints the progress of the present step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._shows: Shows | None = None
        self._progress = Progress(0.0, "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Progress of the step")

    def sizeHint(self) -> QSize:  # noqa: N802  Qt
        return QSize(430, 220)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt
        return QSize(320, 170)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_progress(self, shows: Shows | None, progress: Progress) -> None:
        self._shows, self._progress = shows, progress
        self.setAccessibleDescription(f"{progress.line}. {progress.problem}".strip())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  Qt
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(8, 4, -8, -4)
        if self._shows in {Shows.POSES, Shows.COVERAGE}:
            self._spheres(painter, area)
        elif self._shows is Shows.LEVELS:
            self._level(painter, area)
        else:
            self._ring(painter, area)
        painter.end()

    def _ring(self, painter: QPainter, area: QRectF) -> None:
        """A circle that closes while the pen rests, or that is closed at the end."""
        side = min(area.width(), area.height()) - 16
        circle = QRectF(0, 0, side, side)
        circle.moveCenter(area.center())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.line), 10))
        painter.drawEllipse(circle)
        over = self._shows is None
        painter.setPen(_round(self._theme.good if over else self._theme.accent, 10))
        painter.drawArc(circle, 90 * 16, -round(self._progress.share * 360 * 16))
        resting = self._progress.resting or over
        text = "Done" if over else "Still" if resting else "Moving"
        self._words(painter, circle, text, self._theme.good if resting else self._theme.warn)

    def _spheres(self, painter: QPainter, area: QRectF) -> None:
        side = min(area.width() / 2 - 10, area.height() - 24)
        for k, view in enumerate((VIEW, -VIEW)):
            centre = QPointF(area.center().x() + (k - 0.5) * (side + 16), area.top() + side / 2 + 2)
            self._sphere(painter, centre, side / 2, view / np.linalg.norm(view))
            label = QRectF(centre.x() - side / 2, centre.y() + side / 2 + 2, side, 20)
            painter.setPen(QColor(self._theme.muted))
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, ("one side", "other side")[k])

    def _sphere(self, painter: QPainter, centre: QPointF, radius: float, view: Array) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.window))
        painter.drawEllipse(centre, radius, radius)
        if self._shows is Shows.COVERAGE:
            self._cells(painter, centre, radius, view)
        painter.setPen(QPen(QColor(self._theme.line), 1))
        for line in _grid_lines():
            seen = facing(line, view)
            for a, b in pairwise(seen):
                if a[2] > 0 and b[2] > 0:
                    painter.drawLine(_point(centre, radius, a), _point(centre, radius, b))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.muted), 1.5))
        painter.drawEllipse(centre, radius, radius)
        self._dots(painter, centre, radius, view)

    def _cells(self, painter: QPainter, centre: QPointF, radius: float, view: Array) -> None:
        painter.setBrush(QColor(self._theme.accent))
        painter.setPen(QPen(QColor(self._theme.accent), 1))
        pieces = _cell_pieces()
        for cell in np.flatnonzero(self._progress.cells):
            for piece in pieces[cell]:
                seen = facing(piece, view)
                if seen[:, 2].mean() > 0.0:
                    painter.drawPolygon(QPolygonF([_point(centre, radius, corner) for corner in seen]))

    def _dots(self, painter: QPainter, centre: QPointF, radius: float, view: Array) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.accent))
        for point in facing(self._progress.points, view):
            if point[2] > 0:
                painter.drawEllipse(_point(centre, radius, point), 5, 5)
        if self._progress.now is None:
            return
        now = facing(self._progress.now[None], view)[0]
        if now[2] > 0:
            painter.setBrush(QColor(self._theme.good if self._progress.resting else self._theme.warn))
            painter.setPen(QPen(QColor(self._theme.card), 2))
            painter.drawEllipse(_point(centre, radius, now), 7, 7)

    def _level(self, painter: QPainter, area: QRectF) -> None:
        level = self._progress.level
        upper = QRectF(area.left(), area.top(), area.width(), area.height() - 40)
        if level is None:
            self._words(painter, upper, "All masses measured", self._theme.good)
            return
        self._words(painter, upper, f"{level.mass_g:.0f} g", self._theme.ink, scale=3.4)
        bar = QRectF(area.left() + 20, upper.bottom() + 4, area.width() - 40, 12)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.line))
        painter.drawRoundedRect(bar, 6, 6)
        filled = QRectF(bar)
        filled.setWidth(bar.width() * min(1.0, max(0.03, level.shown_n / 4.5)))
        painter.setBrush(QColor(self._theme.good if self._progress.resting else self._theme.accent))
        painter.drawRoundedRect(filled, 6, 6)
        painter.setPen(QColor(self._theme.muted))
        state = "hold it …" if level.waiting else f"the sensor shows {level.shown_n:.2f} N"
        painter.drawText(
            QRectF(bar.left(), bar.bottom(), bar.width(), 22), Qt.AlignmentFlag.AlignCenter, state
        )

    def _words(self, painter: QPainter, area: QRectF, text: str, colour: str, *, scale: float = 1.7) -> None:
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * scale)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
        painter.setFont(self.font())


@cache
def _cell_pieces() -> tuple[tuple[Array, ...], ...]:
    """For each of the 48 cells: its pieces, (4, 3) corners on the unit sphere."""
    return tuple(
        tuple(
            _corners(band + i / FINE, sector + j / FINE, 1 / FINE) for i in range(FINE) for j in range(FINE)
        )
        for band in range(BANDS)
        for sector in range(SECTORS)
    )


def _corners(band: float, sector: float, size: float) -> Array:
    steps = ((0, 0), (0, 1), (1, 1), (1, 0))
    return np.array([_direction(band + size * a, sector + size * b) for a, b in steps])


def _direction(band: float, sector: float) -> Array:
    z, turn = band * 2.0 / BANDS - 1.0, sector * 2.0 * np.pi / SECTORS
    level = np.sqrt(max(0.0, 1.0 - z * z))
    return np.array([level * np.cos(turn), level * np.sin(turn), z])


@cache
def _grid_lines() -> tuple[Array, ...]:
    """Edges of the cells as lines of points."""
    around, along = np.linspace(0, SECTORS, 65), np.linspace(0, BANDS, 33)
    parallels = [np.array([_direction(band, s) for s in around]) for band in range(1, BANDS)]
    meridians = [np.array([_direction(b, sector) for b in along]) for sector in range(SECTORS)]
    return (*parallels, *meridians)


def _point(centre: QPointF, radius: float, seen: Array) -> QPointF:
    return QPointF(centre.x() + radius * float(seen[0]), centre.y() - radius * float(seen[1]))


def _round(colour: str, width: float) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen
