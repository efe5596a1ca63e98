"""The page of the connect panel that lists Bluetooth pens with their signal strength."""

from __future__ import annotations

import time

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from penapp.ui.drop_down import DropDown
from penapp.ui.near_state import NearPen, NearView, bars, near_line, pen_from_field, strength_text
from penapp.ui.theme import LIGHT, Theme

ICON = QSize(20, 16)
BARS = 4
LINE_WIDTH = 124
BESIDE_TEXT = 60
"""What a line of the list takes besides its text: bars, margins."""


class BlePage(QWidget):
    """`edited` when another pen is chosen or an address is typed."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._view = NearView()
        self._pens: tuple[NearPen, ...] = ()
        self.list = DropDown()
        self.list.setEditable(True)
        self.list.setInsertPolicy(DropDown.InsertPolicy.NoInsert)
        self.list.setIconSize(ICON)
        self.list.setAccessibleName("Bluetooth pen")
        self.list.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        field = self.list.lineEdit()
        if field is not None:
            field.setPlaceholderText("The only pen near, or an address")
        self._line = QLabel()
        self._line.setObjectName("hint")
        self._line.setAccessibleName("Bluetooth")
        self._line.setFixedWidth(LINE_WIDTH)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.list, 1)
        row.addWidget(self._line)
        self.list.editTextChanged.connect(self._edited)

    def target(self) -> str:
        """The address that is chosen or typed; empty = the only pen that is near."""
        return pen_from_field(self.list.currentText(), self._pens)

    def choose(self, address: str) -> None:
        """Show this address, with its label when the pen is in the list."""
        rows = [row for row, pen in enumerate(self._pens) if pen.address.casefold() == address.casefold()]
        self.list.setCurrentIndex(rows[0] if rows else -1)
        if not rows:
            self.list.setEditText(address)
        self._show_beginning()

    def show_near(self, view: NearView) -> None:
        """List what is near; what was chosen or typed stays."""
        self._view = view
        chosen = self.target()
        if [pen.label for pen in view.pens] != [pen.label for pen in self._pens]:
            self._relist(view.pens)
            self.choose(chosen or (view.pens[0].address if view.pens else ""))
        self._pens = view.pens
        now_s = time.monotonic()
        for row, pen in enumerate(view.pens):
            self._show_strength(row, pen, now_s)
        self._show_beginning()
        self._show_line(now_s)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.show_near(self._view)

    def _relist(self, pens: tuple[NearPen, ...]) -> None:
        self._pens = pens
        with QSignalBlocker(self.list):
            self.list.clear()
            self.list.addItems([pen.label for pen in pens])
        lines = self.list.view()
        lines.setMinimumWidth(lines.sizeHintForColumn(0) + BESIDE_TEXT)

    def _show_strength(self, row: int, pen: NearPen, now_s: float) -> None:
        """Qt writes the text of a changed row into the field: not over an address that is being typed."""
        if row == self.list.currentIndex() and self.list.currentText() != pen.label:
            return
        shown = f"{self._theme.dark} {strength_text(pen, now_s)}"
        if self.list.itemData(row) != shown:
            self.list.setItemData(row, shown)
            self.list.setItemIcon(row, signal_icon(bars(pen.rssi_dbm), self._theme))
            self.list.setItemData(row, strength_text(pen, now_s), Qt.ItemDataRole.ToolTipRole)

    def _show_beginning(self) -> None:
        """The name rather than the end of the address, unless somebody is typing there."""
        field = self.list.lineEdit()
        if field is not None and not field.hasFocus():
            field.setCursorPosition(0)

    def _show_line(self, now_s: float) -> None:
        """How the scan does; the strength of the chosen pen in figures as a tooltip."""
        text, tone = near_line(self._view)
        pen = next((pen for pen in self._pens if pen.address == self.target()), None)
        strength = "" if pen is None else strength_text(pen, now_s)
        self.list.setToolTip(strength)
        self.list.setAccessibleDescription(strength)
        self._line.setText(text)
        self._line.setToolTip(f"{self._view.message} {self._view.advice}".strip())
        self._line.setStyleSheet(f"color: {self._theme.tone(tone)};")

    def _edited(self) -> None:
        self._show_line(time.monotonic())
        self.edited.emit()


def signal_icon(filled: int, theme: Theme) -> QIcon:
    """Four bars of growing height, the first `filled` of them in ink."""
    ratio = 2.0
    picture = QPixmap(ICON * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    width = ICON.width() / BARS
    for bar in range(BARS):
        height = ICON.height() * (bar + 1) / BARS
        painter.setBrush(QColor(theme.ink if bar < filled else theme.line))
        painter.drawRoundedRect(
            QRectF(bar * width + 0.5, ICON.height() - height, width - 1.5, height), 1.0, 1.0
        )
    painter.end()
    return QIcon(picture)
