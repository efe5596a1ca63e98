"""The writing pad: mouse, finger or stylus become points on virtual paper."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QTabletEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from penapp.ui.pad_state import NO_INK, EventClock, PadGeometry, PadInk, PadPoint, ShownInk, Strokes, fitted
from penapp.ui.theme import LIGHT, Theme

INK_WIDTH = 2.2


class WritingPad(QWidget):
    """Ruled paper. While `writable`, every movement is shown as ink and sent as `moved`."""

    moved = Signal(PadPoint)
    refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Writing pad")
        self.setAccessibleDescription("Write a word with the mouse, a finger or a stylus")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.writable = False
        self._theme: Theme = LIGHT
        self._clock = EventClock()
        self._geometry = PadGeometry(self.width(), self.height())
        self._ink = PadInk()
        self._shown = NO_INK
        self._notice = ""

    def sizeHint(self) -> QSize:  # noqa: N802  Qt
        return QSize(640, 210)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt
        return QSize(240, 120)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_writable(self, writable: bool, notice: str) -> None:
        """Whether the pad writes; `notice` is shown on empty paper."""
        if (writable, notice) == (self.writable, self._notice):
            return
        self.writable, self._notice = writable, notice
        self.setCursor(Qt.CursorShape.CrossCursor if writable else Qt.CursorShape.ArrowCursor)
        self.update()

    def show_ink(self, ink: ShownInk) -> None:
        """Show what another pen writes; NO_INK leaves the paper to the writer."""
        if ink != self._shown:
            self._shown = ink
            self.update()

    def dim(self) -> None:
        """The ink so far has become text."""
        self._ink.dim()
        self.update()

    def clear(self) -> None:
        self._ink.clear()
        self._shown = NO_INK
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt
        if event.button() is Qt.MouseButton.LeftButton:
            if not self.writable:
                self.refused.emit()
            self._point(event, down=True, pressure=0.0)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt
        self._point(event, down=bool(event.buttons() & Qt.MouseButton.LeftButton), pressure=0.0)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt
        if event.button() is Qt.MouseButton.LeftButton:
            self._point(event, down=False, pressure=0.0)

    def tabletEvent(self, event: QTabletEvent) -> None:  # noqa: N802  Qt
        """A stylus brings its own pressure; accepting the event stops the mouse event made from it."""
        down = event.type() != QEvent.Type.TabletRelease and event.pressure() > 0.0
        self._point(event, down=down, pressure=event.pressure())
        event.accept()

    def _point(self, event: QMouseEvent | QTabletEvent, *, down: bool, pressure: float) -> None:
        if not self.writable:
            return
        t_s = self._clock.seconds(event.timestamp(), time.perf_counter())
        x_mm, y_mm = self._geometry.to_mm(event.position().x(), event.position().y())
        point = PadPoint(x_mm, y_mm, down, pressure, t_s)
        self._ink.add(point)
        self.moved.emit(point)
        if down:
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt
        self._geometry = PadGeometry(self.width(), self.height())
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  Qt
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.card))
        painter.setPen(QPen(QColor(self._theme.line), 1))
        for y in self._geometry.ruled_lines():
            painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_strokes(painter, self._ink.dimmed, self._theme.faded)
        self._paint_strokes(painter, self._ink.strokes, self._theme.ink)
        self._paint_strokes(painter, fitted(self._shown, self._geometry), self._theme.ink)
        if not (self._ink.strokes or self._ink.dimmed or self._shown.strokes):
            painter.setPen(QColor(self._theme.muted))
            box = QRectF(self.rect()).adjusted(24, 0, -24, 0)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._notice)
        painter.end()

    def _paint_strokes(self, painter: QPainter, strokes: Strokes, colour: str) -> None:
        cap, join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
        painter.setPen(QPen(QColor(colour), INK_WIDTH, Qt.PenStyle.SolidLine, cap, join))
        for stroke in strokes:
            points = QPolygonF([QPointF(*self._geometry.to_px(x, y)) for x, y in stroke])
            if len(stroke) == 1:
                painter.drawPoint(points.at(0))
            else:
                painter.drawPolyline(points)
