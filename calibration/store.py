"""Calibrations on disk: one JSON file per record, written whole or not at all, the newest one counts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from calibration.content import AGAIN, from_content, to_content
from calibration.errors import CalibrationError, CalibrationNotSavedError, UnreadableCalibrationError
from calibration.sensor import PenCalibration


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the store: its record, or why it cannot be read."""

    path: Path
    record: PenCalibration | None
    problem: str = ""


class CalibrationStore:
    """Records below one folder, a folder for each pen; old records are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, calibration: PenCalibration) -> Path:
        """Add the record; it is the newest of its pen if its date is."""
        moment = calibration.date.astimezone(UTC)
        path = self._of(calibration.pen_id) / f"{moment:%Y%m%dT%H%M%S%fZ}.json"
        write_calibration(calibration, path)
        return path

    def newest(self, pen_id: str) -> PenCalibration | None:
        """The latest record of this pen; None for a pen that was never calibrated."""
        records = sorted(self._of(pen_id).glob("*.json"))
        if not records:
            return None
        found = read_calibration(records[-1])
        if found.pen_id != pen_id:
            raise UnreadableCalibrationError(
                f"{records[-1]} belongs to the pen {found.pen_id!r}, expected {pen_id!r}",
                advice=AGAIN,
            )
        return found

    def entries(self) -> tuple[Entry, ...]:
        """Every file of every pen, the oldest first; damaged ones with their problem."""
        return tuple(_entry(path) for path in sorted(self._folder.glob("*/*.json"), key=lambda p: p.name))

    def _of(self, pen_id: str) -> Path:
        readable = re.sub(r"[^A-Za-z0-9-]", "_", pen_id)[:40]
        return self._folder / f"{readable}-{hashlib.sha256(pen_id.encode()).hexdigest()[:8]}"


def write_calibration(calibration: PenCalibration, path: Path) -> None:
    """Write the file atomically: a reader sees the old content or the new, never a part."""
    content = to_content(calibration)
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, suffix=".part", delete=False, encoding="utf-8"
        ) as file:
            temporary = file.name
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise CalibrationNotSavedError(
            f"the calibration could not be written to {path} ({error})",
            advice="Check the free space and the permissions of the folder.",
        ) from error


def _entry(path: Path) -> Entry:
    try:
        return Entry(path, read_calibration(path))
    except CalibrationError as error:
        return Entry(path, None, str(error))


def read_calibration(path: Path) -> PenCalibration:
    """The record in the file; a later format is refused, damage is named."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableCalibrationError(
            f"{path} cannot be read as a calibration ({error})",
            advice=AGAIN,
        ) from error
    return from_content(content, str(path))
