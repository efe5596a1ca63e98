"""The far end of a byte stream: what a virtual pen holds in its hand while we open the other end."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
from typing import Protocol

MAX_READ_BYTES = 4096


class Carrier(Protocol):
    """The pen's end. `address` is what the host opens. All calls but `close` come from one thread.

    wait:  until bytes arrived (or there is room to write), at most timeout_s
    read:  what has arrived, b"" if nothing; ConnectionError when the host is gone for good
    write: how many bytes were taken; 0 when there is no room
    """

    address: str

    def wait(self, timeout_s: float, *, for_room: bool = False) -> None: ...

    def read(self) -> bytes: ...

    def write(self, raw: bytes) -> int: ...

    def close(self) -> None: ...


def new_carrier() -> Carrier:
    """A pseudo-terminal where the system has them, else a TCP connection on the loopback interface."""
    return PtyCarrier() if hasattr(os, "openpty") else TcpCarrier()


class PtyCarrier:
    """A pseudo-terminal pair: the host opens the slave's name like any serial port; closing = unplugging."""

    def __init__(self) -> None:
        import tty

        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.address = os.ttyname(self._slave)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._master, selectors.EVENT_READ)

    def lock(self) -> None:
        """Hold the host's end exclusively, as another program would."""
        import fcntl

        fcntl.flock(self._slave, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def wait(self, timeout_s: float, *, for_room: bool = False) -> None:
        self._selector.modify(self._master, _events(for_room))
        self._selector.select(timeout_s)

    def read(self) -> bytes:
        try:
            return os.read(self._master, MAX_READ_BYTES)
        except BlockingIOError:
            return b""

    def write(self, raw: bytes) -> int:
        try:
            return os.write(self._master, raw)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self._selector.close()
        os.close(self._slave)
        os.close(self._master)


class TcpCarrier:
    """A listening socket on the loopback interface that serves one host. port: 0 = any that is free."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1)
        self._listener.setblocking(False)
        self._host: socket.socket | None = None
        self.address = "socket://{}:{}".format(*self._listener.getsockname()[:2])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    def wait(self, timeout_s: float, *, for_room: bool = False) -> None:
        if self._host is not None:
            self._selector.modify(self._host, _events(for_room))
        self._selector.select(timeout_s)
        if self._host is None:
            self._accept()

    def read(self) -> bytes:
        if self._host is None:
            return b""
        try:
            raw = self._host.recv(MAX_READ_BYTES)
        except BlockingIOError:
            return b""
        if not raw:
            raise ConnectionResetError("the host closed the connection")
        return raw

    def write(self, raw: bytes) -> int:
        if self._host is None:
            return 0
        try:
            return self._host.send(raw)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self._selector.close()
        self._listener.close()
        if self._host is not None:
            self._host.close()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._host, _ = self._listener.accept()
            self._host.setblocking(False)
            self._host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.unregister(self._listener)
            self._selector.register(self._host, _events(for_room=False))


def _events(for_room: bool) -> int:
    return selectors.EVENT_READ | selectors.EVENT_WRITE if for_room else selectors.EVENT_READ
