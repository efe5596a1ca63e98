"""A private message bus: a dbus-daemon of our own, on a socket in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS_VARIABLE = "DBUS_SYSTEM_BUS_ADDRESS"
DENIED = '<policy context="default"><deny send_destination="org.bluez"/></policy>'
"""What a system says that lets nobody talk to BlueZ."""

_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
  {policy}
</busconfig>
"""


def missing() -> str:
    """Why no private bus can be had here; empty when it can."""
    if not sys.platform.startswith("linux"):
        return "the fake BlueZ needs Linux: elsewhere bleak does not speak D-Bus"
    if shutil.which("dbus-daemon") is None:
        return "the fake BlueZ needs dbus-daemon (Debian: apt-get install dbus)"
    return ""


@contextmanager
def private_bus(policy: str = "") -> Iterator[str]:
    """The address of a bus that lives as long as the block, which is also this process's system bus."""
    folder = Path(tempfile.mkdtemp(prefix="penbus-"))
    configuration = folder / "bus.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, policy=policy), encoding="utf-8")
    command = ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"]
    before = os.environ.get(ADDRESS_VARIABLE)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as daemon:
        try:
            assert daemon.stdout is not None
            address = daemon.stdout.readline().strip()
            assert address, "dbus-daemon did not start"
            os.environ[ADDRESS_VARIABLE] = address
            yield address
        finally:
            daemon.terminate()
            daemon.wait(10)
            if before is None:
                os.environ.pop(ADDRESS_VARIABLE, None)
            else:
                os.environ[ADDRESS_VARIABLE] = before
            shutil.rmtree(folder, ignore_errors=True)
