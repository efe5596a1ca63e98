"""`python -m penapp.simulation report | import-unipen | export-counts`."""

from __future__ import annotations

import click

from penapp.simulation.export_counts import export_counts_command
from penapp.simulation.report import report_command
from penapp.simulation.unipen_cli import import_unipen_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The virtual pen: what it resembles, and ink for it to write."""


main.add_command(report_command)
main.add_command(import_unipen_command)
main.add_command(export_counts_command)

if __name__ == "__main__":
    main(prog_name="python -m penapp.simulation")
