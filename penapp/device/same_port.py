"""A USB pen that is plugged in again may get another port name: find it by what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from serial.tools import list_ports


class PortInfo(Protocol):
    """What the system knows of a port (pyserial's ListPortInfo)."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None


Identity = tuple[int, int, str]


class SamePort:
    """Called before each attempt: the name under which the pen's port is now.

    A port that is no USB device with a serial number (sockets, pseudo-terminals, plain UARTs) keeps its name.
    """

    def __init__(self, name: str, find: Callable[[], Iterable[PortInfo]] = list_ports.comports) -> None:
        self._name = name
        self._find = find
        self._identity: Identity | None = None

    def __call__(self) -> str:
        if self._name.startswith("socket://"):
            return self._name
        ports = {port.device: _identity(port) for port in self._find()}
        if self._identity is None:
            self._identity = ports.get(self._name)
        elif ports.get(self._name) != self._identity:
            self._name = next((n for n, found in ports.items() if found == self._identity), self._name)
        return self._name


def _identity(port: PortInfo) -> Identity | None:
    if port.vid is None or port.pid is None or not port.serial_number:
        return None
    return port.vid, port.pid, port.serial_number
