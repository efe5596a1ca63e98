"""One adapter for everything that carries a byte stream: serial ports, pseudo-terminals, TCP sockets."""

from __future__ import annotations

import errno
import sys
from typing import Protocol

import serial

from firmware_protocol.links import SERIAL_BAUD
from penapp.device.errors import PortAbsentError, PortBusyError, PortError, PortPermissionError
from penapp.device.socket_port import SCHEME, SocketPort

READ_TIMEOUT_S = 0.1
MAX_READ_BYTES = 4096
PLAIN_BAUD = 115_200
"""A pseudo-terminal of macOS refuses any speed that is not in termios; none of them means anything there."""

_ABSENT = {errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.ENOTDIR}
_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


class Port(Protocol):
    """An open byte stream. Only `cancel` may be called from another thread than the reader's.

    read: what has arrived, b"" after 0.1 s of silence; OSError when the link is gone
    """

    def read(self) -> bytes: ...

    def write(self, raw: bytes) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def open_port(name: str) -> Port:
    """Open a device name (`/dev/ttyACM0`, `COM3`) or `socket://host:port`; raises `PortError` subclasses."""
    if name.startswith(SCHEME):
        return SocketPort(name)
    try:
        return SerialPort(name)
    except (OSError, ValueError) as error:
        raise _port_error(name, error) from error


class SerialPort:
    """A serial device, held exclusively."""

    def __init__(self, name: str) -> None:
        try:
            self._serial = self._opened(name, SERIAL_BAUD)
        except OSError as error:
            if error.errno != errno.ENOTTY:
                raise
            self._serial = self._opened(name, PLAIN_BAUD)

    @staticmethod
    def _opened(name: str, baud: int) -> serial.Serial:
        try:
            return serial.serial_for_url(
                name, baudrate=baud, timeout=READ_TIMEOUT_S, write_timeout=1.0, exclusive=True
            )
        except Exception as error:
            if type(error).__module__ != "termios":  # no OSError: a device that goes while it is being opened
                raise
            raise OSError(*error.args) from error

    def read(self) -> bytes:
        wanted = min(max(1, self._serial.in_waiting), MAX_READ_BYTES)
        return bytes(self._serial.read(wanted))

    def write(self, raw: bytes) -> None:
        self._serial.write(raw)

    def cancel(self) -> None:
        if hasattr(self._serial, "cancel_read"):
            self._serial.cancel_read()

    def close(self) -> None:
        self._serial.close()


def _port_error(name: str, error: OSError | ValueError) -> PortError:
    code = getattr(error, "errno", None)
    text = str(error)
    if code in _ABSENT or "FileNotFoundError" in text or isinstance(error, TimeoutError):
        return PortAbsentError(
            f"there is no pen at {name}.", advice="Plug it in, then look for its name with `penapp devices`."
        )
    if code in _BUSY or (sys.platform == "win32" and "PermissionError" in text):
        return PortBusyError(
            f"{name} is in use by another program.", advice="Close that program (or a second penapp)."
        )
    if code in _FORBIDDEN:
        return PortPermissionError(
            f"this user may not open {name}.",
            advice=f"On Linux: `sudo usermod -aG dialout $USER`, log in again (owner: `ls -l {name}`).",
        )
    return PortError(
        f"{name} could not be opened as a serial port: {text}.", advice="`penapp devices` lists the ports."
    )
