"""Calibrations on disk: one JSON file per record, written whole or not at all, the newest one counts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calibration.errors import (
    CalibrationNotSavedError,
    InvalidCalibrationError,
    NewerCalibrationError,
    UnreadableCalibrationError,
)
from calibration.sensor import FORMAT_VERSION, Correction, PenCalibration

_SENSORS = ("front", "rear", "gyro", "mag")
_REST = ("pen_id", "date", "force_zero_n", "force_scale", "format_version")


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
                advice="Move the file away and calibrate the pen again.",
            )
        return found

    def _of(self, pen_id: str) -> Path:
        readable = re.sub(r"[^A-Za-z0-9-]", "_", pen_id)[:40]
        return self._folder / f"{readable}-{hashlib.sha256(pen_id.encode()).hexdigest()[:8]}"


def write_calibration(calibration: PenCalibration, path: Path) -> None:
    """Write the file atomically: a reader sees the old content or the new, never a part."""
    content = asdict(calibration) | {"date": calibration.date.isoformat()}
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


def read_calibration(path: Path) -> PenCalibration:
    """The record in the file; a later format is refused, damage is named."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableCalibrationError(
            f"{path} cannot be read as a calibration ({error})",
            advice="Move the file away and calibrate the pen again.",
        ) from error
    _check_version(content, path)
    try:
        return _from_content(content)
    except (KeyError, TypeError, ValueError, InvalidCalibrationError) as error:
        raise UnreadableCalibrationError(
            f"{path} is no complete calibration ({type(error).__name__}: {error})",
            advice="Move the file away and calibrate the pen again.",
        ) from error


def _check_version(content: Any, path: Path) -> None:
    version = content.get("format_version") if isinstance(content, dict) else None
    if not isinstance(version, int) or version < 1:
        raise UnreadableCalibrationError(
            f"{path} names the format version {version!r}, expected {FORMAT_VERSION}",
            advice="Move the file away and calibrate the pen again.",
        )
    if version > FORMAT_VERSION:
        raise NewerCalibrationError(
            f"{path} has the format version {version}, this program reads up to {FORMAT_VERSION}",
            advice="Update the program, or move the file away and calibrate the pen again.",
        )


def _from_content(content: dict[str, Any]) -> PenCalibration:
    wrong = set(content) ^ {*_SENSORS, *_REST}
    if wrong:
        raise KeyError(f"missing or unknown: {', '.join(sorted(wrong))}")
    front, rear, gyro, mag = (_correction(content[name]) for name in _SENSORS)
    return PenCalibration(
        pen_id=str(content["pen_id"]),
        date=datetime.fromisoformat(content["date"]),
        front=front,
        rear=rear,
        gyro=gyro,
        mag=mag,
        force_zero_n=float(content["force_zero_n"]),
        force_scale=float(content["force_scale"]),
    )


def _correction(entry: dict[str, Any]) -> Correction:
    x, y, z = (float(v) for v in entry["offset"])
    a, b, c = ((float(r[0]), float(r[1]), float(r[2])) for r in entry["gain"])
    return Correction((x, y, z), (a, b, c))
