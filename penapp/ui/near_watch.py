"""Listens for Bluetooth pens on a thread of its own while somebody looks at the list. No Qt."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from penapp.device.ble_errors import (
    BluetoothDeniedError,
    BluetoothError,
    BluetoothOffError,
    NoBluetoothError,
)
from penapp.device.radio import Radio
from penapp.ui.near_state import NearPen, NearView, WatchState

if TYPE_CHECKING:
    from penapp.device.ble_scan import PenScanner

log = logging.getLogger(__name__)

REFRESH_S = 0.5
RESCAN_S = 10.0
"""After so long without a sound the scan begins anew: an adapter that went away says nothing by itself."""
RETRY_S = 2.0
FORGET_S = 15.0
JOIN_S = 5.0
_HEADLINES: dict[type[BluetoothError], str] = {
    NoBluetoothError: "No Bluetooth",
    BluetoothOffError: "Switched off",
    BluetoothDeniedError: "Not allowed",
}


class NearWatch:
    """At most one scan. All calls come from the GUI thread; none of them but `close` waits."""

    def __init__(self, radio: Radio | None = None) -> None:
        self._radio = radio or Radio()
        self._scan: _Scan | None = None
        self._ended: list[_Scan] = []

    def start(self) -> None:
        """Begin to listen; nothing happens when it listens already."""
        if self._scan is None:
            self._scan = _Scan(self._radio)

    def stop(self) -> None:
        """Listen no more; what was heard is forgotten."""
        if self._scan is not None:
            self._scan.leave()
            self._ended = [scan for scan in [*self._ended, self._scan] if scan.thread.is_alive()]
            self._scan = None

    def view(self) -> NearView:
        return NearView() if self._scan is None else self._scan.view

    def close(self) -> None:
        """Stop, and wait until no thread is left."""
        self.stop()
        for scan in self._ended:
            scan.thread.join(JOIN_S)


class _Scan:
    """One thread, one loop, from its making to `leave`."""

    def __init__(self, radio: Radio) -> None:
        self.view = NearView(WatchState.SCANNING)
        self._radio = radio
        self._near: dict[str, NearPen] = {}
        self._leaving = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.thread = threading.Thread(target=self._run, name="penapp-ble-scan", daemon=True)
        self.thread.start()

    def leave(self) -> None:
        self._leaving.set()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself in the meantime
                self._loop.call_soon_threadsafe(self._over.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except Exception as error:  # end of the thread: shown, never swallowed
            log.exception("the scan for Bluetooth pens failed")
            message = f"{type(error).__name__}: {error}"
            self.view = NearView(
                WatchState.FAILED, (), "Failed", message, "This is a fault in penapp; see the log."
            )

    async def _live(self) -> None:
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        while not self._leaving.is_set():
            try:
                await self._listen()
            except BluetoothError as error:
                headline = _HEADLINES.get(type(error), "Failed")
                self.view = NearView(WatchState.FAILED, (), headline, error.args[0], error.advice)
                await self._pause(RETRY_S)

    async def _listen(self) -> None:
        """One scan, until it is over or has long been silent."""
        from penapp.device.ble_scan import PenScanner

        async with PenScanner(self._radio, on_change=lambda: self._heard(scanner)) as scanner:
            self._began_s = time.monotonic()
            self._heard(scanner)
            while not self._leaving.is_set() and not self._silent():
                await self._pause(REFRESH_S)
                self._heard(scanner)

    def _heard(self, scanner: PenScanner) -> None:
        """Keep the order in which pens came: a list that reorders itself cannot be clicked."""
        now_s = time.monotonic()
        for s in scanner.sightings():
            self._near[s.address] = NearPen(s.address, s.name, s.rssi_dbm, s.seen_s, s.is_pen)
        self._near = {a: pen for a, pen in self._near.items() if now_s - pen.seen_s < FORGET_S}
        self.view = NearView(WatchState.SCANNING, tuple(self._near.values()))

    def _silent(self) -> bool:
        last_s = max((pen.seen_s for pen in self._near.values()), default=0.0)
        return time.monotonic() - max(last_s, self._began_s) > RESCAN_S

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
