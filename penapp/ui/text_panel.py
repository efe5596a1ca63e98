"""The text panel: committed words, the word being written, other readings of a word."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFont,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QTextEdit, QWidget

from penapp.decode.types import Hypothesis
from penapp.ui.card import Card
from penapp.ui.text_state import (
    CANDIDATE_ROWS,
    CandidateRow,
    RunKind,
    TextRun,
    TextView,
    candidate_rows,
    common_prefix,
    current_caption,
    text_runs,
    word_at,
)
from penapp.ui.theme import LIGHT, Theme

TEXT_POINTS = 22


class TextPanel(Card):
    """Owns the TextView; everything on screen follows from it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Text", parent)
        self.view = TextView()
        self._paper = TextPaper()
        self._caption = QLabel()
        self._caption.setObjectName("caption")
        self._candidates = CandidateList()
        self.body.addWidget(self._paper, 1)
        self.body.addWidget(self._caption)
        self.body.addWidget(self._candidates)
        self._buttons()
        self._paper.word_clicked.connect(self.select)
        self._paper.stepped.connect(self.step)
        self._candidates.picked.connect(self.take)
        self._show(self.view)

    def commit(self, hypothesis: Hypothesis) -> None:
        """Add a finished word and tell screen readers."""
        before = len(self.view.words)
        self._show(self.view.commit(hypothesis))
        if len(self.view.words) > before:
            self._announce(hypothesis.text)

    def write(self, tentative: str) -> None:
        """Show the reading of the word being written."""
        self._show(self.view.write(tentative))

    def select(self, index: int | None) -> None:
        self._show(self.view.select(index))

    def step(self, by: int) -> None:
        """Choose a neighbour of the current word."""
        self._show(self.view.step(by))

    def take(self, reading: str) -> None:
        self._show(self.view.take(reading))

    def take_row(self, row: int) -> None:
        """Take the n-th reading, counted from 0; beyond the list nothing happens."""
        rows = candidate_rows(self.view)
        if row < len(rows):
            self.take(rows[row].reading)

    def undo(self) -> None:
        self._show(self.view.undo())

    def clear(self) -> None:
        self._show(self.view.clear())

    def copy_all(self) -> None:
        QGuiApplication.clipboard().setText(self.view.plain)

    def set_theme(self, theme: Theme) -> None:
        self._paper.set_theme(theme)

    def _buttons(self) -> None:
        self._actions: list[QPushButton] = []
        for label, tip, act in (
            ("Undo word", "Remove the last word (Ctrl+Z)", self.undo),
            ("Copy all", "Copy the text (Ctrl+Shift+C)", self.copy_all),
            ("Clear", "Remove all text (Ctrl+Shift+Delete)", self.clear),
        ):
            button = QPushButton(label)
            button.setToolTip(tip)
            button.clicked.connect(act)
            self.header.addWidget(button)
            self._actions.append(button)

    def _show(self, view: TextView) -> None:
        self.view = view
        self._paper.show_runs(text_runs(view))
        self._caption.setText(current_caption(view))
        self._candidates.show_rows(candidate_rows(view))
        for button in self._actions:
            button.setEnabled(bool(view.words))

    def _announce(self, word: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._paper, word))


class TextPaper(QTextEdit):
    """The text itself. Read-only; words answer to clicks and to the arrow keys."""

    word_clicked = Signal(object)
    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("text")
        self.setReadOnly(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Recognised text")
        self.setAccessibleDescription("Left and right arrow choose a word")
        self.setPlaceholderText("What you write appears here")
        self.setUndoRedoEnabled(False)
        font = QFont(self.font())
        font.setPointSize(TEXT_POINTS)
        self.setFont(font)
        self.document().setDocumentMargin(2)
        self._runs: tuple[TextRun, ...] = ()
        self._theme = LIGHT

    def set_theme(self, theme: Theme) -> None:
        runs, self._theme = self._runs, theme
        self.show_runs(())
        self.show_runs(runs)

    def show_runs(self, runs: tuple[TextRun, ...]) -> None:
        """Replace only what changed: committed words stay where they are."""
        same = common_prefix(self._runs, runs)
        if same == len(runs) == len(self._runs):
            return
        follow = self._at_end()
        cursor = QTextCursor(self.document())
        cursor.setPosition(sum(len(run.text) for run in runs[:same]))
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        for run in runs[same:]:
            cursor.insertText(run.text, self._format(run.kind))
        self._runs = runs
        if follow:
            self._to_end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt
        """Whoever saw the newest word still sees it."""
        follow = self._at_end()
        super().resizeEvent(event)
        if follow:
            self._to_end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  Qt
        super().mouseReleaseEvent(event)
        if not self.textCursor().hasSelection():
            position = self.cursorForPosition(event.position().toPoint()).position()
            self.word_clicked.emit(word_at(self._runs, position))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.stepped.emit(step)
        elif event.key() == Qt.Key.Key_Escape:
            self.word_clicked.emit(None)
        else:
            super().keyPressEvent(event)

    def _at_end(self) -> bool:
        scrolled = self.verticalScrollBar()
        return scrolled.value() >= scrolled.maximum() - 4

    def _to_end(self) -> None:
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def _format(self, kind: RunKind) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setForeground(QColor(self._theme.ink))
        if kind is RunKind.TENTATIVE:
            style.setForeground(QColor(self._theme.muted))
            style.setFontItalic(True)
            style.setFontUnderline(True)
        if kind is RunKind.CURRENT:
            style.setBackground(QColor(self._theme.selection))
        return style


class CandidateList(QWidget):
    """Other readings of one word, always the same size; a click takes one."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Readings")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        self._rows: tuple[CandidateRow, ...] = ()
        self._buttons = [QPushButton() for _ in range(CANDIDATE_ROWS)]
        for index, button in enumerate(self._buttons):
            button.setObjectName("candidate")
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, row=index: self._pick(row))
            grid.addWidget(button, index // 3, index % 3)
        for column in range(3):
            grid.setColumnStretch(column, 1)
            grid.setColumnMinimumWidth(column, 120)

    def show_rows(self, rows: tuple[CandidateRow, ...]) -> None:
        self._rows = rows
        for index, button in enumerate(self._buttons):
            row = rows[index] if index < len(rows) else None
            button.setEnabled(row is not None)
            button.setChecked(row is not None and row.taken)
            button.setText(_label(index, row))
            button.setAccessibleName(row.spoken if row else "no reading")
            button.setToolTip(f"{row.spoken}. Take it: Ctrl+{index + 1}" if row else "")

    def _pick(self, row: int) -> None:
        if row < len(self._rows):
            self.picked.emit(self._rows[row].reading)


def _label(index: int, row: CandidateRow | None) -> str:
    if row is None:
        return " "
    note = f"  ·  {row.note}" if row.note else ""
    return f"{index + 1}   {row.reading}   {row.share:.0%}{note}".replace("&", "&&")
