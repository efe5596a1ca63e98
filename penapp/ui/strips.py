"""The strip chart: all channels of the pen in one widget."""

from __future__ import annotations

from typing import Any

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from penapp.stream.block import CHANNEL_COUNT
from penapp.ui.strip_background import RIGHT, Background, axis_colour
from penapp.ui.strip_layout import strip_layout
from penapp.ui.strip_math import Traces, gap_spans, group_peak, newest_run, next_scale, sample_at, traces
from penapp.ui.strip_state import (
    CENTRED,
    STRIP_GROUPS,
    Samples,
    value_text,
)
from penapp.ui.theme import LIGHT, Theme

GAP_SAMPLES = 2.5
VALUE_FRAMES = 6
"""Numbers change every sixth frame (5 times a second): faster cannot be read."""
CENTRE_STEP = 0.15
NO_VALUES = ["–"] * CHANNEL_COUNT


class StripChart(QWidget):
    """Paints the last seconds of all channels; `refresh` is called by the window's timer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Sensor strips")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self._theme = LIGHT
        self._source: Samples | None = None
        self._rate_hz = 100.0
        self.window_s = 10.0
        self.frozen = False
        self.scale_locked = False
        self._polygon = QPolygonF()
        self._background: QPixmap | None = None
        self._layout = strip_layout(STRIP_GROUPS, self.width(), self.height())
        self._cursor_x: float | None = None
        self.forget()

    def forget(self) -> None:
        """Drop all samples and scales: another pen follows."""
        self._t: NDArray[np.float64] = np.empty(0)
        self._values: NDArray[np.float32] = np.empty((0, CHANNEL_COUNT), np.float32)
        self._scales = [group.least for group in STRIP_GROUPS]
        self._centre = np.zeros(CHANNEL_COUNT)
        self._settled = False
        self._frame = 0
        self._texts = NO_VALUES.copy()
        self._background = None
        self.update()

    def show_source(self, source: Samples | None, rate_hz: float) -> None:
        """Read from this ring from now on."""
        if source is not self._source:
            self.forget()
        self._source, self._rate_hz = source, max(rate_hz, 1.0)

    def set_theme(self, theme: Theme) -> None:
        self._theme, self._background = theme, None
        self.update()

    def set_window(self, seconds: float) -> None:
        self.window_s, self._background = seconds, None
        self.refresh(force=True)

    def refresh(self, *, force: bool = False) -> None:
        """Take the newest samples and repaint; does nothing while frozen or without news."""
        if self._source is None or self.frozen:
            if force:
                self.update()
            return
        t, values = self._source.latest(int(self.window_s * self._rate_hz * 1.02) + 8)
        if not force and len(t) and len(self._t) and t[-1] == self._t[-1]:
            return
        first = newest_run(t)
        self._t, self._values = t[first:], values[first:]
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  Qt
        return QSize(520, 480)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt
        return QSize(280, 300)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt
        self._layout = strip_layout(STRIP_GROUPS, self.width(), self.height())
        self._background = None
        super().resizeEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt
        plot = self._layout
        x = event.position().x()
        self._cursor_x = x if plot.left <= x <= plot.left + plot.width else None
        self._frame = 0
        self.update()

    def leaveEvent(self, event: object) -> None:  # noqa: N802  Qt
        self._cursor_x, self._frame = None, 0
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  Qt
        shown = self._traces()
        self._settle(shown)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._background_pixmap())
        self._paint_gaps(painter)
        self._paint_traces(painter, shown)
        self._paint_cursor(painter)
        self._paint_values(painter)
        painter.end()
        self._frame += 1

    def _traces(self) -> Traces:
        return traces(
            self._t, self._values, window_s=self.window_s, width=self._layout.width, gap_s=self._gap_s
        )

    @property
    def _gap_s(self) -> float:
        return GAP_SAMPLES / self._rate_hz

    def _settle(self, shown: Traces) -> None:
        """Let centres and scales follow the signal, unless they are locked."""
        if self.scale_locked or self.frozen or len(shown.values) == 0:
            return
        middle = shown.values.mean(axis=0, dtype=np.float64) * CENTRED
        self._centre += (CENTRE_STEP if self._settled else 1.0) * (middle - self._centre)
        if self._settled and self._frame % VALUE_FRAMES:
            return
        self._settled = True
        for index, group in enumerate(STRIP_GROUPS):
            peak = group_peak(shown.values, group.columns, self._centre) * group.factor
            scale = next_scale(self._scales[index], peak, group.least)
            if scale != self._scales[index]:
                self._scales[index], self._background = scale, None

    def _paint_traces(self, painter: QPainter, shown: Traces) -> None:
        if len(shown.x) < 2:
            return
        plot = self._layout
        points = _resized(self._polygon, len(shown.x))
        points[:, 0] = shown.x + plot.left
        for index, group in enumerate(STRIP_GROUPS):
            for axis, column in enumerate(group.columns):
                row = plot.rows[column]
                points[:, 1] = self._heights(shown.values[:, column], column, index)
                np.clip(points[:, 1], row.top, row.bottom, out=points[:, 1])
                painter.setPen(QPen(axis_colour(self._theme, group, axis), 1))
                self._draw_lines(painter, shown.breaks)

    def _heights(self, values: NDArray[np.float32], column: int, index: int) -> NDArray[np.float64]:
        """Pixel heights of one channel."""
        group, row = STRIP_GROUPS[index], self._layout.rows[column]
        share = (values - self._centre[column]) * (group.factor / self._scales[index])
        if group.from_zero:
            return np.asarray(row.bottom - 1 - share * (row.height - 2), np.float64)
        return np.asarray(row.middle - share * (row.height / 2 - 1), np.float64)

    def _draw_lines(self, painter: QPainter, breaks: NDArray[np.int64]) -> None:
        if len(breaks) == 0:
            painter.drawPolyline(self._polygon)
            return
        for part in np.split(np.arange(self._polygon.size()), breaks):
            if len(part) > 1:
                painter.drawPolyline(self._polygon.mid(int(part[0]), len(part)))

    def _paint_gaps(self, painter: QPainter) -> None:
        """A faint band wherever samples are missing."""
        plot, colour = self._layout, QColor(self._theme.bad)
        colour.setAlpha(46)
        for start, end in gap_spans(self._t, gap_s=self._gap_s):
            left, right = self._x_of(start), self._x_of(end)
            if right > plot.left:
                left = max(left, plot.left)
                painter.fillRect(QRectF(left, plot.top, max(right - left, 1.0), plot.height), colour)

    def _x_of(self, t: float) -> float:
        plot = self._layout
        return plot.left + plot.width - 1 - (float(self._t[-1]) - t) * plot.width / self.window_s

    def _paint_cursor(self, painter: QPainter) -> None:
        if self._cursor_x is None:
            return
        painter.setPen(QPen(QColor(self._theme.muted), 1))
        bottom = self._layout.top + self._layout.height
        painter.drawLine(QPointF(self._cursor_x, self._layout.top), QPointF(self._cursor_x, bottom))

    def _paint_values(self, painter: QPainter) -> None:
        """The value column: last values, or those under the cursor."""
        if self._frame % VALUE_FRAMES == 0 or (self._texts == NO_VALUES and len(self._t)):
            self._texts = self._value_texts()
        plot = self._layout
        painter.setPen(QColor(self._theme.ink if self._cursor_x is None else self._theme.accent))
        for column, row in enumerate(plot.rows):
            box = QRectF(plot.left + plot.width + 4, row.top, plot.value_width - 10, row.height)
            painter.drawText(box, RIGHT, self._texts[column])

    def _value_texts(self) -> list[str]:
        if len(self._t) == 0:
            return NO_VALUES.copy()
        sample = self._values[self._sample_shown()]
        texts = NO_VALUES.copy()
        for group in STRIP_GROUPS:
            for column in group.columns:
                texts[column] = value_text(group, float(sample[column]) * group.factor)
        return texts

    def _sample_shown(self) -> int:
        if self._cursor_x is None:
            return -1
        plot = self._layout
        before = (plot.left + plot.width - 1 - self._cursor_x) * self.window_s / plot.width
        return sample_at(self._t, float(self._t[-1]) - before)

    def _background_pixmap(self) -> QPixmap:
        """Painted once per size, scale and theme."""
        if self._background is None:
            scales, ratio = tuple(self._scales), self.devicePixelRatioF()
            self._background = Background(
                self.size(), ratio, self.font(), self._theme, self._layout, scales, self.window_s
            ).paint()
        return self._background


def _resized(polygon: QPolygonF, n: int) -> NDArray[np.float64]:
    """Make the polygon n points long and return its memory as an (n, 2) array."""
    polygon.resize(n)
    view: Any = shiboken6.VoidPtr  # its stub knows only one of its constructors
    memory: NDArray[np.float64] = np.frombuffer(view(polygon.data(), 16 * n, True), np.float64)
    return memory.reshape(n, 2)
