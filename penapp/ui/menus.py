"""Menus and keyboard shortcuts of the main window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMessageBox

from penapp import __version__
from penapp.ui.text_state import CANDIDATE_ROWS
from penapp.ui.theme import ThemeChoice

if TYPE_CHECKING:
    from penapp.ui.main_window import MainWindow


def build_menus(window: MainWindow) -> None:
    """Every function of the window has a menu line, most have a key."""
    bar = window.menuBar()
    _pen_menu(bar.addMenu("&Pen"), window)
    _text_menu(bar.addMenu("&Text"), window)
    _view_menu(bar.addMenu("&View"), window)
    _help_menu(bar.addMenu("&Help"), window)


def _pen_menu(menu: QMenu, window: MainWindow) -> None:
    panel = window.connect_panel
    _add(menu, "&Connect or disconnect", "Ctrl+Return", panel.button.click)
    _add(menu, "&Write on the pad", "Ctrl+W", window.write_here)
    _add(menu, "&Open a recording …", "Ctrl+O", panel.browse)
    _add(menu, "&Refresh serial ports", "F5", window.refresh_ports)
    _add(menu, "C&alibrate pen …", "Ctrl+K", window.calibration.begin)
    menu.addSeparator()
    _add(menu, "&Quit", "Ctrl+Q", window.close)


def _text_menu(menu: QMenu, window: MainWindow) -> None:
    text = window.text
    _add(menu, "&Undo last word", "Ctrl+Z", text.undo)
    _add(menu, "&Copy all", "Ctrl+Shift+C", text.copy_all)
    _add(menu, "C&lear", "Ctrl+Shift+Del", text.clear)
    readings = menu.addMenu("Take &reading")
    for row in range(CANDIDATE_ROWS):
        _add(readings, f"Reading &{row + 1}", f"Ctrl+{row + 1}", partial(text.take_row, row))
    menu.addSeparator()
    _add(menu, "&Previous word", "Alt+Left", lambda: text.step(-1))
    _add(menu, "&Next word", "Alt+Right", lambda: text.step(1))


def _view_menu(menu: QMenu, window: MainWindow) -> None:
    strips = window.strips
    _add(menu, "&Freeze the strips", "F8", strips.freeze.toggle)
    _add(menu, "&Lock the scale", "F9", strips.lock.toggle)
    _add(menu, "L&onger time window", "Ctrl++", lambda: strips.step_window(1))
    _add(menu, "&Shorter time window", "Ctrl+-", lambda: strips.step_window(-1))
    _add(menu, "&Clear the pad", "Ctrl+D", window.pad.clear)
    menu.addSeparator()
    group = QActionGroup(window)
    for choice in ThemeChoice:
        action = _add(menu, f"{choice.value.capitalize()} colours", "", partial(window.set_theme, choice))
        action.setCheckable(True)
        action.setChecked(choice is window.theme_choice)
        group.addAction(action)


def _help_menu(menu: QMenu, window: MainWindow) -> None:
    _add(menu, "Copy &diagnostics", "", window.copy_diagnostics)
    _add(menu, "&About penapp", "", lambda: QMessageBox.about(window, "penapp", _ABOUT))


def _add(menu: QMenu, text: str, keys: str, act: Callable[[], object]) -> QAction:
    action = QAction(text, menu)
    if keys:
        action.setShortcut(keys)
    action.triggered.connect(lambda _=False: act())
    menu.addAction(action)
    return action


_ABOUT = (
    f"penapp {__version__}\n\nAn ordinary sensor pen on ordinary paper becomes text, live.\n"
    "Everything is computed on this machine."
)
