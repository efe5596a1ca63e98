"""`penapp decode`: recordings to text."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penapp.cli.providers import pipeline_on, provider_option
from penapp.cli.run_cli import failure_line

if TYPE_CHECKING:
    from penapp.live_types import MakePipeline
    from penapp.offline import DecodedRecording

EPILOG = """\b
Examples:
  penapp decode today.mcap
  penapp decode --json sessions/*.mcap > words.jsonl
\b
A file that cannot be read costs one line on standard error and exit code 1;
the others are decoded all the same. With --json each file is one object on
one line: {file, pen, text, words, samples, lost, loss_percent, damaged_frames},
or {file, error}."""


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file.")
@provider_option
def decode(files: tuple[Path, ...], as_json: bool, provider: str) -> int:
    """Turn recordings (FILE.mcap or FILE.pen) into text, through the same stages as the live pen."""
    return decode_all(files, pipeline_on(provider), as_json=as_json)


def decode_all(files: tuple[Path, ...], make_pipeline: MakePipeline, *, as_json: bool) -> int:
    """1 if a file failed, else 0."""
    failed = False
    for path in files:
        try:
            decoded = _decode(path, make_pipeline)
        except Exception as error:
            line = failure_line(error)
            if line is None:
                raise
            failed = True
            click.echo(line, err=True)
            if as_json:
                click.echo(json.dumps({"file": str(path), "error": str(error)}, ensure_ascii=False))
        else:
            _print(decoded, as_json=as_json, named=len(files) > 1)
    return int(failed)


def _decode(path: Path, make_pipeline: MakePipeline) -> DecodedRecording:
    from penapp.offline import decode_recording

    total = path.stat().st_size if path.is_file() else 0
    shown = total > 0 and sys.stderr.isatty()
    bar = click.progressbar(length=total, label=path.name, file=sys.stderr) if shown else nullcontext()
    with bar as progress:
        at = 0

        def on_progress(read_bytes: int) -> None:
            nonlocal at
            if progress is not None:
                progress.update(read_bytes - at)
            at = read_bytes

        return decode_recording(path, make_pipeline, on_progress)


def _print(decoded: DecodedRecording, *, as_json: bool, named: bool) -> None:
    if as_json:
        click.echo(json.dumps(_fields(decoded), ensure_ascii=False))
        return
    click.echo(f"{decoded.path}: {decoded.text}" if named else decoded.text)
    if decoded.counters.lost:
        percent = decoded.counters.loss_percent
        click.echo(f"penapp: {decoded.path}: {percent:.1f} % of the samples are missing.", err=True)
    if decoded.damaged_frames:
        stretches = f"{decoded.damaged_frames} damaged or cut-short frames were skipped"
        click.echo(f"penapp: {decoded.path}: {stretches}.", err=True)


def _fields(decoded: DecodedRecording) -> dict[str, object]:
    from penapp.cli.words import word_fields

    return {
        "file": str(decoded.path),
        "pen": decoded.pen_name,
        "text": decoded.text,
        "words": [word_fields(word) for word in decoded.words],
        "samples": decoded.counters.samples,
        "lost": decoded.counters.lost,
        "loss_percent": round(decoded.counters.loss_percent, 3),
        "damaged_frames": decoded.damaged_frames,
    }
