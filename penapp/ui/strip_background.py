"""Everything of the strip chart that does not move: grid, names, ranges, time axis."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap

from penapp.ui.strip_layout import StripLayout
from penapp.ui.strip_state import STRIP_GROUPS, StripGroup, label_every, scale_text, tick_seconds
from penapp.ui.theme import Theme

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def axis_colour(theme: Theme, group: StripGroup, axis: int) -> QColor:
    """The trace colour of one channel."""
    return QColor(theme.axes[axis if len(group.columns) > 1 else 3])


@dataclass(frozen=True, slots=True)
class Background:
    """What the background depends on; paint it anew when one of these changes."""

    size: QSize
    ratio: float
    font: QFont
    theme: Theme
    plot: StripLayout
    scales: tuple[float, ...]
    window_s: float

    def paint(self) -> QPixmap:
        pixmap = QPixmap(self.size * self.ratio)
        pixmap.setDevicePixelRatio(self.ratio)
        pixmap.fill(QColor(self.theme.card))
        painter = QPainter(pixmap)
        painter.setFont(self.font)
        self._paint_grid(painter)
        for index, group in enumerate(STRIP_GROUPS):
            self._paint_title(painter, index, group)
            self._paint_names(painter, group)
        painter.end()
        return pixmap

    def _paint_grid(self, painter: QPainter) -> None:
        plot = self.plot
        painter.setPen(QPen(QColor(self.theme.line), 1))
        for group in STRIP_GROUPS:
            for column in group.columns:
                row = plot.rows[column]
                y = row.bottom - 1 if group.from_zero else row.middle
                painter.drawLine(QPointF(plot.left, y), QPointF(plot.left + plot.width, y))
        step, bottom = tick_seconds(self.window_s), plot.top + plot.height
        every = label_every(step * plot.width / self.window_s)
        for mark in range(int(self.window_s / step) + 1):
            x = plot.left + plot.width - 1 - mark * step * plot.width / self.window_s
            painter.setPen(QPen(QColor(self.theme.line), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(x, plot.top), QPointF(x, bottom))
            if mark % every == 0:
                self._paint_tick(painter, x, bottom, mark * step)

    def _paint_tick(self, painter: QPainter, x: float, top: float, seconds: float) -> None:
        text = "now" if seconds == 0 else f"−{seconds:g} s"
        box = QRectF(x - 30, top + 2, 60, self.plot.axis_height - 2)
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)

    def _paint_title(self, painter: QPainter, index: int, group: StripGroup) -> None:
        header = self.plot.headers[index]
        box = QRectF(8, header.top, self.size.width() - 16, header.height)
        painter.setPen(QColor(self.theme.ink))
        painter.drawText(box, LEFT, group.name)
        painter.setPen(QColor(self.theme.muted))
        indent = QFontMetrics(painter.font()).horizontalAdvance(group.name) + 10
        painter.drawText(box.adjusted(indent, 0, 0, 0), LEFT, scale_text(group, self.scales[index]))
        painter.drawText(box, RIGHT, group.unit)

    def _paint_names(self, painter: QPainter, group: StripGroup) -> None:
        for axis, column in enumerate(group.columns):
            row = self.plot.rows[column]
            painter.setPen(axis_colour(self.theme, group, axis))
            painter.drawText(QRectF(8, row.top, self.plot.left - 14, row.height), RIGHT, group.axes[axis])
