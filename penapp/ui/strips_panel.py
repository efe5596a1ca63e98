"""The strip chart with its buttons: freeze, lock scale, time window."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from penapp.ui.card import Card
from penapp.ui.drop_down import DropDown
from penapp.ui.strip_state import WINDOW_CHOICES_S, Samples, step_window
from penapp.ui.strips import StripChart
from penapp.ui.theme import Theme


class StripsPanel(Card):
    """Sensor strips; everything but the buttons is the chart's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Sensors", parent)
        self.chart = StripChart()
        self.freeze = QPushButton("Freeze")
        self.freeze.setToolTip("Stop the strips to read values off them (F8)")
        self.lock = QPushButton("Lock scale")
        self.lock.setToolTip("Keep the ranges as they are (F9)")
        self.window_box = DropDown()
        self.window_box.setAccessibleName("Time window")
        self.window_box.addItems([f"{seconds:g} s" for seconds in WINDOW_CHOICES_S])
        self.window_box.setCurrentIndex(WINDOW_CHOICES_S.index(self.chart.window_s))
        for button, act in ((self.freeze, self._freeze), (self.lock, self._lock)):
            button.setCheckable(True)
            button.toggled.connect(act)
            self.header.addWidget(button)
        self.header.addWidget(self.window_box)
        self._note = QLabel()
        self._note.setObjectName("caption")
        self.header.insertWidget(1, self._note)
        self.window_box.currentIndexChanged.connect(lambda i: self.chart.set_window(WINDOW_CHOICES_S[i]))
        self.body.addWidget(self.chart, 1)

    def set_theme(self, theme: Theme) -> None:
        self.chart.set_theme(theme)

    def show_source(self, source: Samples | None, rate_hz: float) -> None:
        self.chart.show_source(source, rate_hz)

    def refresh(self) -> None:
        self.chart.refresh()

    def say(self, summary: str) -> None:
        """The chart in words, for screen readers."""
        if summary != self.chart.accessibleDescription():
            self.chart.setAccessibleDescription(summary)

    def note(self, text: str) -> None:
        """A word beside the title, such as that the strips stand still."""
        self._note.setText(text)

    def step_window(self, by: int) -> None:
        """A longer or shorter time window."""
        self.window_box.setCurrentIndex(WINDOW_CHOICES_S.index(step_window(self.chart.window_s, by)))

    def _freeze(self, frozen: bool) -> None:
        self.chart.frozen = frozen

    def _lock(self, locked: bool) -> None:
        self.chart.scale_locked = locked
