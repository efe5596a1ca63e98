"""`penapp devices`: where a pen may be."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from penapp.device.discover import PenPlace

EPILOG = """\b
Examples:
  penapp devices                            serial ports at once, Bluetooth pens after 5 s
  penapp devices --no-ble                   without looking for Bluetooth pens
  penapp live --pen "$(penapp devices --json | jq -r 'map(select(.kind == "ble"))[0].address')"
\b
Ports that no list shows (pseudo-terminals, socket://HOST:PORT) and Bluetooth pens that were
not heard (ble:ADDRESS; ble: alone is the only pen that is near) can be given to --pen all the
same. The number behind a Bluetooth pen is its signal: -50 dBm is near, -90 dBm is far."""


@click.command(epilog=EPILOG)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 600.0),
    default=5.0,
    show_default=True,
    help="How long to listen for Bluetooth pens.",
)
@click.option("--no-ble", is_flag=True, help="Do not listen for Bluetooth pens.")
@click.option(
    "--json", "as_json", is_flag=True, help="A list of {kind, address, description, rssi_dbm (Bluetooth)}."
)
def devices(as_json: bool, seconds: float, no_ble: bool) -> None:
    """List the virtual pens, all serial ports and the Bluetooth pens nearby; nothing is opened."""
    from penapp.device.discover import PenKind, list_pens

    found = list_pens()
    places = found if no_ble else [*found, *_heard(seconds)]
    if as_json:
        click.echo(json.dumps([_fields(place) for place in places], ensure_ascii=False))
        return
    width = max(len(place.address) for place in places)
    for place in places:
        strength = "" if place.rssi_dbm is None else f"  {place.rssi_dbm} dBm"
        click.echo(f"{place.address:<{width}}  {place.description}{strength}")
    if not any(place.kind is PenKind.SERIAL for place in found):
        click.echo("penapp: no serial port is there; is the pen plugged in?", err=True)


def _heard(seconds: float) -> list[PenPlace]:
    """Bluetooth pens; what keeps us from hearing them is one line, not the end of the list."""
    from penapp.device.ble_errors import BluetoothError
    from penapp.device.discover import scan_pens

    try:
        heard = asyncio.run(scan_pens(seconds))
    except BluetoothError as error:
        click.echo(f"penapp: no Bluetooth pens are listed: {error}", err=True)
        return []
    if not heard:
        click.echo(f"penapp: no Bluetooth pen was heard in {seconds:g} s; is it switched on?", err=True)
    return heard


def _fields(place: PenPlace) -> dict[str, object]:
    fields: dict[str, object] = {
        "kind": place.kind.value,
        "address": place.address,
        "description": place.description,
    }
    return fields if place.rssi_dbm is None else {**fields, "rssi_dbm": place.rssi_dbm}
