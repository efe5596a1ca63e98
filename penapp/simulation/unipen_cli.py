"""Command line of the UNIPEN importer."""

from __future__ import annotations

from pathlib import Path

import click

from penapp.errors import PenappError
from penapp.simulation.unipen_import import ImportReport, import_unipen, save_corpus


@click.command("import-unipen")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--level", default="WORD", show_default=True, help="Segments to take, for example CHARACTER.")
@click.option("--strict", is_flag=True, help="Fail when any file cannot be read.")
def import_unipen_command(folder: Path, out: Path, level: str, *, strict: bool) -> None:
    """Read the UNIPEN files in FOLDER (data/ and include/) into the ink file OUT.npz."""
    try:
        with click.progressbar(length=1000, label="reading") as bar:

            def advance(done: int, total: int) -> None:
                bar.update(max(0, 1000 * (done + 1) // total - bar.pos))

            corpus, report = import_unipen(folder, level=level, progress=advance)
        if strict and report.problems:
            raise click.ClickException(report.problems[0])
        save_corpus(corpus, out)
    except PenappError as error:
        raise click.ClickException(str(error)) from error
    _say(report, len(set(corpus.writer.tolist())), int(corpus.clock_ok.sum()), out)


def _say(report: ImportReport, writers: int, timed: int, out: Path) -> None:
    click.echo(f"{report.words} words of {writers} writers in {out}; {timed} with a credible clock and scale")
    for reason, count in sorted(report.skipped.items()):
        click.echo(f"left out: {count} ({reason})")
    for problem in report.problems[:10]:
        click.echo(f"unreadable: {problem}", err=True)
    if len(report.problems) > 10:
        click.echo(f"unreadable: {len(report.problems) - 10} more files", err=True)
