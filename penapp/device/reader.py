"""The thread that reads a port and hands what arrived to the asyncio loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from penapp.device.port import Port

MAX_WAITING_READS = 64
"""Reads that the loop has not consumed yet; beyond it the operating system's buffer fills (back-pressure)."""


class PortReader:
    """Reads until stopped or until the link is gone; each delivered read must be released once."""

    def __init__(
        self,
        port: Port,
        loop: asyncio.AbstractEventLoop,
        deliver: Callable[[bytes, int], None],
        gone: Callable[[OSError], None],
    ) -> None:
        self._port = port
        self._loop = loop
        self._deliver = deliver
        self._gone = gone
        self._room = threading.Semaphore(MAX_WAITING_READS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penapp-port", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def release(self) -> None:
        """The loop is done with one read."""
        self._room.release()

    def stop(self) -> None:
        """Returns when the thread has ended (0.1 s at most)."""
        self._stopping.set()
        self._room.release()
        self._port.cancel()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                raw = self._port.read()
            except OSError as error:
                self._post(self._gone, error)
                return
            arrival_ns = time.perf_counter_ns()
            if raw:
                self._room.acquire()
                self._post(self._deliver, raw, arrival_ns)

    def _post(self, call: Callable[..., None], *args: object) -> None:
        if not self._stopping.is_set():
            self._loop.call_soon_threadsafe(call, *args)
