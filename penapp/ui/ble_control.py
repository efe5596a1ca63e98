"""When the window listens for Bluetooth pens, and how it meets the pen of last time again. No Qt."""

from __future__ import annotations

from typing import Protocol

from penapp.live_types import LinkState, LiveStatus
from penapp.ui.last_pen import LastPen, LastPenStore
from penapp.ui.near_state import NearView, failure_hint, reunion, waiting_hint, worth_remembering
from penapp.ui.view_state import Banner, Phase, PortChoice, SourceChoice, SourceKind


class Watch(Protocol):
    """What listens: `penapp.ui.near_watch.NearWatch`."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def view(self) -> NearView: ...

    def close(self) -> None: ...


class BleControl:
    """Asked a few times a second; all calls come from the GUI thread.

    watch None: Bluetooth is left alone; store None: nothing is remembered
    """

    def __init__(self, watch: Watch | None, store: LastPenStore | None) -> None:
        self._watch = watch
        self._store = store
        self._last = store.load() if store is not None else None
        self._awaited: SourceChoice | None = None
        self._kept: SourceChoice | None = None

    @property
    def last(self) -> SourceChoice | None:
        """The pen of last time."""
        return self._last.choice if self._last is not None else None

    def await_last(self) -> None:
        """Connect to the pen of last time when it is here."""
        self._awaited = self.last

    def tick(self, phase: Phase, choice: SourceChoice) -> NearView:
        """Listen exactly while nothing runs and the page of Bluetooth pens is open."""
        if self._watch is None:
            return NearView()
        if phase is Phase.IDLE and choice.kind is SourceKind.BLE:
            self._watch.start()
        else:
            self._watch.stop()
        return self._watch.view()

    def chosen(self, choice: SourceChoice) -> None:
        """The fields say something else than the pen of last time: wait for it no longer."""
        if self._awaited is not None and choice != self._awaited:
            self._awaited = None

    def give_up(self) -> None:
        """Somebody pressed a button: from now on people decide."""
        self._awaited = None

    def found(self, phase: Phase, near: NearView, ports: tuple[PortChoice, ...]) -> SourceChoice | None:
        """The pen of last time, once, when it is here and nothing else runs."""
        if phase is not Phase.IDLE or not reunion(self._awaited, near, ports):
            return None
        found, self._awaited = self._awaited, None
        return found

    def streaming(self, choice: SourceChoice, status: LiveStatus | None) -> None:
        """Remember a real pen once its samples arrive."""
        if self._store is None or status is None or choice == self._kept:
            return
        if status.link is LinkState.STREAMING and status.samples and worth_remembering(choice):
            self._kept = SourceChoice(choice.kind, choice.target)
            self._store.save(LastPen(self._kept, status.pen_name))

    def hint(self, phase: Phase) -> Banner | None:
        """What stands where errors would: no Bluetooth, or the pen that is waited for."""
        name = self._last.name if self._last is not None else ""
        near = self._watch.view() if self._watch is not None else NearView()
        return failure_hint(near, phase) or waiting_hint(self._awaited, name, phase)

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
