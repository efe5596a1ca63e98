"""The reconstructed state of the pen: contact, force, rate, loss."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from penapp.live_types import LiveStatus
from penapp.ui import readings
from penapp.ui.card import Card
from penapp.ui.readings import Reading
from penapp.ui.theme import LIGHT, Theme
from penapp.ui.tone import Tone


class StatePanel(Card):
    """Six readings and the force bar, each in a place of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Pen", parent)
        self._theme = LIGHT
        self._bar = ForceBar()
        self._tiles: dict[str, Tile] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        for column, name in enumerate(("Tip", "Force", "Rate", "Lost", "Damaged", "Gaps")):
            tile = Tile(name)
            self._tiles[name] = tile
            grid.addWidget(tile, 0, column)
            grid.setColumnStretch(column, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self._bar)
        self.show_status(None)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._bar.set_theme(theme)
        for tile in self._tiles.values():
            tile.set_theme(theme)

    def show_status(self, status: LiveStatus | None) -> None:
        """All readings; called a few times a second."""
        self._tiles["Rate"].show_reading(readings.rate_reading(status))
        self._tiles["Rate"].setToolTip(readings.clock_sentence(status))
        self._tiles["Lost"].show_reading(readings.loss_reading(status))
        self._tiles["Damaged"].show_reading(readings.damage_reading(status))
        self._tiles["Gaps"].show_reading(readings.gap_reading(status))
        self._tiles["Gaps"].setToolTip(readings.gap_tip(status))
        self.show_force(status)

    def show_force(self, status: LiveStatus | None) -> None:
        """The readings that move with the pen, all from one moment; called for every frame."""
        self._tiles["Tip"].show_reading(readings.contact_reading(status))
        self._tiles["Force"].show_reading(readings.force_reading(status))
        self._bar.show_share(readings.force_share(status), readings.force_reading(status).text)


class Tile(QWidget):
    """A caption, a value and a detail, at fixed places."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._theme = LIGHT
        self._name = name
        self._reading: Reading | None = None
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(0)
        caption = QLabel(name)
        caption.setObjectName("caption")
        self._value, self._detail = QLabel(), QLabel()
        self._detail.setObjectName("caption")
        font = self._value.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        self._value.setFont(font)
        for row, label in enumerate((caption, self._value, self._detail)):
            label.setMinimumWidth(40)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            layout.addWidget(label, row, 0)
        self._detail.setFixedHeight(self._detail.fontMetrics().height())
        self._value.setFixedHeight(self._value.fontMetrics().height() + 2)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        reading, self._reading = self._reading, None
        if reading is not None:
            self.show_reading(reading)

    def show_reading(self, reading: Reading) -> None:
        if reading == self._reading:
            return
        self._reading = reading
        colour = self._theme.ink if reading.tone is Tone.NEUTRAL else self._theme.tone(reading.tone)
        self._value.setStyleSheet(f"color: {colour}; background: transparent;")
        self._value.setText(reading.text)
        self._detail.setText(reading.detail)
        self.setAccessibleName(f"{self._name}: {reading.text} {reading.detail}".strip())


class ForceBar(QWidget):
    """How hard the tip presses."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = LIGHT
        self._share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Force")

    def sizeHint(self) -> QSize:  # noqa: N802  Qt
        return QSize(200, 12)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_share(self, share: float, text: str) -> None:
        if share != self._share:
            self._share = share
            self.setAccessibleDescription(text)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  Qt
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(0, 2, self.width(), self.height() - 4)
        radius = whole.height() / 2
        painter.setBrush(QColor(self._theme.line))
        painter.drawRoundedRect(whole, radius, radius)
        if self._share > 0.0:
            filled = QRectF(whole)
            filled.setWidth(max(whole.width() * self._share, whole.height()))
            painter.setBrush(QColor(self._theme.accent))
            painter.drawRoundedRect(filled, radius, radius)
        painter.end()
