"""`penapp` itself: the list of commands, each imported only when it is used."""

from __future__ import annotations

import logging
from importlib import import_module

import click

COMMANDS = {
    "run": ("penapp.cli.run:run", "The window, or the same in the terminal where there is no display."),
    "live": ("penapp.cli.live:live", "What the pen writes, as text in the terminal."),
    "devices": ("penapp.cli.devices:devices", "The pens and ports that can be used."),
    "sessions": ("penapp.cli.sessions:sessions", "What has been recorded, and whether it is whole."),
    "calibrate": ("penapp.cli.calibrate:calibrate", "What a pen's sensors get wrong, found and kept."),
    "decode": ("penapp.cli.decode:decode", "Recordings to text."),
    "virtual-pen": ("penapp.cli.virtual_pen:virtual_pen", "A pen to open from another program or machine."),
    "convert": ("penapp.cli.convert:convert", "Recordings of other pens to streams of ours."),
    "evaluate": ("penapp.cli.evaluate:evaluate", "Error rates of a corpus through the live pipeline."),
}
"""Name -> where the click command is, and its line in `penapp --help`."""

EPILOG = """\b
Examples:
  penapp                             open the window
  penapp live                        watch the virtual pen write
  penapp live --pen /dev/ttyACM0 --record today.mcap
  penapp decode today.mcap           read a recording again
\b
Exit codes: 0 all went well, 1 something failed (one line says what),
2 wrong usage, 130 stopped with Ctrl-C."""


class LazyGroup(click.Group):
    """Knows its commands by name; `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is a {type(command).__name__}, expected a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("-v", "--verbose", is_flag=True, help="Log changes of state on standard error.")
@click.version_option(package_name="penapp", prog_name="penapp")
@click.pass_context
def root(ctx: click.Context, verbose: bool) -> int:
    """Turn the movement of a sensor pen on ordinary paper into text, live.

    Without a command the window opens.
    """
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    if ctx.invoked_subcommand is None:
        from penapp.app import main

        return main([])
    return 0
