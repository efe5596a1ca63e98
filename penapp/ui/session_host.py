"""Opens and stops sessions away from the GUI thread, and carries their events to it. No Qt."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from calibration.steps import StepId
from firmware_protocol.descriptor import Descriptor
from penapp.errors import PenappError
from penapp.live_types import Failed, LiveEvent, LiveStatus
from penapp.ui.pad_state import ShownInk
from penapp.ui.strip_state import Samples
from penapp.ui.view_state import Phase, SourceChoice

log = logging.getLogger(__name__)


class Session(Protocol):
    """What the window needs of `penapp.live.LiveSession`."""

    @property
    def ring(self) -> Samples: ...
    @property
    def descriptor(self) -> Descriptor | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def status(self) -> LiveStatus: ...


class PadSink(Protocol):
    """What the writing pad feeds: `penapp.simulation.pad.PadPen`."""

    def move(self, x_mm: float, y_mm: float, down: bool, t_s: float) -> None: ...


class PenHand(Protocol):
    """A virtual pen that does what the steps of a calibration ask for."""

    def perform(self, step: StepId | None) -> None: ...


InkSoFar = Callable[[], ShownInk]


@dataclass(frozen=True, slots=True)
class OpenPen:
    """A session not yet started; `pad` takes the writing pad's points, `ink` shows what the pen writes;
    `hand` is a virtual pen that can be calibrated.
    """

    session: Session
    pad: PadSink | None = None
    ink: InkSoFar | None = None
    hand: PenHand | None = None


Opener = Callable[[SourceChoice, Callable[[LiveEvent], None]], OpenPen]


@dataclass(frozen=True, slots=True)
class Opened:
    """The session runs."""

    pen: OpenPen


@dataclass(frozen=True, slots=True)
class Closed:
    """The session has stopped, or could not be opened; nothing of it is left."""


HostEvent = LiveEvent | Opened | Closed


class SessionHost:
    """At most one session. All calls come from the GUI thread; none of them but `close` waits."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._events: queue.SimpleQueue[HostEvent] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None
        self._cancelled = False
        self.phase = Phase.IDLE
        self.choice = SourceChoice()
        self.pen: OpenPen | None = None
        self._last_status: LiveStatus | None = None

    def connect(self, choice: SourceChoice) -> None:
        """Start opening; `Opened` or `Failed` and `Closed` follow."""
        if self.phase is not Phase.IDLE:
            return
        self.phase, self.choice, self._cancelled = Phase.CONNECTING, choice, False
        self._last_status = None
        self._run("penapp-open", lambda: self._open(choice))

    def disconnect(self) -> None:
        """Start stopping; `Closed` follows. While opening this cancels."""
        if self.phase is Phase.CONNECTING:
            self._cancelled = True
        elif self.phase is Phase.CONNECTED and self.pen is not None:
            pen = self.pen
            self.phase = Phase.DISCONNECTING
            self._run("penapp-stop", lambda: self._stop(pen))

    def close(self) -> None:
        """Stop whatever runs and wait until no thread is left."""
        self._join()
        self.drain()
        self.disconnect()
        self._join()
        self.drain()
        self._join()

    def drain(self) -> list[HostEvent]:
        """Everything that happened since the last call."""
        events: list[HostEvent] = []
        while not self._events.empty():
            event = self._events.get()
            self._follow(event)
            events.append(event)
        return events

    def status(self) -> LiveStatus | None:
        """The state of the session, or the last one that was seen; None before the first."""
        if self.pen is not None:
            self._last_status = self.pen.session.status()
        return self._last_status

    def _follow(self, event: HostEvent) -> None:
        if isinstance(event, Opened):
            self.phase, self.pen = Phase.CONNECTED, event.pen
            if self._cancelled:
                self.disconnect()
        elif isinstance(event, Closed):
            self.status()
            self.phase, self.pen = Phase.IDLE, None

    def _open(self, choice: SourceChoice) -> None:
        pen = self._opener(choice, self._events.put)
        pen.session.start()
        self._events.put(Opened(pen))

    def _stop(self, pen: OpenPen) -> None:
        pen.session.stop()
        self._events.put(Closed())

    def _run(self, name: str, work: Callable[[], None]) -> None:
        self._join()
        self._worker = threading.Thread(target=self._guarded, args=(work,), name=name)
        self._worker.start()

    def _guarded(self, work: Callable[[], None]) -> None:
        """The end of a thread: what went wrong becomes an event, once."""
        try:
            work()
        except PenappError as error:
            self._events.put(Failed(error.args[0], error.advice))
            self._events.put(Closed())
        except Exception as error:
            log.exception("session could not be opened or stopped")
            self._events.put(
                Failed(f"{type(error).__name__}: {error}", "This is a fault in penapp; see the log.")
            )
            self._events.put(Closed())

    def _join(self) -> None:
        if self._worker is not None:
            self._worker.join()
            self._worker = None
