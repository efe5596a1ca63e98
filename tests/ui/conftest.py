"""A session that behaves like a live one, without a pen, and a window on top of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from firmware_protocol.descriptor import Descriptor, standard_descriptor
from penapp.decode.types import Candidate, Hypothesis, Letter, TextState
from penapp.live_types import LinkChanged, LinkState, LiveEvent, LiveStatus, TextCommitted, TextTentative
from penapp.stream.block import SampleBlock
from penapp.stream.ring import SampleRing
from penapp.ui.main_window import MainWindow
from penapp.ui.session_host import OpenPen
from penapp.ui.theme import ThemeChoice
from penapp.ui.view_state import PortChoice, SourceChoice, SourceKind

STREAMING = LiveStatus(
    link=LinkState.STREAMING,
    pen_name="fake pen",
    rate_hz=100.2,
    nominal_hz=100.0,
    samples=1200,
    force_n=1.25,
    contact=True,
)


def hypothesis(text: str, *others: str, state: TextState = TextState.COMMITTED) -> Hypothesis:
    """A reading with candidates: `others` come from the lexicon but the last, which are the letters."""
    readings = (text, *others)
    candidates = tuple(
        Candidate(reading, -float(i), i == 0 or i < len(others), 0.6 * 0.4**i)
        for i, reading in enumerate(readings)
    )
    letters = tuple(Letter(letter, 0.1 * i, 0.9) for i, letter in enumerate(text))
    return Hypothesis(text, letters, candidates, 0.8, state)


def wave(n: int, rate_hz: float = 100.0, start: int = 0) -> SampleBlock:
    """n samples of something that looks like writing."""
    t = (start + np.arange(n)) / rate_hz
    writing = (np.sin(0.9 * t) > -0.4).astype(np.float64)
    rng = np.random.default_rng(start)
    values = np.sin(2 * np.pi * 4.3 * t[:, None] + np.arange(13)) * writing[:, None]
    values += 0.06 * rng.normal(size=(n, 13))
    values *= np.array([3, 3, 2, 6, 6, 4, 1.2, 1.2, 0.6, 4, 4, 4, 0])
    values[:, [0, 3]] += 5.1
    values[:, [2, 5]] += 7.9
    values[:, 9:12] += (18.0, -4.0, 42.0)
    values[:, 12] = writing * (1.2 + 0.5 * np.sin(2 * np.pi * 2.1 * t)) + 0.02 * rng.random(n)
    return SampleBlock(t, values.astype(np.float32))


@dataclass
class FakeSession:
    """Behaves like `LiveSession`: starts a thread, sends events from it, stop() joins it."""

    on_event: Callable[[LiveEvent], None]
    words: tuple[Hypothesis, ...] = ()
    fails: Exception | None = None
    ring: SampleRing = field(default_factory=lambda: SampleRing(24_000))
    current: LiveStatus = STREAMING
    descriptor: Descriptor | None = field(default_factory=standard_descriptor)
    stopped: int = 0

    def __post_init__(self) -> None:
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-device", daemon=True)

    def start(self) -> None:
        if self.fails is not None:
            raise self.fails
        self._thread.start()

    def stop(self) -> None:
        self.stopped += 1
        self._leave.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.current = replace(self.current, link=LinkState.CLOSED)

    def status(self) -> LiveStatus:
        return self.current

    def push(self, block: SampleBlock) -> None:
        self.ring.push(block)

    def say(self, event: LiveEvent) -> None:
        """Send an event from a thread of its own, as the pipeline does."""
        sender = threading.Thread(target=self.on_event, args=(event,))
        sender.start()
        sender.join()

    def _run(self) -> None:
        self.on_event(LinkChanged(self.current))
        self.ring.push(wave(400))
        for word in self.words:
            self.on_event(TextTentative(replace(word, state=TextState.TENTATIVE), time.perf_counter_ns()))
            self.on_event(TextCommitted(word, time.perf_counter_ns()))
        self._leave.wait()


@dataclass
class FakePad:
    """Keeps what the writing pad sends."""

    points: list[tuple[float, float, bool, float]] = field(default_factory=list)

    def move(self, x_mm: float, y_mm: float, down: bool, t_s: float) -> None:
        self.points.append((x_mm, y_mm, down, t_s))


@dataclass
class Bench:
    """The fakes behind one window, and how to wait for it."""

    app: QApplication
    words: tuple[Hypothesis, ...] = ()
    fails: Exception | None = None
    sessions: list[FakeSession] = field(default_factory=list)
    choices: list[SourceChoice] = field(default_factory=list)
    pad: FakePad = field(default_factory=FakePad)
    ink: NDArray[np.float64] | None = None

    def open(self, choice: SourceChoice, on_event: Callable[[LiveEvent], None]) -> OpenPen:
        self.choices.append(choice)
        session = FakeSession(on_event, self.words, self.fails)
        self.sessions.append(session)
        return OpenPen(session, self.pad if choice.kind is SourceKind.PAD else None)

    def window(self) -> MainWindow:
        ports = (PortChoice("/dev/ttyACM0", "Pen board"), PortChoice("COM3", "COM3"))
        found = MainWindow(self.open, lambda: ports, ThemeChoice.LIGHT)
        found.show()
        return found

    def until(self, condition: Callable[[], object], timeout_s: float = 5.0) -> None:
        """Let the window live until the condition holds; fails loudly when it never does."""
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, "the window never got there"
            self.app.processEvents()


@pytest.fixture(scope="session")
def app() -> QApplication:
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication([])


@pytest.fixture
def bench(app: QApplication) -> Iterator[Bench]:
    found = Bench(app)
    yield found
    for window in app.topLevelWidgets():
        window.close()
        window.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def read() -> Callable[..., Hypothesis]:
    return hypothesis
