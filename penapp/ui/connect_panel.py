"""The connect panel: what to connect to, the button, and the truth about the link."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from penapp.ui.ble_page import BlePage
from penapp.ui.drop_down import DropDown
from penapp.ui.near_state import NearView
from penapp.ui.theme import LIGHT, Theme
from penapp.ui.view_state import (
    SOURCE_LABELS,
    LinkView,
    PortChoice,
    SourceChoice,
    SourceKind,
    port_from_field,
    source_problem,
)

SPEEDS: tuple[tuple[str, float | None], ...] = (
    ("1×", 1.0),
    ("2×", 2.0),
    ("5×", 5.0),
    ("0.5×", 0.5),
    ("max", None),
)
KINDS = tuple(SOURCE_LABELS)


class ConnectPanel(QFrame):
    """`pressed` carries the choice when a connection is wanted, None when it is to end."""

    pressed = Signal(object)
    changed = Signal()
    ports_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._theme = LIGHT
        self._link: LinkView | None = None
        self._ports: tuple[PortChoice, ...] = ()
        self._kind = DropDown()
        self._kind.addItems(list(SOURCE_LABELS.values()))
        self._kind.setAccessibleName("Source")
        self._kind.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._details = QStackedWidget()
        self._details.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.ble_page = BlePage()
        pages = {
            SourceKind.BLE: self.ble_page,
            SourceKind.SERIAL: self._serial_page(),
            SourceKind.REPLAY: self._replay_page(),
        }
        for kind in KINDS:
            self._details.addWidget(pages.get(kind) or QWidget())
        self.button = QPushButton("Connect")
        self.button.setObjectName("primary")
        self.button.setMinimumWidth(130)
        self._dot, self._state = QLabel("●"), QLabel()
        self._state.setMinimumWidth(150)
        self._state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._state.setAccessibleName("Connection")
        self._arrange()
        self._kind.currentIndexChanged.connect(self._kind_changed)
        self.ble_page.edited.connect(self._enable)
        self.button.clicked.connect(self._press)

    def choice(self) -> SourceChoice:
        """What the fields say now."""
        kind = KINDS[self._kind.currentIndex()]
        if kind is SourceKind.SERIAL:
            return SourceChoice(kind, port_from_field(self._port.currentText(), self._ports))
        if kind is SourceKind.BLE:
            return SourceChoice(kind, self.ble_page.target())
        if kind is SourceKind.REPLAY:
            return SourceChoice(kind, self._path.text().strip(), SPEEDS[self._speed.currentIndex()][1])
        return SourceChoice(kind)

    def choose(self, choice: SourceChoice) -> None:
        """Fill the fields."""
        self._kind.setCurrentIndex(KINDS.index(choice.kind))
        if choice.kind is SourceKind.SERIAL and choice.target:
            self._port.setEditText(choice.target)
        if choice.kind is SourceKind.BLE:
            self.ble_page.choose(choice.target)
        if choice.kind is SourceKind.REPLAY:
            self._path.setText(choice.target)
            speeds = [speed for _, speed in SPEEDS]
            self._speed.setCurrentIndex(speeds.index(choice.speed) if choice.speed in speeds else 0)

    def show_ports(self, ports: tuple[PortChoice, ...]) -> None:
        """Offer these ports; what was typed stays."""
        if ports == self._ports:
            return
        typed, self._ports = self._port.currentText(), ports
        with QSignalBlocker(self._port):
            self._port.clear()
            self._port.addItems([port.label for port in ports])
        self._port.setEditText(typed or (ports[0].label if ports else ""))

    def show_near(self, view: NearView) -> None:
        """Bluetooth pens nearby; what was chosen or typed stays."""
        self.ble_page.show_near(view)

    def grey(self, reasons: Mapping[SourceKind, str]) -> None:
        """Sources that cannot be chosen here, each with its reason as a tooltip."""
        model = self._kind.model()
        for kind, reason in reasons.items():
            item = model.item(KINDS.index(kind)) if isinstance(model, QStandardItemModel) else None
            if item is not None:
                item.setEnabled(False)
                item.setToolTip(reason)

    @property
    def ports(self) -> tuple[PortChoice, ...]:
        return self._ports

    def show_link(self, link: LinkView) -> None:
        if link == self._link:
            return
        self._link = link
        self.button.setText(link.button)
        for field in (self._kind, self._details):
            field.setEnabled(link.choice_enabled)
        self._state.setText(link.text)
        self._state.setToolTip(link.text)
        self._dot.setStyleSheet(f"color: {self._theme.tone(link.tone)}; background: transparent;")
        self._enable()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.ble_page.set_theme(theme)
        link, self._link = self._link, None
        if link is not None:
            self.show_link(link)

    def browse(self) -> None:
        """Ask for a recording."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a recording", "", "Recordings (*.mcap *.pen);;All files (*)"
        )
        if path:
            self.choose(SourceChoice(SourceKind.REPLAY, path, SPEEDS[self._speed.currentIndex()][1]))

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        source = QLabel("&Source")
        source.setBuddy(self._kind)
        source.setObjectName("title")
        row.addWidget(source)
        row.addWidget(self._kind)
        row.addWidget(self._details, 5)
        row.addWidget(self.button)
        row.addSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(self._state, 4)

    def _serial_page(self) -> QWidget:
        self._port = DropDown()
        self._port.setEditable(True)
        self._port.setAccessibleName("Serial port")
        line = self._port.lineEdit()
        if line is not None:
            line.setPlaceholderText("Port, for example COM3 or a device name")
        self._port.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        refresh = QPushButton("Refresh")
        refresh.setToolTip("Look for serial ports again (F5)")
        refresh.clicked.connect(self.ports_wanted)
        self._port.editTextChanged.connect(self._enable)
        return _row(self._port, refresh)

    def _replay_page(self) -> QWidget:
        self._path = QLineEdit()
        self._path.setPlaceholderText("Recording (*.mcap, *.pen)")
        self._path.setAccessibleName("Recording")
        browse = QPushButton("Browse …")
        browse.clicked.connect(self.browse)
        self._speed = DropDown()
        self._speed.addItems([label for label, _ in SPEEDS])
        self._speed.setMinimumWidth(self._speed.sizeHint().width())
        self._speed.setAccessibleName("Speed")
        self._path.textChanged.connect(self._enable)
        return _row(self._path, browse, self._speed)

    def _kind_changed(self, index: int) -> None:
        self._details.setCurrentIndex(index)
        self._enable()
        if KINDS[index] is SourceKind.SERIAL:
            self.ports_wanted.emit()

    def _enable(self) -> None:
        if self._link is not None:
            blocked = self._link.choice_enabled and bool(source_problem(self.choice()))
            self.button.setEnabled(self._link.button_enabled and not blocked)
        self.changed.emit()

    def _press(self) -> None:
        idle = self._link is None or self._link.choice_enabled
        self.pressed.emit(self.choice() if idle else None)


def _row(wide: QWidget, *others: QWidget) -> QWidget:
    page = QWidget()
    row = QHBoxLayout(page)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(wide, 1)
    for widget in others:
        row.addWidget(widget)
    page.setMinimumSize(QSize(0, 0))
    return page
