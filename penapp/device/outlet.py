"""Where a virtual pen is plugged in again and again under one address, as a real one is into its port."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Protocol

from penapp.device.carrier import Carrier, PtyCarrier, TcpCarrier


class Outlet(Protocol):
    """An address that outlives the carriers behind it. All calls but the first come from the pen's thread.

    plug: the pen is there, under `address`; busy: another program seems to hold it
    pull: nothing is there any more
    """

    address: str

    def plug(self, *, busy: bool = False) -> Carrier: ...

    def pull(self, carrier: Carrier) -> None: ...

    def close(self) -> None: ...


def new_outlet() -> Outlet:
    """For pseudo-terminals where the system has them, else for loopback connections."""
    return PtyOutlet() if hasattr(os, "openpty") else TcpOutlet()


class PtyOutlet:
    """A link in a folder of its own that points to the terminal of the moment."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="penapp-pen-"))
        self._link = self._folder / "pen"
        self.address = str(self._link)

    def plug(self, *, busy: bool = False) -> Carrier:
        """A new terminal; busy = locked, as a second program would hold it."""
        carrier = PtyCarrier()
        if busy:
            carrier.lock()
        self._link.symlink_to(carrier.address)
        return carrier

    def pull(self, carrier: Carrier) -> None:
        self._link.unlink(missing_ok=True)
        carrier.close()

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class TcpOutlet:
    """One port of the loopback interface; a busy pen is one that hangs up."""

    def __init__(self) -> None:
        first = TcpCarrier()
        self.address = first.address
        first.close()

    def plug(self, *, busy: bool = False) -> Carrier:
        """Listens on the same port as before."""
        return NoCarrier(self.address) if busy else TcpCarrier(int(self.address.rpartition(":")[2]))

    def pull(self, carrier: Carrier) -> None:
        with contextlib.suppress(OSError):
            carrier.close()

    def close(self) -> None:
        """Nothing is left."""


class NoCarrier:
    """A pen without a host: it hears nothing, and what it sends is gone."""

    def __init__(self, address: str) -> None:
        self.address = address

    def wait(self, timeout_s: float, *, for_room: bool = False) -> None:
        time.sleep(timeout_s)

    def read(self) -> bytes:
        return b""

    def write(self, raw: bytes) -> int:
        return len(raw)

    def close(self) -> None:
        """Nothing to give back."""
