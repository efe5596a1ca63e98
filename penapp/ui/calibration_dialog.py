"""The calibration wizard: steps on the left, what to do and how far it is on the right."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from penapp.ui.calibration_picture import CalibrationPicture
from penapp.ui.calibration_state import CalibrationWizard, StepState, WizardView
from penapp.ui.card import Card
from penapp.ui.theme import Theme
from penapp.ui.tone import Tone

POLL_MS = 80
MARKS = {StepState.TODO: "○", StepState.NOW: "●", StepState.DONE: "✓", StepState.SKIPPED: "–"}


class CalibrationDialog(QDialog):
    """Not modal: the main window goes on. `wanted` carries the record to save; `gone` says it was closed."""

    wanted = Signal(object)
    gone = Signal()

    def __init__(
        self, wizard: CalibrationWizard, pen_name: str, theme: Theme, parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Calibrate {pen_name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._wizard, self._theme = wizard, theme
        self._view: WizardView | None = None
        self._picture = CalibrationPicture()
        self._bar = QProgressBar()
        self._title, self._what, self._why = QLabel(), QLabel(), QLabel()
        self._line, self._message = QLabel(), QLabel()
        self._steps: list[QLabel] = []
        self._results = _Results()
        self.confirm = self._button("The scale shows it", "Take this mass now (Space)", wizard.confirm)
        self.back = self._button("Back one &mass", "Measure the last mass again", wizard.back)
        self.again = self._button("S&tart step over", "Forget what this step has seen", wizard.again)
        self.finish = self._button("&Finish step", "Compute with what was seen so far", wizard.accept)
        self.skip = self._button("S&kip step", "What is known of these sensors stays as it is", wizard.skip)
        self.save = QPushButton("&Save")
        self.close_button = QPushButton("&Cancel")
        self._arrange()
        self.set_theme(theme)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._timer.start()
        self._show(wizard.view())
        self.resize(880, 720)
        self.finish.setFocus()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._picture.set_theme(theme)
        self._results.set_theme(theme)
        if self._view is not None:
            self._show(self._view)

    def pen_gone(self) -> None:
        """No more samples will come; what was measured can still be saved."""
        self._timer.stop()
        self._say(
            "The pen is no longer connected. Save what was measured, or connect and begin again.", Tone.BAD
        )
        for button in (self.confirm, self.back, self.again, self.finish, self.skip):
            button.setEnabled(False)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  Qt
        self._timer.stop()
        self._wizard.stop()
        self.gone.emit()
        super().closeEvent(event)

    def reject(self) -> None:
        """Escape closes, like the button."""
        self.close()

    def _poll(self) -> None:
        self._show(self._wizard.poll())

    def _button(self, text: str, tip: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(False)

        def pressed() -> None:
            act()
            self._show(self._wizard.view())

        button.clicked.connect(pressed)
        return button

    def _arrange(self) -> None:
        steps = Card("Steps")
        for _ in self._wizard.view().steps:
            label = QLabel()
            self._steps.append(label)
            steps.body.addWidget(label)
        steps.body.addStretch(1)
        steps.setFixedWidth(150)
        work = Card("What to do")
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        self._title.setFont(font)
        self._why.setObjectName("hint")
        for label in (self._what, self._why, self._message):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._what.setMinimumHeight(self._what.fontMetrics().lineSpacing() * 2)
        self._message.setMinimumHeight(self._message.fontMetrics().lineSpacing() * 2)
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(12)
        self._bar.setAccessibleName("How much is enough")
        parts = (self._title, self._what, self._why, self._picture, self._line, self._bar, self._message)
        for part in parts:
            work.body.addWidget(part, 1 if part is self._picture else 0)
        work.body.addLayout(_row(self.confirm, self.back, None, self.again, self.finish, self.skip))
        found = Card("Found")
        found.body.addWidget(self._results)
        upper = QHBoxLayout()
        upper.setSpacing(10)
        upper.addWidget(steps)
        upper.addWidget(work, 1)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(upper, 1)
        layout.addWidget(found)
        layout.addLayout(_row(None, self.close_button, self.save))
        self.confirm.setObjectName("primary")
        self.confirm.setShortcut("Space")
        self.save.setObjectName("primary")
        self.save.setAutoDefault(False)
        self.close_button.setAutoDefault(False)
        self.save.clicked.connect(self._save)
        self.close_button.clicked.connect(self.close)

    def _save(self) -> None:
        self.wanted.emit(self._wizard.result())
        self.close()

    def _show(self, view: WizardView) -> None:
        self._view = view
        self._show_steps(view)
        self._title.setText(view.title)
        self._what.setText(view.instruction)
        self._why.setText(view.why)
        self._picture.show_progress(view.shows, view.progress)
        self._bar.setValue(round(1000 * view.progress.share))
        self._line.setText("" if view.over else view.progress.line)
        self._say(view.message, view.tone)
        self._results.show_rows(view.rows)
        self.confirm.setVisible(view.can_confirm or (view.progress.level is not None and not view.over))
        self.confirm.setEnabled(view.can_confirm)
        self.back.setVisible(view.progress.level is not None)
        for button in (self.again, self.finish, self.skip):
            button.setEnabled(not view.over)
        self.save.setEnabled(view.can_save)
        self.save.setText("&Save" if view.over else "&Save what was found")

    def _show_steps(self, view: WizardView) -> None:
        colours = {
            StepState.NOW: self._theme.accent,
            StepState.DONE: self._theme.good,
            StepState.TODO: self._theme.muted,
            StepState.SKIPPED: self._theme.muted,
        }
        for label, (title, state) in zip(self._steps, view.steps, strict=True):
            weight = 600 if state is StepState.NOW else 400
            label.setText(f"{MARKS[state]}  {title}")
            label.setAccessibleName(f"{title}: {state.value}")
            label.setStyleSheet(f"color: {colours[state]}; font-weight: {weight}; background: transparent;")

    def _say(self, message: str, tone: Tone) -> None:
        self._message.setText(message)
        self._message.setAccessibleName(message)
        self._message.setStyleSheet(f"color: {self._theme.tone(tone)}; background: transparent;")


class _Results(QScrollArea):
    """Before and after, three columns, as many rows as there are."""

    def __init__(self) -> None:
        super().__init__()
        self._theme: Theme | None = None
        self._rows: tuple[tuple[str, str, str], ...] = ()
        self.setWidgetResizable(True)
        self.setFixedHeight(136)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName("What was found")
        self._fill()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._fill()

    def show_rows(self, rows: tuple[tuple[str, str, str], ...]) -> None:
        if rows != self._rows:
            self._rows = rows
            self._fill()
            bar = self.verticalScrollBar()
            QTimer.singleShot(0, self, lambda: bar.setValue(bar.maximum()))

    def _fill(self) -> None:
        table = QWidget()
        card = self._theme.card if self._theme is not None else "transparent"
        table.setStyleSheet(f"background: {card};")
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setVerticalSpacing(3)
        grid.setHorizontalSpacing(20)
        grid.setColumnStretch(3, 1)
        heads = ("", "before", "after") if self._rows else ("Nothing yet.", "", "")
        for row, texts in enumerate((heads, *self._rows)):
            for column, text in enumerate(texts):
                label = QLabel(text)
                label.setObjectName("hint" if row == 0 or column < 2 else "")
                side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                label.setMinimumWidth(100 if column else 260)
                label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
                grid.addWidget(label, row, column)
        grid.setRowStretch(len(self._rows) + 1, 1)
        self.setWidget(table)


def _row(*parts: QWidget | None) -> QHBoxLayout:
    """Widgets in a row; None is where it stretches."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part)
    return row
