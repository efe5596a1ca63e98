"""`penapp evaluate`: error rates of a corpus through the live pipeline."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from penapp.cli.providers import provider_option
from penapp.errors import BadInputError

EPILOG = """\b
Examples:
  penapp evaluate unipen-words.npz --limit 600
  penapp evaluate unipen-words.npz --split test --words unseen --json > figures.json
  penapp evaluate my-pen.npz --by-writer --readings readings.jsonl
  penapp evaluate recorded-streams/
\b
With --json: the facts that pin the run (corpus and model hashes, provider, seed) and
`groups`, one object for each row of the table, in percent."""


@click.command("evaluate", epilog=EPILOG)
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
@click.option("--split", "splits", multiple=True, help="Splits of an ink file. [default: seen_writer, test]")
@click.option(
    "--words", type=click.Choice(["seen", "unseen", "other", "all"]), default="all", show_default=True
)
@click.option("--donor", "donors", multiple=True, type=int, help="Only words collected by this donor.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="At most so many words, spread evenly over the corpus."
)
@click.option(
    "--model", type=click.Path(exists=True, path_type=Path), help="Artefact folder. [default: shipped]"
)
@provider_option
@click.option(
    "--rate",
    "rate_hz",
    type=click.FloatRange(50.0, 400.0),
    default=100.0,
    show_default=True,
    help="Rate of the virtual pen, Hz.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of grips, pens and pauses.")
@click.option("--by-writer", is_flag=True, help="One row a writer as well.")
@click.option(
    "--readings",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every reading to this .jsonl file.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def evaluate(corpus: Path, as_json: bool, by_writer: bool, readings: Path | None, **options: Any) -> int:
    """Error rates of CORPUS through the live pipeline at batch 1, with the decoder on and off.

    CORPUS is an ink file (.npz in the layout of unipen-words; the virtual pen writes it, unpaced, over its
    real transport), a recordings file (.npz with x, n, label, writer, rate_hz) or a folder of recorded
    streams NAME.pen beside NAME.txt. Words are cut by the segmenter; all text read for one word is joined,
    nothing is dropped. Figures with the true boundaries stand beside.
    """
    from penapp.evaluation.report import as_table, table
    from penapp.evaluation.run import Options, evaluate_corpus, grouped

    if readings is not None:
        _write(readings, "")
    result = evaluate_corpus(corpus, Options(**options), _progress)
    rows = grouped(result, by_writer=by_writer)
    if readings is not None:
        _write(readings, "".join(json.dumps(line) + "\n" for line in result.lines()))
    if as_json:
        click.echo(
            json.dumps({**result.facts, "groups": [as_table(r) for r in rows]}, ensure_ascii=False, indent=1)
        )
    else:
        click.echo(table(rows))
        for name, value in result.facts.items():
            click.echo(f"{name}: {value}")
    return 0


def _write(path: Path, text: str) -> None:
    """Also called before the long work, so that a place that cannot be written is told at once."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(
            f"the readings cannot be written to {path}: {error.strerror}.", advice="Choose another place."
        ) from error


def _progress(sessions: Iterator[object], count: int) -> Iterator[object]:
    if not sys.stderr.isatty() or count < 3:
        yield from sessions
        return
    with click.progressbar(sessions, length=count, label="reading", file=sys.stderr) as bar:
        yield from bar
