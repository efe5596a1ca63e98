"""`python -m models.training.archives describe | convert | shard | characters`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from models.training.archives.catalogue import detect
from models.training.archives.catalogue import read as read_parts
from models.training.archives.characters import (
    KINDS,
    SPLITS,
    CharacterInk,
    CharacterPlan,
    character_shard,
    kind_of,
)
from models.training.archives.describe import describe
from models.training.archives.fau import write_fau
from models.training.archives.layouts import ReadOptions
from models.training.archives.raw_set import to_shard
from models.training.archives.recordings_file import write_recordings
from models.training.archives.units import in_si
from penapp.errors import BadInputError, PenappError

_ARCHIVE = click.Path(exists=True, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Data sets of the field in their published layouts, and isolated characters."""


@main.command("describe")
@click.argument("path", type=_ARCHIVE)
@click.option("--max-rows", type=click.IntRange(1), help="Leave out longer recordings (literature: 1024).")
@click.option("--calibrated", is_flag=True, help="Raw recordings: to SI units with calibration.txt.")
def describe_command(path: Path, max_rows: int | None, *, calibrated: bool) -> None:
    """Say what a folder or .zip holds: counts, writers, labels, what was left out and why."""
    for line in describe(path, ReadOptions(max_rows, calibrated)):
        click.echo(line)


@main.command("convert")
@click.argument("path", type=_ARCHIVE)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--to", "target", type=click.Choice(["fau", "recordings"]), required=True)
@click.option("--source", help="One of the archive's sources, as `describe` prints them.")
@click.option("--fold", help="One fold by its name.")
@click.option("--split", type=click.Choice(["train", "test", "all"]))
@click.option("--max-rows", type=click.IntRange(1), help="Leave out longer recordings (literature: 1024).")
@click.option("--calibrated", is_flag=True, help="Raw recordings: to SI units with calibration.txt.")
def convert_command(  # noqa: PLR0913 - one parameter per option
    path: Path,
    out: Path,
    target: str,
    source: str | None,
    fold: str | None,
    split: str | None,
    max_rows: int | None,
    *,
    calibrated: bool,
) -> None:
    """Write an archive as FAU folder (train.json, val.json, data/) or as recordings file in SI units.

    `penapp evaluate` reads the recordings file.
    """
    options = ReadOptions(max_rows, calibrated)
    one_source(path, source, fold, split)
    sets = read_parts(path, source=source, fold=fold, split=split, options=options)
    count = write_fau(sets, out) if target == "fau" else write_recordings(list(sets), out)
    click.echo(f"{out}: {count.recordings} recordings of {count.parts} parts, {count.left_out} left out")


@main.command("shard")
@click.argument("path", type=_ARCHIVE)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--source", help="One of the archive's sources, as `describe` prints them.")
@click.option("--fold", help="One fold by its name.")
@click.option("--split", type=click.Choice(["train", "test", "all"]))
def shard_command(path: Path, out: Path, source: str | None, fold: str | None, split: str | None) -> None:
    """Write one part of an archive as a shard: penapp's own features, cut where the archive cuts.

    A run reads it like any other shard, so that the shipped recogniser goes on training with real recordings
    (`train --start-from`). Counts are scaled without calibration unless a recording brings its own.
    """
    parts = list(read_parts(path, source=source, fold=fold, split=split, options=ReadOptions(None, True)))
    if len(parts) != 1:
        found = ", ".join(str(signals.part) for signals in parts) or "none"
        raise BadInputError(
            f"{path}: a shard holds one part, chosen are: {found}.",
            advice="Choose with --source, --fold and --split.",
        )
    shard = to_shard(in_si(parts[0]))
    shard.save(out)
    click.echo(f"{out}: {len(shard)} recordings of {parts[0].part}")


def one_source(path: Path, source: str | None, fold: str | None, split: str | None) -> None:
    """BadInputError before anything is read when several sources would be mixed."""
    sources = sorted({part.source for part in detect(path).chosen(source, fold, split)})
    if len(sources) > 1:
        raise BadInputError(
            f"{path} holds {len(sources)} sources: {', '.join(sources)}.", advice="Choose one with --source."
        )


@main.command("characters")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--ink", type=click.Path(exists=True, path_type=Path), required=True, help="unipen-chars .npz")
@click.option("--split", type=click.Choice(SPLITS), default="train", show_default=True)
@click.option("--seed", type=int, required=True)
@click.option("--limit", type=click.IntRange(1), default=1_000_000, help="Stop after so many characters.")
@click.option("--plain", is_flag=True, help="Donor's own shape, 100 Hz: for validation.")
@click.option("--cut", type=click.Choice(["given", "segmenter"]), default="given", show_default=True)
def characters_command(  # noqa: PLR0913 - one parameter per option
    out: Path, ink: Path, split: str, seed: int, limit: int, *, plain: bool, cut: str
) -> None:
    """Write a shard of isolated characters: the virtual pen writes them, the live stages read them."""
    plan = CharacterPlan(seed, plain, cut, limit)
    shard, written = character_shard(CharacterInk.load(ink), split, plan)
    shard.save(out)
    kinds = Counter(kind_of(str(label)) for label in shard.label)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS)
    click.echo(f"{out}: {len(shard)} characters cut of {written} written ({told})")


def run() -> int:
    """0 all went well, 1 failed (one line says what), 2 wrong usage."""
    try:
        return int(main.main(prog_name="python -m models.training.archives", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except PenappError as error:
        click.echo(f"models.training.archives: {error}", err=True)
        return 1


if __name__ == "__main__":
    sys.exit(run())
