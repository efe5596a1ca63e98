"""`penapp devices`: where a pen may be."""

from __future__ import annotations

import json

import click

EPILOG = """\b
Examples:
  penapp devices
  penapp live --pen "$(penapp devices --json | jq -r '.[1].address')"
\b
Ports that no list shows (pseudo-terminals, socket://HOST:PORT) can be given to --pen all the same."""


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="A list of {kind, address, description}.")
def devices(as_json: bool) -> None:
    """List the virtual pen and all serial ports; nothing is opened."""
    from penapp.device.discover import list_pens

    places = list_pens()
    if as_json:
        fields = [{"kind": p.kind.value, "address": p.address, "description": p.description} for p in places]
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    width = max(len(place.address) for place in places)
    for place in places:
        click.echo(f"{place.address:<{width}}  {place.description}")
    if len(places) == 1:
        click.echo("penapp: no serial port is there; is the pen plugged in?", err=True)
