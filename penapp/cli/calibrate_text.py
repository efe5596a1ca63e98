"""Calibrations and their progress as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calibration.procedure import StepResult
from calibration.progress import Progress
from calibration.sensor import Figure, PenCalibration
from calibration.steps import Step, Way

NEVER = 0
BAR = 24


def heading(step: Step, number: int, count: int) -> str:
    """What to do now."""
    return f"{number}/{count} {step.title}: {step.instruction}\n    It {step.why}."


def progress_line(progress: Progress) -> str:
    """One line: bar, numbers, what to do better."""
    full = round(progress.share * BAR)
    line = f"[{'#' * full}{'.' * (BAR - full)}] {progress.line}"
    if progress.level is not None:
        asked = progress.level
        way = "" if asked.way is Way.LOADING else ", on the way back"
        line += f"; now {asked.mass_g:.0f} g{way} (the sensor shows {asked.shown_n:.2f} N)"
    return f"{line}  {progress.problem}".rstrip()


def outcome(result: StepResult) -> str:
    """A step's figures, indented."""
    return "\n".join(f"    {row}" for row in _rows(result.figures))


def described(record: PenCalibration) -> str:
    """A record for people."""
    when = (
        "never calibrated"
        if record.date.timestamp() == NEVER
        else f"{record.date.astimezone():%Y-%m-%d %H:%M}"
    )
    parts = [f"Calibration of pen {record.pen_id}, {when}"]
    if record.temperature_c is not None:
        parts[0] += f", {record.temperature_c:.1f} °C"
    if record.software:
        parts[0] += f", {record.software}"
    return "\n".join([*parts, *_rows(record.figures)])


def compared(figures: Sequence[Figure]) -> str:
    """Errors of a simulated pen against the truth."""
    return "\n".join(["Against the truth of the virtual pen", *_rows(figures)])


def listed(record: PenCalibration, path: Path) -> str:
    """One line of --list."""
    return f"{record.pen_id}  {record.date.astimezone():%Y-%m-%d %H:%M}  {path}"


def _rows(figures: Sequence[Figure]) -> list[str]:
    width = max((len(figure.name) for figure in figures), default=0)
    return [f"  {figure.name:<{width}}  {_values(figure)}" for figure in figures]


def _values(figure: Figure) -> str:
    after = f"{number(figure.after)} {figure.unit}".rstrip()
    return after if figure.before is None else f"{number(figure.before)} -> {after}"


def number(value: float) -> str:
    """Three digits that matter, without exponents."""
    size = abs(value)
    if size >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"
