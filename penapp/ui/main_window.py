"""The main window: panels, timers, and what moves between them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMainWindow, QPushButton, QSplitter

from penapp.live_types import Failed, LinkChanged, LiveStatus, TextCommitted, TextTentative
from penapp.ui import theme as themes
from penapp.ui.banner import BannerBar
from penapp.ui.ble_control import BleControl
from penapp.ui.calibration_desk import CalibrationDesk
from penapp.ui.card import Card
from penapp.ui.connect_panel import ConnectPanel
from penapp.ui.layout import MIN_SIZE, column, first_size
from penapp.ui.pad_state import NO_INK, PadPoint
from penapp.ui.readings import strips_note, strips_summary
from penapp.ui.session_host import Closed, HostEvent, Opened, Opener, SessionHost
from penapp.ui.state_panel import StatePanel
from penapp.ui.strips_panel import StripsPanel
from penapp.ui.text_panel import TextPanel
from penapp.ui.theme import ThemeChoice
from penapp.ui.tone import Tone
from penapp.ui.view_state import (
    Banner,
    Phase,
    PortChoice,
    SourceChoice,
    SourceKind,
    hint,
    link_over,
    link_view,
    pad_notice,
    pad_writable,
    trouble,
)
from penapp.ui.writing_pad import WritingPad

EVENTS_MS = 8
FRAME_MS = 33
NUMBERS_EVERY = 6
SETTLE_MS = 600
PortFinder = Callable[[], tuple[PortChoice, ...]]


class MainWindow(QMainWindow):
    """Owns the session host; its timers are the only way in for what threads report."""

    drained = Signal(object)

    def __init__(
        self,
        opener: Opener,
        find_ports: PortFinder,
        theme: ThemeChoice = ThemeChoice.AUTO,
        *,
        ble: BleControl | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("penapp")
        self.host = SessionHost(opener)
        self._find_ports = find_ports
        self._ble = ble or BleControl(None, None)
        self._error: Banner | None = None
        self._next: SourceChoice | None = None
        self._frames = 0
        self.connect_panel, self.banner = ConnectPanel(), BannerBar()
        self.text, self.state, self.strips = TextPanel(), StatePanel(), StripsPanel()
        self.pad = WritingPad()
        self.calibration = CalibrationDesk(self)
        self.theme_choice = theme
        self._arrange()
        self._wire()
        self.set_theme(theme)
        self._start_timers()
        self._show_link()

    def meet_last_pen(self) -> None:
        """Choose the pen of last time, and connect to it as soon as it is here."""
        if self._ble.last is not None:
            self.connect_panel.choose(self._ble.last)
            self._ble.await_last()
            self._show_banner()

    def connect_to(self, choice: SourceChoice) -> None:
        """Fill the connect panel and connect."""
        self._ble.give_up()
        self.connect_panel.choose(choice)
        self._connect(choice)

    def write_here(self) -> None:
        """Take the pad as the pen, whatever is connected now."""
        self.connect_panel.choose(SourceChoice(SourceKind.PAD))
        self.change_to(SourceChoice(SourceKind.PAD))

    def change_to(self, choice: SourceChoice | None) -> None:
        """Connect to this, whatever is connected now; None: to nothing."""
        if self.host.phase is Phase.IDLE:
            if choice is not None:
                self._connect(choice)
            return
        self._next = choice
        self.host.disconnect()
        self._show_link()

    def show_error(self, banner: Banner) -> None:
        """In the banner, until it is dismissed."""
        self._error = banner
        self._show_banner()

    def set_theme(self, choice: ThemeChoice) -> None:
        self.theme_choice = choice
        theme = themes.resolve(choice)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            themes.apply(app, theme)
        for part in (self.connect_panel, self.banner, self.text, self.state, self.strips, self.pad):
            part.set_theme(theme)
        self.calibration.set_theme(theme)

    def refresh_ports(self) -> None:
        self.connect_panel.show_ports(self._find_ports())

    def diagnostics(self) -> str:
        """Versions and state as text, for a report."""
        from penapp.ui.diagnostics import report

        return report(self.host.phase, self.host.choice, self.host.status())

    def when_words(self, count: int, act: Callable[[], None]) -> None:
        """Call `act` once, a moment after the text has grown to `count` words."""
        waiting = [act]

        def check(_: object) -> None:
            if waiting and len(self.text.view.words) >= count:
                QTimer.singleShot(SETTLE_MS, waiting.pop())

        self.drained.connect(check)

    def show_fault(self, error: BaseException) -> None:
        """A fault of the program itself, in the banner."""
        advice = "This is a fault in penapp; Help > Copy diagnostics helps to report it."
        self._error = Banner(f"{type(error).__name__}: {error}", advice, Tone.BAD)
        self._show_banner()

    def copy_diagnostics(self) -> None:
        QGuiApplication.clipboard().setText(self.diagnostics())

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  Qt
        """Stop the session before the window goes; afterwards no thread of it is left."""
        self._event_timer.stop()
        self._frame_timer.stop()
        self.calibration.close()
        self.host.close()
        self._ble.close()
        super().closeEvent(event)

    def _arrange(self) -> None:
        from penapp.ui.menus import build_menus

        self._write_here = QPushButton("Write here")
        self._write_here.setToolTip("Take the pad as the pen (Ctrl+W)")
        clear = QPushButton("Clear pad")
        clear.clicked.connect(self.pad.clear)
        pad_card = Card("Writing pad")
        pad_card.header.addWidget(self._write_here)
        pad_card.header.addWidget(clear)
        pad_card.body.addWidget(self.pad, 1)
        left = column((self.text, 3), (pad_card, 2))
        right = column((self.state, 0), (self.strips, 1))
        middle = QSplitter(Qt.Orientation.Horizontal)
        middle.setHandleWidth(10)
        middle.setChildrenCollapsible(False)
        for side, stretch in ((left, 6), (right, 5)):
            middle.addWidget(side)
            middle.setStretchFactor(middle.count() - 1, stretch)
        middle.setSizes([690, 570])
        whole = column((self.connect_panel, 0), (self.banner, 0), (middle, 1))
        whole.setContentsMargins(12, 8, 12, 12)
        self.setCentralWidget(whole)
        build_menus(self)
        self.setMinimumSize(MIN_SIZE)
        self.resize(first_size(self.screen().availableSize()))

    def _wire(self) -> None:
        self.connect_panel.pressed.connect(self._pressed)
        self.connect_panel.changed.connect(self._choice_changed)
        self.connect_panel.ports_wanted.connect(self.refresh_ports)
        self.banner.dismissed.connect(self._dismiss)
        self.pad.moved.connect(self._pad_moved)
        self.pad.refused.connect(self._pad_refused)
        self._write_here.clicked.connect(self.write_here)
        QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _: self.set_theme(self.theme_choice))

    def _start_timers(self) -> None:
        self._event_timer, self._frame_timer = QTimer(self), QTimer(self)
        for timer, every_ms, act in (
            (self._event_timer, EVENTS_MS, self._drain),
            (self._frame_timer, FRAME_MS, self._frame),
        ):
            timer.setTimerType(Qt.TimerType.PreciseTimer)
            timer.setInterval(every_ms)
            timer.timeout.connect(act)
            timer.start()

    def _choice_changed(self) -> None:
        if self.host.phase is Phase.IDLE:
            self._ble.chosen(self.connect_panel.choice())
        self._show_banner()

    def _pressed(self, choice: SourceChoice | None) -> None:
        self._ble.give_up()
        if choice is None:
            self.host.disconnect()
            self._show_link()
        else:
            self._connect(choice)

    def _connect(self, choice: SourceChoice) -> None:
        self._error = None
        self.strips.show_source(None, 1.0)
        self.pad.show_ink(NO_INK)
        self.host.connect(choice)
        self._show_link()

    def _drain(self) -> None:
        events = self.host.drain()
        for event in events:
            self._follow(event)
        if events:
            self._show_link()
            self.drained.emit(events)

    def _follow(self, event: HostEvent) -> None:
        match event:
            case TextCommitted(hypothesis=hypothesis):
                self.text.commit(hypothesis)
                self.pad.dim()
            case TextTentative(hypothesis=hypothesis):
                self.text.write(hypothesis.text if hypothesis is not None else "")
            case Failed(message=message, advice=advice):
                self._error = Banner(message, advice, Tone.BAD)
            case LinkChanged(status=status):
                if link_over(status):
                    self.host.disconnect()
            case Opened():
                self.strips.show_source(None, 1.0)
            case Closed():
                self.text.write("")
                self.calibration.pen_gone()
                self._connect_next()

    def _connect_next(self) -> None:
        if self._next is not None:
            choice, self._next = self._next, None
            self._connect(choice)

    def _frame(self) -> None:
        """One frame of everything that moves."""
        status = self.host.status()
        pen = self.host.pen
        if pen is not None and status is not None and status.nominal_hz > 0:
            self.strips.show_source(pen.session.ring, status.nominal_hz)
        self.strips.refresh()
        self.state.show_force(status)
        if pen is not None and pen.ink is not None:
            self.pad.show_ink(pen.ink())
        self.calibration.frame()
        if self._frames % NUMBERS_EVERY == 0:
            self.state.show_status(status)
            self.strips.say(strips_summary(status))
            self.strips.note(strips_note(status))
            self._show_link()
            self._look_around(status)
        self._frames += 1

    def _look_around(self, status: LiveStatus | None) -> None:
        """Pens nearby, and the one of last time among them."""
        panel, phase = self.connect_panel, self.host.phase
        near = self._ble.tick(phase, panel.choice())
        if phase is Phase.IDLE:
            panel.show_near(near)
        else:
            self._ble.streaming(self.host.choice, status)
        found = self._ble.found(phase, near, panel.ports)
        if found is not None:
            self.connect_to(found)

    def _show_link(self) -> None:
        link = link_view(self.host.phase, self.host.status())
        self.connect_panel.show_link(link)
        kind = self.host.choice.kind
        writable = pad_writable(self.host.phase, kind)
        self.pad.set_writable(writable, pad_notice(self.host.phase, kind))
        self._write_here.setEnabled(not writable)
        self._show_banner()

    def _show_banner(self) -> None:
        idle = self.host.phase is Phase.IDLE
        choice = self.connect_panel.choice() if idle else self.host.choice
        shown = self._error or trouble(self.host.phase, self.host.status()) or self._ble.hint(self.host.phase)
        self.banner.show_banner(shown or hint(self.host.phase, choice, len(self.text.view.words)))

    def _dismiss(self) -> None:
        self._error = None
        self._show_banner()

    def _pad_moved(self, point: PadPoint) -> None:
        pen = self.host.pen
        if pen is not None and pen.pad is not None:
            pen.pad.move(point.x_mm, point.y_mm, point.down, point.t_s)

    def _pad_refused(self) -> None:
        """Writing on a pad that is not the pen: say how to make it so."""
        self.pad.set_writable(False, "Press “Write here” to make the pad the pen.")
