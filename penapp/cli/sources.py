"""What `--pen` and `--speed` mean."""

from __future__ import annotations

import math
from pathlib import Path

import click

from penapp.device.discover import VIRTUAL, VIRTUAL_BLE, ble_address
from penapp.device.recorded import is_recorded
from penapp.device.source import PenSource

VIRTUAL_NAMES = (VIRTUAL, "demo")


def source_for(pen: str, speed: float | None, *, wait: bool = False) -> PenSource:
    """A source, not opened yet. `speed`: None = not asked for, 0 = as fast as it goes."""
    pace = _pace(speed)
    if wait and (pen in {*VIRTUAL_NAMES, VIRTUAL_BLE} or is_recorded(pen) or pen.startswith("lsl:")):
        raise click.UsageError(f"--wait is for real pens; {pen} is there at once or not at all.")
    if pen in VIRTUAL_NAMES:
        return _virtual(pace)
    if is_recorded(pen):
        from penapp.device.replay import ReplaySource

        return ReplaySource(Path(pen), pace)
    if pen == VIRTUAL_BLE:
        return _virtual_ble(pace)
    if speed is not None:
        raise click.UsageError("--speed is for the virtual pen and for recordings; a real pen has its own.")
    if pen.startswith("lsl:"):
        from penapp.lsl.inlet import LslSource

        return LslSource(pen.removeprefix("lsl:"))
    from penapp.device.looked_after import ble_pen, serial_pen

    address = ble_address(pen)
    return serial_pen(pen, wait=wait) if address is None else ble_pen(address, wait=wait)


def _pace(speed: float | None) -> float | None:
    """The factor that sources take: 1.0 = real time, None = as fast as it goes."""
    if speed is None:
        return 1.0
    if not 0 <= speed < math.inf:
        raise click.UsageError(f"--speed is {speed:g}, expected 0 (as fast as it goes) or more.")
    return speed or None


def _virtual(pace: float | None) -> PenSource:
    from penapp.device.virtual import VirtualPenSource
    from penapp.simulation.sources import DemoSource

    return VirtualPenSource(DemoSource(once=True), speed=pace)


def _virtual_ble(pace: float | None) -> PenSource:
    from penapp.device.virtual_ble import virtual_ble_pen
    from penapp.simulation.sources import DemoSource

    return virtual_ble_pen(DemoSource(once=True), speed=pace)
