"""From arguments to an exit code: the one place where errors become a line on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from penapp.cli.root import root

INTERRUPTED = 130


def run_cli(arguments: Sequence[str]) -> int:
    """0 all went well, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        return int(root.main(list(arguments), prog_name="penapp", standalone_mode=False) or 0)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        _silence_stdout()
        return 1
    except Exception as error:
        line = failure_line(error)
        if line is None:
            raise
        click.echo(line, err=True)
        return 1


def failure_line(error: Exception) -> str | None:
    """The line for an error that was made to be read; None for any other (a fault of ours)."""
    from firmware_protocol.errors import ProtocolError
    from penapp.errors import PenappError

    return f"penapp: {error}" if isinstance(error, PenappError | ProtocolError) else None


def _silence_stdout() -> None:
    """The reader of our output (`| head`) has gone: let nothing be flushed into it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
