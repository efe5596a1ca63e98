"""`penapp convert`: recordings of other pens to our own streams."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  penapp convert person07/rec1 rec1.pen
  penapp convert --axes y,-x,z --rear-axes x,y,z sensor_data.csv rec1.pen
\b
IN is the folder of a STABILO challenge recording (sensor_data.csv and, where it
is there, calibration.txt) or its .csv. What had to be guessed is told on standard
error. `decode`, `live` and the window take IN as it is; converting fixes the axes.
Where labels.csv lies beside it, OUT.txt gets the text, for `penapp evaluate FOLDER`."""


@click.command(epilog=EPILOG)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT.pen", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--axes", metavar="X,Y,Z", help="Sensor axes along the pen's x, y, z: y,-x,z. [default: x,y,z]")
@click.option(
    "--rear-axes", metavar="X,Y,Z", help="The same for the rear accelerometer. [default: as --axes]"
)
def convert(source: Path, target: Path, axes: str | None, rear_axes: str | None) -> int:
    """Write the recording IN of another pen as a stream OUT.pen, with exact gaps."""
    from penapp.convert import convert_recording

    done = convert_recording(source, target, axes=axes, rear_axes=rear_axes)
    for note in done.notes:
        click.echo(f"penapp: {source}: {note}.", err=True)
    lost = f", {done.lost} lost ({done.loss_percent:.2f} %)" if done.lost else ", none lost"
    if done.text is not None:
        click.echo(f"penapp: what was written is in {done.text}, as `penapp evaluate` takes it.", err=True)
    click.echo(f"{target}: {done.samples} samples{lost}, {done.segments} segment(s)")
    return 0
