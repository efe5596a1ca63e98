"""`socket://HOST:PORT`: a pen behind TCP, and what each failure of that means to a person."""

from __future__ import annotations

import errno
import socket
from urllib.parse import urlsplit

from penapp.device.errors import PortAbsentError, PortError

SCHEME = "socket://"
READ_TIMEOUT_S = 0.1
CONNECT_TIMEOUT_S = 3.0
MAX_READ_BYTES = 4096
KEEPALIVE = (("TCP_KEEPIDLE", 2), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3))
"""A machine that vanishes says no goodbye: it is missed after 5 s (seconds, seconds, times)."""

_REFUSED = {errno.ECONNREFUSED, errno.ECONNRESET}
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


class SocketPort:
    """A byte stream over TCP: a pen behind a serial server, or a virtual pen. Implements `port.Port`."""

    def __init__(self, name: str) -> None:
        host, port = address_of(name)
        try:
            self._socket = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
        except OSError as error:
            raise _connect_error(name, host, error) from error
        self._socket.settimeout(READ_TIMEOUT_S)
        live_connection(self._socket)

    def read(self) -> bytes:
        try:
            raw = self._socket.recv(MAX_READ_BYTES)
        except TimeoutError as error:
            if error.errno is not None:  # the keep-alive gave up; silence has no number
                raise ConnectionResetError(errno.ETIMEDOUT, "the other machine is gone") from error
            return b""
        if not raw:
            raise ConnectionResetError("the other side closed the connection")
        return raw

    def write(self, raw: bytes) -> None:
        self._socket.sendall(raw)

    def cancel(self) -> None:
        """Nothing to do: a read lasts 0.1 s at most."""

    def close(self) -> None:
        self._socket.close()


def live_connection(connection: socket.socket) -> None:
    """Small packets leave at once, and a machine that vanished is missed."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE:
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def address_of(name: str) -> tuple[str, int]:
    """Host and port of `socket://HOST:PORT`; raises `PortError`."""
    try:
        address = urlsplit(name)
        host, port = address.hostname, address.port
    except ValueError:
        host, port = None, None
    if not host or not port or address.path not in {"", "/"}:
        raise PortError(
            f"{name} is no address, expected {SCHEME}HOST:PORT with a port from 1 to 65535.",
            advice=f"For example {SCHEME}192.168.0.7:4000.",
        )
    return host, port


def _connect_error(name: str, host: str, error: OSError) -> PortError:
    if isinstance(error, socket.gaierror):
        return PortAbsentError(
            f"there is no pen at {name}: the name {host!r} is not known to the network.",
            advice="Check the spelling, or give the number (such as 192.168.0.7).",
        )
    if isinstance(error, TimeoutError):
        return PortAbsentError(
            f"there is no pen at {name}: no answer within {CONNECT_TIMEOUT_S:g} s.",
            advice="Is that machine switched on, in this network, and its firewall open for the port?",
        )
    if error.errno in _REFUSED:
        return PortAbsentError(
            f"there is no pen at {name}: the machine answers, but nothing listens on that port.",
            advice="Start its server there (`penapp virtual-pen --tcp PORT` is one), or correct the port.",
        )
    if error.errno in _UNREACHABLE:
        return PortAbsentError(
            f"there is no pen at {name}: no way leads to that machine ({error.strerror}).",
            advice="Is this machine in the same network?",
        )
    return PortError(f"{name} could not be opened: {error}.", advice="Check host and port.")
