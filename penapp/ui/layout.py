"""How large the window opens, and widgets on top of each other."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget

SIZE, MIN_SIZE = QSize(1280, 800), QSize(960, 680)
FRAME = QSize(16, 48)
"""Left of the screen for what the desktop draws around the window."""


def first_size(screen: QSize) -> QSize:
    """How large the window opens on a screen with so much room."""
    return SIZE.boundedTo(screen - FRAME).expandedTo(MIN_SIZE)


def column(*parts: tuple[QWidget, int]) -> QWidget:
    """Widgets on top of each other, each with its stretch."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(10)
    for widget, stretch in parts:
        layout.addWidget(widget, stretch)
    return column
