"""`penapp calibrate`: what a pen's sensors get wrong, found step by step in the terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click

from calibration.errors import CalibrationError
from calibration.sensor import PenCalibration
from calibration.steps import STEPS, StepId
from penapp.errors import BadInputError

EPILOG = """\b
Examples:
  penapp calibrate                          the virtual pen, with its true errors beside what was found
  penapp calibrate --pen /dev/ttyACM0
  penapp calibrate --pen /dev/ttyACM0 --steps force
  penapp calibrate --pen /dev/ttyACM0 --show
  penapp calibrate --pen /dev/ttyACM0 --no-measure --write-to-pen
  penapp calibrate --import pen.json
\b
A step ends by itself when it has seen enough. On a real pen: Enter = the scale
shows the mass (step "force") or end the step now, s = skip, a = again from the
start, b = one level back, q = stop. Parts that are not measured again are kept.
Records lie in the user's data folder, one file each; old ones stay."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options that belong together."""

    pen: str
    speed: float | None
    steps: frozenset[StepId] | None
    temperature_c: float | None
    save: bool
    measure: bool
    write_to_pen: bool


@click.command(epilog=EPILOG)
@click.option(
    "--pen", default="virtual", show_default=True, metavar="PEN", help="As in `penapp live --help`."
)
@click.option(
    "--steps", metavar="LIST", help=f"Only these, with commas: {', '.join(s.id.value for s in STEPS)}."
)
@click.option("--speed", type=float, metavar="X", help="Pace of the virtual pen [20] or of a recording.")
@click.option("--temperature", type=float, metavar="C", help="Of the pen, kept with the record.")
@click.option("--dry-run", is_flag=True, help="Measure and show, save nothing.")
@click.option("--show", is_flag=True, help="Show the newest record of the pen; nothing is measured.")
@click.option("--list", "list_all", is_flag=True, help="List the records of all pens.")
@click.option("--export", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write the pen's newest record to a file.")  # fmt: skip
@click.option("--import", "import_from", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Take a record from a file; it names its own pen.")  # fmt: skip
@click.option("--no-measure", is_flag=True, help="With --write-to-pen: take the newest record as it is.")
@click.option("--write-to-pen", is_flag=True, help="Put a copy into the pen's own memory.")
@click.option("--read-from-pen", is_flag=True, help="Take the copy that the pen keeps.")
@click.option("--json", "as_json", is_flag=True, help="Records as JSON objects, one on a line.")
def calibrate(  # noqa: PLR0913  one argument for each option
    pen: str,
    steps: str | None,
    speed: float | None,
    temperature: float | None,
    dry_run: bool,
    show: bool,
    list_all: bool,
    export: Path | None,
    import_from: Path | None,
    no_measure: bool,
    write_to_pen: bool,
    read_from_pen: bool,
    as_json: bool,
) -> None:
    """Find what a pen's sensors get wrong, guided step by step, and keep it for this pen.

    About four minutes: rest, poses, tumble, force. When this pen connects again, its samples are corrected.
    """
    chosen = [show, list_all, export is not None, import_from is not None, read_from_pen]
    if sum(chosen) > 1 or (any(chosen) and write_to_pen):
        raise click.UsageError(
            "--show, --list, --export, --import, --read-from-pen and --write-to-pen exclude each other."
        )
    if no_measure and not write_to_pen:
        raise click.UsageError("--no-measure is for --write-to-pen.")
    wanted = Wanted(pen, speed, _steps(steps), temperature, not dry_run, not no_measure, write_to_pen)
    try:
        if list_all:
            _list(as_json)
        elif import_from is not None:
            _import(import_from, as_json)
        elif read_from_pen:
            _read_from_pen(wanted, as_json)
        elif show or export is not None:
            _show(wanted, export, as_json)
        else:
            _measure(wanted, as_json)
    except CalibrationError as error:
        raise BadInputError(error.args[0], advice=error.advice) from error


def _steps(text: str | None) -> frozenset[StepId] | None:
    if text is None:
        return None
    known = {step.id.value: step.id for step in STEPS}
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise click.UsageError(f"--steps is {text!r}, expected some of {', '.join(known)}.")
    return frozenset(known[name] for name in names)


def _list(as_json: bool) -> None:
    from penapp.calibrate import calibration_store
    from penapp.cli.calibrate_text import listed

    entries = calibration_store().entries()
    for entry in entries:
        if entry.record is not None:
            click.echo(_json(entry.record) if as_json else listed(entry.record, entry.path))
        else:
            click.echo(f"penapp: {entry.problem}", err=True)
    if not entries:
        click.echo("penapp: no pen was calibrated yet; `penapp calibrate --pen PEN` does it.", err=True)


def _import(path: Path, as_json: bool) -> None:
    from calibration.store import read_calibration
    from penapp.calibrate import calibration_store
    from penapp.cli.calibrate_text import described

    record = read_calibration(path)
    saved = calibration_store().save(record)
    click.echo(_json(record) if as_json else described(record))
    click.echo(f"penapp: kept as {saved}", err=True)


def _show(wanted: Wanted, export: Path | None, as_json: bool) -> None:
    from calibration.store import write_calibration
    from penapp.calibrate import calibration_store, pen_id_of
    from penapp.cli.calibrate_run import meet
    from penapp.cli.calibrate_text import described

    descriptor = meet(wanted.pen)
    record = calibration_store().newest(pen_id_of(descriptor))
    if record is None:
        raise BadInputError(
            f"the pen {descriptor.name!r} ({pen_id_of(descriptor)}) was never calibrated.",
            advice=f"`penapp calibrate --pen {wanted.pen}` does it.",
        )
    if export is not None:
        write_calibration(record, export)
        click.echo(f"penapp: written to {export}", err=True)
        return
    click.echo(_json(record) if as_json else described(record))


def _read_from_pen(wanted: Wanted, as_json: bool) -> None:
    from penapp.calibrate import calibration_store, pen_id_of
    from penapp.cli.calibrate_run import copy_of
    from penapp.cli.calibrate_text import described

    descriptor, record = copy_of(wanted.pen)
    if record is None:
        raise BadInputError(
            f"the pen {descriptor.name!r} keeps no calibration.",
            advice=f"`penapp calibrate --pen {wanted.pen} --write-to-pen` gives it one.",
        )
    if record.pen_id != pen_id_of(descriptor):
        raise BadInputError(
            f"the pen {pen_id_of(descriptor)} keeps the calibration of another pen, {record.pen_id}.",
            advice="Calibrate it and write the result to it.",
        )
    saved = calibration_store().save(record)
    click.echo(_json(record) if as_json else described(record))
    click.echo(f"penapp: kept as {saved}", err=True)


def _measure(wanted: Wanted, as_json: bool) -> None:
    from penapp.calibrate import calibration_store
    from penapp.cli.calibrate_run import Run
    from penapp.cli.calibrate_text import compared, described

    run = Run(wanted)
    record = run.go()
    click.echo(_json(record) if as_json else described(record))
    if run.truth and not as_json:
        click.echo(compared(run.truth))
    if wanted.save and wanted.measure:
        click.echo(f"penapp: kept as {calibration_store().save(record)}", err=True)


def _json(record: PenCalibration) -> str:
    from calibration.content import to_content

    return json.dumps(to_content(record), ensure_ascii=False)
