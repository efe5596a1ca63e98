"""`penapp virtual-pen`: the virtual pen on its own, for another program or machine to open."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING

import click

from penapp.errors import BadInputError

if TYPE_CHECKING:
    from firmware_protocol.faults import Faults
    from penapp.device.carrier import Carrier
    from penapp.device.far_end import VirtualPen

EPILOG = """\b
Examples:
  penapp virtual-pen                          prints the name of a pseudo-terminal
  penapp virtual-pen --tcp 4000               for programs on this machine
  penapp virtual-pen --tcp 0.0.0.0:4000       for other machines too (nothing is encrypted)
  penapp virtual-pen --tcp 4000 --faults drop=0.02,corrupt=0.01,seed=3
\b
Open the address from another terminal:
  penapp live --pen socket://127.0.0.1:4000
\b
The pen writes while a host reads. When the host leaves, it waits for the next
one (over TCP). Faults are probabilities for each frame: drop, corrupt,
duplicate, reorder, truncate, rubbish, overrun; and responses=1 (damage answers
too), version=2, silent=1, no_samples=1, seed=N. Ctrl-C unplugs the pen."""


@click.command("virtual-pen", epilog=EPILOG)
@click.option("--tcp", metavar="[HOST:]PORT", help="Listen on a TCP port; 0 takes any free one.")
@click.option("--pty", is_flag=True, help="A pseudo-terminal (the default where the system has them).")
@click.option("--faults", "faults_text", metavar="NAME=VALUE,...", help="What goes wrong on the way.")
@click.option(
    "--rate", "rate_hz", type=click.FloatRange(50.0, 400.0), default=100.0, show_default=True, help="Hz."
)
@click.option("--speed", type=click.FloatRange(min=0.0, min_open=True), default=1.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The first line is {address, pen, rate_hz}.")
def virtual_pen(
    tcp: str | None,
    pty: bool,
    faults_text: str | None,
    rate_hz: float,
    speed: float,
    as_json: bool,
) -> int:
    """Plug in the virtual pen and print the address to open; it writes words of real people."""
    if tcp is not None and pty:
        raise click.UsageError("--tcp and --pty exclude each other.")
    faults = parse_faults(faults_text or "")
    pen = plugged_in(lambda: _carrier(tcp), rate_hz=rate_hz, speed=speed, faults=faults)
    try:
        told = {"address": pen.address, "pen": "penapp virtual pen", "rate_hz": rate_hz}
        click.echo(json.dumps(told) if as_json else pen.address)
        click.echo(f"penapp: open it with `penapp live --pen {pen.address}`; Ctrl-C unplugs it.", err=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("penapp: unplugged.", err=True)
    finally:
        pen.unplug()
    return 0


def parse_faults(text: str) -> Faults:
    """`drop=0.02,seed=3` as `Faults`; raises `BadInputError` that names what was not understood."""
    from firmware_protocol.faults import Faults

    kinds = {field.name: type(field.default) for field in fields(Faults)}
    found: dict[str, float | int | bool] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        name = name.strip().replace("-", "_")
        if name not in kinds:
            raise BadInputError(f"there is no fault {name!r}.", advice=f"Known: {', '.join(kinds)}.")
        found[name] = _number(part, value or "1", kinds[name])
    try:
        return Faults(**found)  # type: ignore[arg-type]
    except ValueError as error:
        raise BadInputError(str(error)) from error


def _number(part: str, value: str, kind: type) -> float | int | bool:
    try:
        number = float(value)
    except ValueError:
        raise BadInputError(
            f"fault {part!r} is not understood, expected NAME=NUMBER, such as drop=0.02."
        ) from None
    return bool(number) if kind is bool else int(number) if kind is int else number


def plugged_in(
    make_carrier: Callable[[], Carrier], *, rate_hz: float, speed: float, faults: Faults
) -> VirtualPen:
    """The pen on a carrier, its thread running; it writes its sentences over and over.

    The carrier is made last: nobody can connect before there is a pen that answers.
    """
    from firmware_protocol.virtual_pen import PenFirmware
    from penapp.device.far_end import VirtualPen
    from penapp.device.tcp_server import TcpServerCarrier
    from penapp.simulation.sources import DemoSource

    ink = DemoSource(rate_hz=rate_hz)
    firmware = PenFirmware(ink.descriptor, faults=faults)
    carrier = make_carrier()
    if isinstance(carrier, TcpServerCarrier):
        carrier.on_gone = firmware.disconnect
    return VirtualPen(ink, speed=speed, firmware=firmware, carrier=carrier)


def _carrier(tcp: str | None) -> Carrier:
    import os

    from penapp.device.carrier import PtyCarrier
    from penapp.device.tcp_server import TcpServerCarrier

    if tcp is None:
        return PtyCarrier() if hasattr(os, "openpty") else TcpServerCarrier()
    host, _, port = tcp.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise BadInputError(
            f"--tcp {tcp} is not understood, expected PORT or HOST:PORT with a port from 0 to 65535."
        )
    return TcpServerCarrier(host.strip("[]") or "127.0.0.1", int(port))
