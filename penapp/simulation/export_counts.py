"""What a simulated pen's sensors read, as a file that other pens can play: raw counts, nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from penapp.device.source import CountSource
from penapp.errors import BadInputError
from penapp.simulation.sources import DemoSource

_AT_ONCE = 4096


def write_counts(ink: CountSource, path: Path, *, at_most: int | None = None) -> int:
    """Write int16 little-endian rows in channel order; how many. BadInputError when the file cannot be made.

    at_most: samples after which to stop; None = until the source has nothing more
    """
    written = 0
    try:
        with path.open("wb") as file:
            while at_most is None or written < at_most:
                wanted = _AT_ONCE if at_most is None else min(_AT_ONCE, at_most - written)
                counts = ink.read(wanted)
                if counts is None:
                    break
                file.write(counts.astype("<i2").tobytes())
                written += len(counts)
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be written: {error.strerror}.", advice="Choose another place for the counts."
        ) from error
    return written


@click.command("export-counts")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--rate", "rate_hz", default=100.0, show_default=True, help="Samples per second.")
@click.option("--seed", default=1, show_default=True, help="Of grip, touch and pen.")
@click.option("--seconds", type=float, help="Stop after this long (default: all sentences once).")
def export_counts_command(path: Path, rate_hz: float, seed: int, seconds: float | None) -> None:
    """Write the demo's sentences as raw counts: int16 little-endian, 13 to a sample.

    The reference firmware plays them: `pen_sim --ink FILE`.
    """
    at_most = None if seconds is None else round(seconds * rate_hz)
    ink = DemoSource(rate_hz, seed=seed, once=True)
    written = write_counts(ink, path, at_most=at_most)
    print(f"{written} samples, {written / rate_hz:.0f} s at {rate_hz:g} Hz: {path}")
