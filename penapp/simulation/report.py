"""How honest is the virtual pen: one page with simulated beside measured figures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import click

from penapp.errors import PenappError
from penapp.simulation.demo_ink import DEMO_INK
from penapp.simulation.ink import InkCorpus
from penapp.simulation.measured import measured
from penapp.simulation.pen import SIMULATOR_VERSION
from penapp.simulation.sanity import Check, Recording, check, simulated_set

PICTURE, PAGE = "simulation-report.png", "index.html"

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; padding: 0 1rem; }
img { width: 100%; } table { border-collapse: collapse; } td, th { padding: .2rem .7rem; text-align: left; }
tr:nth-child(even) { background: #f3f3f3; } .out { color: #b03a00; } .number { text-align: right; }
"""


@click.command("report")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("simulation-report"),
    show_default=True,
    help="Folder for the page and its picture.",
)
@click.option("--words", type=click.IntRange(min=12), default=600, show_default=True, help="Words to write.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--ink",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ink file (.npz) to write; the shipped words by default.",
)
def report_command(out: Path, words: int, seed: int, ink: Path | None) -> None:
    """Draw simulated spectra, force, pose and pen-ups beside the measured ones."""
    try:
        recordings = _write(InkCorpus.load(ink or DEMO_INK), words, seed)
        checks = check(recordings)
        page = write_report(recordings, checks, out)
    except PenappError as error:
        raise click.ClickException(str(error)) from error
    held = sum(c.holds for c in checks)
    click.echo(f"{page}: {len(recordings)} virtual writers, {held} of {len(checks)} ranges hold")
    for c in checks:
        if not c.holds:
            known = c.reason or "not explained"
            click.echo(
                f"outside: {c.name} {c.q50:.3g}, measured {c.low:.3g} to {c.high:.3g} ({known})", err=True
            )


def write_report(recordings: Sequence[Recording], checks: Sequence[Check], out: Path) -> Path:
    """The page and its picture in the folder `out`; returns the page's path."""
    from penapp.simulation.report_plots import draw

    words = sum(len(r.session.words) for r in recordings)
    title = (
        f"Virtual pen, simulator version {SIMULATOR_VERSION}: {words} words by {len(recordings)} writers, "
        "beside real pens"
    )
    figure = draw(recordings, checks, title)
    try:
        out.mkdir(parents=True, exist_ok=True)
        figure.savefig(out / PICTURE)
        (out / PAGE).write_text(_page(title, checks), encoding="utf-8")
    except OSError as error:
        raise PenappError(
            f"the report cannot be written to {out} ({error})", advice="Choose a folder with --out."
        ) from error
    return out / PAGE


def _write(corpus: InkCorpus, words: int, seed: int) -> list[Recording]:
    with click.progressbar(length=words, label="writing") as bar:
        recordings = []
        for recording in simulated_set(corpus, words, seed):
            recordings.append(recording)
            bar.update(len(recording.session.words))
    return recordings


def _page(title: str, checks: Sequence[Check]) -> str:
    rows = "\n".join(_row(c) for c in checks)
    sources = "".join(f"<li><b>{escape(k)}</b>: {escape(v)}</li>" for k, v in measured()["sources"].items())
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>
<h1>{escape(title)}</h1>
<p>These figures say how much the virtual pen resembles real ones; they are no accuracy on a real pen.</p>
<img src="{PICTURE}" alt="simulated beside measured figures">
<h2>Ranges over real people</h2>
<table><tr><th>figure<th>measured<th>simulated 10 %<th>50 %<th>90 %<th>median inside</tr>
{rows}
</table>
<h2>Where the measured figures come from</h2>
<p>{escape(measured()["provenance"])}</p><p>{escape(measured()["sanity_ranges"]["how"])}</p><ul>{sources}</ul>
</html>
"""


def _row(c: Check) -> str:
    verdict = "yes" if c.holds else f"no: {escape(c.reason or 'not explained')}"
    numbers = "".join(f'<td class="number">{v:.3g}' for v in (c.q10, c.q50, c.q90))
    style = "" if c.holds else ' class="out"'
    return f"<tr{style}><td>{escape(c.name)}<td>{c.low:.3g} to {c.high:.3g}{numbers}<td>{verdict}</tr>"
