"""A calibration as JSON content and back: format versions 1 and 2; the same content, packed, for the pen."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from calibration.errors import InvalidCalibrationError, NewerCalibrationError, UnreadableCalibrationError
from calibration.force_curve import ForceCurve
from calibration.sensor import FORMAT_VERSION, Correction, Figure, PenCalibration, Vector

_SENSORS = ("front", "rear", "gyro", "mag")
_VERSION_1 = {*_SENSORS, "pen_id", "date", "force_zero_n", "force_scale", "format_version"}
_VERSION_2 = _VERSION_1 | {
    "force_curve", "lever_arm_mm", "rotation_deg", "temperature_c", "figures", "software",
}  # fmt: skip
_FIELDS = {1: _VERSION_1, 2: _VERSION_2}
MAX_BLOB_BYTES = 1 << 16
AGAIN = "Move the file away and calibrate the pen again."


def to_content(calibration: PenCalibration) -> dict[str, Any]:
    """What goes into the file, in the newest format."""
    return asdict(calibration) | {"date": calibration.date.isoformat(), "format_version": FORMAT_VERSION}


def from_content(content: Any, where: str) -> PenCalibration:
    """The record in the content; `where` says in an error where it came from. A later format is refused."""
    version = _version(content, where)
    try:
        return _record(content, version)
    except (KeyError, TypeError, ValueError, InvalidCalibrationError) as error:
        raise UnreadableCalibrationError(
            f"{where} is no complete calibration ({type(error).__name__}: {error})", advice=AGAIN
        ) from error


def to_blob(calibration: PenCalibration) -> bytes:
    """The record as a pen keeps it (the wire adds a check sum): its JSON, compressed; about 1.5 kB."""
    text = json.dumps(to_content(calibration), separators=(",", ":"))
    return zlib.compress(text.encode(), 9)


def from_blob(blob: bytes) -> PenCalibration:
    """What `to_blob` made; UnreadableCalibrationError for anything else."""
    try:
        unpacked = zlib.decompressobj().decompress(blob, MAX_BLOB_BYTES)
        content = json.loads(unpacked)
    except (zlib.error, ValueError) as error:
        raise UnreadableCalibrationError(
            f"the {len(blob)} bytes kept by the pen are no calibration of ours ({error})",
            advice="Calibrate the pen again and write the result to it.",
        ) from error
    return from_content(content, "the pen's own copy")


def _version(content: Any, where: str) -> int:
    version = content.get("format_version") if isinstance(content, dict) else None
    if not isinstance(version, int) or version < 1:
        raise UnreadableCalibrationError(
            f"{where} names the format version {version!r}, expected {FORMAT_VERSION}", advice=AGAIN
        )
    if version > FORMAT_VERSION:
        raise NewerCalibrationError(
            f"{where} has the format version {version}, this program reads up to {FORMAT_VERSION}",
            advice="Update the program, or move the file away and calibrate the pen again.",
        )
    return version


def _record(content: dict[str, Any], version: int) -> PenCalibration:
    wrong = set(content) ^ _FIELDS[version]
    if wrong:
        raise KeyError(f"missing or unknown: {', '.join(sorted(wrong))}")
    front, rear, gyro, mag = (_correction(content[name]) for name in _SENSORS)
    plain = PenCalibration(
        pen_id=str(content["pen_id"]),
        date=datetime.fromisoformat(content["date"]),
        front=front,
        rear=rear,
        gyro=gyro,
        mag=mag,
        force_zero_n=float(content["force_zero_n"]),
        force_scale=float(content["force_scale"]),
    )
    return plain if version == 1 else _with_version_2(plain, content)


def _with_version_2(plain: PenCalibration, content: dict[str, Any]) -> PenCalibration:
    curve, temperature = content["force_curve"], content["temperature_c"]
    return replace(
        plain,
        force_curve=None if curve is None else ForceCurve(_row(curve["shown_n"]), _row(curve["true_n"])),
        lever_arm_mm=_maybe_vector(content["lever_arm_mm"]),
        rotation_deg=_maybe_vector(content["rotation_deg"]),
        temperature_c=None if temperature is None else float(temperature),
        figures=tuple(_figure(entry) for entry in content["figures"]),
        software=str(content["software"]),
    )


def _correction(entry: dict[str, Any]) -> Correction:
    a, b, c = (_vector(row) for row in entry["gain"])
    return Correction(_vector(entry["offset"]), (a, b, c))


def _figure(entry: dict[str, Any]) -> Figure:
    before = entry["before"]
    return Figure(
        str(entry["name"]),
        str(entry["unit"]),
        float(entry["after"]),
        None if before is None else float(before),
    )


def _vector(entry: Any) -> Vector:
    x, y, z = _row(entry)
    return x, y, z


def _maybe_vector(entry: Any) -> Vector | None:
    return None if entry is None else _vector(entry)


def _row(entry: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in entry)
