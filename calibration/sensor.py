"""What we know of one pen's sensors, and how it corrects the samples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from calibration.errors import InvalidCalibrationError, WrongChannelsError
from calibration.force_curve import ForceCurve

FORMAT_VERSION = 2
"""2: figures, lever arm, rotation, force curve, temperature and software version beside the corrections."""

CHANNEL_COUNT = 13
"""front accelerometer xyz, rear accelerometer xyz, gyroscope xyz, magnetometer xyz, force."""

MIN_DETERMINANT = 1e-3
"""A gain below this has lost an axis."""

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

NO_OFFSET: Vector = (0.0, 0.0, 0.0)
UNIT_GAIN: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def as_vector(values: NDArray[np.floating]) -> Vector:
    x, y, z = (float(v) for v in values)
    return x, y, z


def as_matrix(rows: NDArray[np.floating]) -> Matrix:
    a, b, c = (as_vector(row) for row in rows)
    return a, b, c


@dataclass(frozen=True, slots=True)
class Correction:
    """corrected = gain @ (measured - offset), for one sensor of three axes.

    offset: what the sensor reads where the truth is zero, in its own unit
    gain:   3x3 without unit, row by row: scale, skewed axes and mounting undone at once
    """

    offset: Vector = NO_OFFSET
    gain: Matrix = UNIT_GAIN

    def __post_init__(self) -> None:
        gain, offset = np.asarray(self.gain), np.asarray(self.offset)
        if gain.shape != (3, 3) or offset.shape != (3,):
            raise InvalidCalibrationError(
                f"a correction has offset {offset.shape} and gain {gain.shape}, expected (3,) and (3, 3)"
            )
        if not (np.isfinite(gain).all() and np.isfinite(offset).all()):
            raise InvalidCalibrationError(
                "a correction holds numbers that are not finite", advice="Calibrate the pen again."
            )
        if abs(np.linalg.det(gain)) < MIN_DETERMINANT:
            raise InvalidCalibrationError(
                "a gain maps three axes onto fewer (its determinant is nearly 0)",
                advice="Turn the pen about every axis while calibrating.",
            )

    def apply(self, measured: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) to (n, 3), each row by itself: sums written out, so that cutting cannot change a bit."""
        x, y, z = (measured[:, i] - self.offset[i] for i in range(3))
        return np.stack([g[0] * x + g[1] * y + g[2] * z for g in self.gain], axis=-1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of how good a fit is, for people: `after` the correction, and `before` it where that means
    something. The names are listed in docs/calibration.md.
    """

    name: str
    unit: str
    after: float
    before: float | None = None


@dataclass(frozen=True, slots=True)
class PenCalibration:
    """Corrections of one pen's thirteen channels.

    pen_id:  as the pen names itself
    date:    when it was measured, with time zone
    front, rear:  accelerometers; offset m/s2
    gyro:    offset rad/s
    mag:     hard iron (offset, uT) and soft iron (gain)
    force_zero_n:  newton shown without contact
    force_scale:   true newton per shown newton, > 0
    force_curve:   shown to true newton; where it is, it stands in place of zero and scale
    lever_arm_mm:  rear accelerometer minus front one, in the front's frame; None: not measured
    rotation_deg:  rear accelerometer against the front one (rotation vector); it is part of rear's gain
    temperature_c: of the pen, where it is known
    figures:       residuals, coverage, hysteresis, drift
    software:      what made the record
    """

    pen_id: str
    date: datetime
    front: Correction = Correction()
    rear: Correction = Correction()
    gyro: Correction = Correction()
    mag: Correction = Correction()
    force_zero_n: float = 0.0
    force_scale: float = 1.0
    force_curve: ForceCurve | None = None
    lever_arm_mm: Vector | None = None
    rotation_deg: Vector | None = None
    temperature_c: float | None = None
    figures: tuple[Figure, ...] = ()
    software: str = ""
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        if self.date.tzinfo is None:
            raise InvalidCalibrationError(f"the date {self.date} lacks a time zone, expected one (UTC)")
        if not np.isfinite([self.force_zero_n, self.force_scale]).all() or self.force_scale <= 0.0:
            raise InvalidCalibrationError(
                f"force zero {self.force_zero_n} N, scale {self.force_scale}: expected finite, scale above 0",
                advice="Calibrate the force sensor again.",
            )
        others = [v for v in (self.lever_arm_mm, self.rotation_deg) if v is not None]
        if not all(len(v) == 3 and np.isfinite(v).all() for v in others):
            raise InvalidCalibrationError("a lever arm or rotation is no three finite numbers")

    @property
    def is_identity(self) -> bool:
        """Nothing is corrected."""
        plain = all(c == Correction() for c in (self.front, self.rear, self.gyro, self.mag))
        straight = self.force_zero_n == 0.0 and self.force_scale == 1.0 and self.force_curve is None
        return plain and straight

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 13) SI units to (n, 13) float32; each row depends on itself alone."""
        if values.ndim != 2 or values.shape[1] != CHANNEL_COUNT:
            raise WrongChannelsError(f"samples have the shape {values.shape}, expected (n, {CHANNEL_COUNT})")
        measured = values.astype(np.float64)
        out = np.empty_like(measured)
        for i, correction in enumerate((self.front, self.rear, self.gyro, self.mag)):
            out[:, 3 * i : 3 * i + 3] = correction.apply(measured[:, 3 * i : 3 * i + 3])
        out[:, 12] = self._force(measured[:, 12])
        return out.astype(np.float32)

    def _force(self, shown_n: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.force_curve is not None:
            return self.force_curve.apply(shown_n)
        return (shown_n - self.force_zero_n) * self.force_scale


def identity(pen_id: str = "") -> PenCalibration:
    """The calibration of a pen of which nothing is known: it changes nothing."""
    return PenCalibration(pen_id, datetime.fromtimestamp(0, UTC))
