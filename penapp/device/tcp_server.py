"""The pen's end of a TCP connection that hosts may leave and come back to: one at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
from collections.abc import Callable

from penapp.device.errors import PortBusyError, PortError
from penapp.device.socket_port import SCHEME, live_connection

MAX_READ_BYTES = 4096
ANY = {"", "0.0.0.0", "::"}  # noqa: S104 -- compared with, not bound to


class TcpServerCarrier:
    """A `Carrier` that outlives its hosts: who leaves is told to `on_gone`, the next one is let in.

    A second host that comes while one is there is turned away at once (its connection is closed).
    Raises `PortError` subclasses when the port cannot be had; port 0 takes any free one.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            self._listener = socket.create_server((host, port), backlog=4, reuse_port=False)
        except OSError as error:
            raise _bind_error(host, port, error) from error
        self._listener.setblocking(False)
        self._host: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.on_gone: Callable[[], None] = lambda: None
        self.hosts = 0
        shown = socket.gethostname() if host in ANY else host
        self.address = f"{SCHEME}{shown}:{self._listener.getsockname()[1]}"

    def wait(self, timeout_s: float, *, for_room: bool = False) -> None:
        if self._host is not None:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if for_room else 0)
            self._selector.modify(self._host, events)
        self._selector.select(timeout_s)
        if self._host is None:
            self._accept()

    def read(self) -> bytes:
        if self._host is None:
            return b""
        try:
            raw = self._host.recv(MAX_READ_BYTES)
        except BlockingIOError:
            self._turn_away()
            return b""
        except OSError:
            raw = b""
        if not raw:
            self._forget()
        return raw

    def write(self, raw: bytes) -> int:
        """Without a host the bytes go nowhere, as on a line that nobody listens to."""
        if self._host is None:
            return len(raw)
        try:
            return self._host.send(raw)
        except BlockingIOError:
            return 0
        except OSError:
            self._forget()
            return len(raw)

    def close(self) -> None:
        self._selector.close()
        self._listener.close()
        if self._host is not None:
            self._host.close()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            host, _ = self._listener.accept()
            live_connection(host)
            host.setblocking(False)
            self._selector.register(host, selectors.EVENT_READ)
            self._host = host
            self.hosts += 1

    def _turn_away(self) -> None:
        """Whoever else wants in, now that the host is known to be there still."""
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            self._listener.accept()[0].close()

    def _forget(self) -> None:
        if self._host is None:
            return
        self._selector.unregister(self._host)
        self._host.close()
        self._host = None
        self.on_gone()


def _bind_error(host: str, port: int, error: OSError) -> PortError:
    place = f"{host or '0.0.0.0'}:{port}"  # noqa: S104 -- shown, not bound to
    # a name that does not resolve has a negative number of its own
    if (error.errno or 0) < 0 or error.errno == errno.EADDRNOTAVAIL:
        return PortError(
            f"{host} is no address of this machine.", advice="Give 127.0.0.1, 0.0.0.0 or its own."
        )
    if error.errno == errno.EADDRINUSE:
        return PortBusyError(
            f"{place} is in use by another program.", advice="Choose another port; 0 takes any free one."
        )
    reason = os.strerror(error.errno) if error.errno else str(error)
    return PortError(f"{place} cannot be listened on: {reason}.", advice="Ports below 1024 need more rights.")
