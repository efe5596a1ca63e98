"""What `--record` means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

RECORD_HELP = """Record to a new file: FILE.mcap, a session with everything in it, or FILE.pen, the pen's
bytes alone. Without FILE: a session named after the time, in your folder of sessions (`penapp sessions`)."""


def _new_recording(ctx: click.Context, param: click.Parameter, value: str | None) -> Path | None:
    """A name that can be recorded to; anything else is wrong usage."""
    from penapp.errors import BadInputError
    from penapp.live_recorder import recording_path
    from penapp.record.folder import new_session_path

    if value is None:
        return None
    if not value or Path(value).is_dir():
        return new_session_path(Path(value) if value else None)
    try:
        return recording_path(Path(value))
    except BadInputError as error:
        raise click.BadParameter(str(error), ctx, param) from error


record_option = click.option(
    "--record", is_flag=False, flag_value="", callback=_new_recording, metavar="[FILE]", help=RECORD_HELP
)


def tell_recovered(record_to: Path) -> None:
    """Repair what a killed program has left in the folder that is about to be recorded to."""
    from penapp.cli.sessions import salvaged_line
    from penapp.record.salvage import salvage

    for salvaged in salvage(record_to.parent):
        click.echo(f"penapp: {salvaged_line(salvaged)}", err=True)


@contextmanager
def telling_where(record_to: Path | None) -> Iterator[None]:
    """In the end, however it comes, say where the new recording is."""
    before = record_to is not None and record_to.exists()
    try:
        yield
    finally:
        if record_to is not None and not before and record_to.exists():
            click.echo(f"penapp: recorded to {record_to}", err=True)
