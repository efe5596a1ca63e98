"""Colours of the window, light and dark, and how they reach Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from penapp.ui.tone import Tone


class ThemeChoice(Enum):
    LIGHT = "light"
    DARK = "dark"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by role, as #rrggbb; `axes` are the trace colours of x, y, z and of a single channel."""

    dark: bool
    window: str
    card: str
    ink: str
    muted: str
    line: str
    faded: str  # ink that has become text
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str
    selection: str
    axes: tuple[str, str, str, str]

    def tone(self, tone: Tone) -> str:
        return {
            Tone.NEUTRAL: self.muted,
            Tone.GOOD: self.good,
            Tone.WARN: self.warn,
            Tone.BAD: self.bad,
        }[tone]


LIGHT = Theme(
    dark=False,
    window="#f4f3ef",
    card="#ffffff",
    ink="#1c2128",
    muted="#646b75",
    line="#dedbd3",
    faded="#aaa79f",
    accent="#2b5cc4",
    on_accent="#ffffff",
    good="#24784a",
    warn="#9a5b00",
    bad="#b3342a",
    selection="#dfe8fb",
    axes=("#2b5cc4", "#b4560f", "#24784a", "#7a3ea8"),
)

DARK = Theme(
    dark=True,
    window="#16181c",
    card="#1e2126",
    ink="#e9e6df",
    muted="#9aa1ab",
    line="#343941",
    faded="#676e79",
    accent="#7ea6ff",
    on_accent="#10131a",
    good="#6fcf97",
    warn="#e9b45c",
    bad="#ff8a7d",
    selection="#2c3b5c",
    axes=("#7ea6ff", "#f0a35e", "#6fcf97", "#c79bf2"),
)


def resolve(choice: ThemeChoice) -> Theme:
    """The theme to use; `auto` follows the desktop."""
    if choice is ThemeChoice.AUTO:
        dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return DARK if dark else LIGHT
    return DARK if choice is ThemeChoice.DARK else LIGHT


def apply(app: QApplication, theme: Theme) -> None:
    """Fusion with our palette and a small style sheet on top."""
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(_palette(theme))
    app.setStyleSheet(_style_sheet(theme))


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.Base: theme.card,
        role.AlternateBase: theme.window,
        role.Button: theme.card,
        role.WindowText: theme.ink,
        role.Text: theme.ink,
        role.ButtonText: theme.ink,
        role.BrightText: theme.bad,
        role.ToolTipBase: theme.card,
        role.ToolTipText: theme.ink,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.Mid: theme.line,
    }
    palette = QPalette(QColor(theme.card), QColor(theme.window))
    for which, colour in colours.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.muted))
    return palette


def _style_sheet(theme: Theme) -> str:
    return f"""
QFrame#card {{ background: {theme.card}; border: 1px solid {theme.line}; border-radius: 8px; }}
QFrame#card QLabel {{ background: transparent; }}
QLabel#title {{ color: {theme.muted}; font-weight: 600; }}
QLabel#hint, QLabel#caption {{ color: {theme.muted}; }}
QTextEdit#text {{ background: {theme.card}; border: none; }}
QTextEdit#text:focus {{ border: none; }}
QPushButton, QToolButton, QComboBox, QLineEdit {{
  background: {theme.card}; border: 1px solid {theme.line}; border-radius: 6px;
  padding: 4px 10px; min-height: 22px;
}}
QPushButton:hover, QToolButton:hover, QComboBox:hover {{ border-color: {theme.muted}; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus {{ border: 1px solid {theme.accent}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {theme.selection}; }}
QPushButton:checked, QToolButton:checked {{ background: {theme.selection}; border-color: {theme.accent}; }}
QPushButton:disabled, QToolButton:disabled, QComboBox:disabled {{ color: {theme.muted}; }}
QPushButton#primary {{
  background: {theme.accent}; color: {theme.on_accent}; border-color: {theme.accent}; font-weight: 600;
}}
QPushButton#primary:focus {{ border: 1px solid {theme.ink}; }}
QPushButton#primary:disabled {{
  background: {theme.line}; color: {theme.muted}; border-color: {theme.line};
}}
QPushButton#candidate {{ text-align: left; padding: 4px 12px; }}
QPushButton#candidate:disabled {{ background: transparent; border-color: transparent; }}
QComboBox {{ padding-right: 24px; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox QAbstractItemView {{
  background: {theme.card}; border: 1px solid {theme.line};
  selection-background-color: {theme.accent}; selection-color: {theme.on_accent};
}}
QComboBox QAbstractItemView::item {{ min-height: 24px; padding: 0 6px; }}
QComboBox QAbstractItemView::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
QComboBox QLineEdit {{ border: none; padding: 0; min-height: 0; }}
QProgressBar {{ background: {theme.window}; border: 1px solid {theme.line}; border-radius: 5px; }}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: 4px; }}
QSplitter::handle {{ background: transparent; }}
QMenuBar {{ background: {theme.window}; }}
QToolTip {{ background: {theme.card}; color: {theme.ink}; border: 1px solid {theme.line}; }}
"""
