"""The one line for messages: a calm hint, or an error with advice. It never opens a dialog."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from penapp.ui.theme import LIGHT, Theme
from penapp.ui.tone import Tone
from penapp.ui.view_state import Banner

LINES = 2


def as_sentence(message: str) -> str:
    """With a capital at its beginning, unless that is a name (of a file, a port) that is written as it is."""
    first = message.partition(" ")[0]
    return message[:1].upper() + message[1:] if first.isalpha() else message


class BannerBar(QFrame):
    """Always the same height, so that nothing below it moves. A warning goes with its cause: no Dismiss."""

    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._theme = LIGHT
        self._banner: Banner | None = None
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.RichText)
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._label.setFixedHeight(self._label.fontMetrics().lineSpacing() * LINES + 4)
        self._dismiss = QPushButton("Dismiss")
        self._dismiss.clicked.connect(self.dismissed)
        keeps = self._dismiss.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)
        self._dismiss.setSizePolicy(keeps)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.addWidget(self._label, 1)
        row.addWidget(self._dismiss)
        self.setFixedHeight(max(self._label.height(), self._dismiss.sizeHint().height()) + 14)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        banner, self._banner = self._banner, None
        if banner is not None:
            self.show_banner(banner)

    def show_banner(self, banner: Banner) -> None:
        if banner == self._banner:
            return
        self._banner = banner
        banner = replace(banner, message=as_sentence(banner.message))
        alarming = banner.tone is not Tone.NEUTRAL
        colour = self._theme.tone(banner.tone)
        self._dismiss.setVisible(banner.tone is Tone.BAD)
        message = f"<b>{escape(banner.message)}</b>" if alarming else escape(banner.message)
        self._label.setToolTip(escape(f"{banner.message} {banner.advice}".strip()))
        self._label.setText(f"{message} {escape(banner.advice)}".strip())
        edge, ground = (colour, self._theme.card) if alarming else ("transparent", "transparent")
        self.setStyleSheet(
            f"QFrame#banner {{ border: 1px solid {edge}; border-radius: 8px; background: {ground}; }}"
            f"QFrame#banner QLabel {{ color: {colour}; background: transparent; }}"
        )
        self.setAccessibleName(f"{banner.message} {banner.advice}".strip())

    @property
    def text(self) -> str:
        """What stands in the line now."""
        return self.accessibleName()
