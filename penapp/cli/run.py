"""`penapp run`: the window where there is one, the terminal elsewhere."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from penapp.cli.recording import record_option

EPILOG = """\b
Examples:
  penapp run                    the virtual pen in the window
  penapp run --pen /dev/ttyACM0
  DISPLAY= penapp run           in the terminal, whatever is there"""


@click.command(epilog=EPILOG)
@click.option(
    "--pen", default="virtual", show_default=True, metavar="PEN", help="As in `penapp live --help`."
)
@record_option
@click.pass_context
def run(ctx: click.Context, pen: str, record: Path | None) -> int:
    """Start penapp with a pen connected: in the window where there is a display, else in the terminal."""
    problem = window_problem()
    if problem:
        click.echo(f"penapp: {problem}, so this is the terminal (the same as `penapp live`).", err=True)
        from penapp.cli.live import live

        ctx.invoke(live, pen=pen, record=record)
        return 0
    from penapp.app import main
    from penapp.cli.sources import VIRTUAL_NAMES

    arguments = ["--pen", "demo" if pen in VIRTUAL_NAMES else pen]
    return main([*arguments, "--record", str(record)] if record else arguments)


def window_problem() -> str:
    """Why the window cannot be shown; empty when it can."""
    from penapp.app import display_problem

    if find_spec("PySide6") is None:
        return "the window is not installed (`penapp[app]`)"
    return display_problem()
