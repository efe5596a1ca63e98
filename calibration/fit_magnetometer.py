"""Hard and soft iron of the magnetometer, from a tumble: the earth's field has one length everywhere.

Algebraic start, robust geometric fit (soft L1, capped iterations), readings far off left out, least squares.
Whether the tumble has shown enough is asked before and after: see `fit_magnetometer`.
Sources: Merayo et al. 2000; Renaudin, Afzal, Lachapelle, J. Sensors 2010 (ellipsoid); Triggs et al. 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.checks import check_limit, checked
from calibration.coverage import CELLS, occupied
from calibration.ellipsoid import Ellipsoid, Refined, algebraic, refine
from calibration.errors import FitRefusedError, Reason
from calibration.sensor import Correction, as_matrix, as_vector

MIN_READINGS, MAX_READINGS = 300, 8000
MIN_COVERAGE = 0.75
MAX_CONDITION = 25.0
MAX_EXPECTED_DEG = 1.0
MAX_OUTLIERS = 0.15
MAX_RESIDUAL = 0.08
"""Share of the field: noise of the cheapest chips is 0.05 in a weak field."""
FIELD_UT = (15.0, 100.0)
"""The earth's is 22 to 67 uT."""
MAX_AXES = 2.5
OUTLIER_SIGMAS = 5.0

Array = NDArray[np.float64]
TUMBLE = "Keep turning the pen: end over end and about its long axis, until the whole sphere is filled."
AWAY = "Move away from steel, loudspeakers and chargers, and measure again."


@dataclass(frozen=True, slots=True)
class MagnetometerFit:
    """correction: uT, gain of determinant 1; field_ut: strength after correction.

    before, rms:   how far the length is from the field's, rms uT, raw and corrected
    coverage:      share of the 48 cells of the sphere that were visited
    expected_deg:  error of the direction to be expected in the worst direction
    condition:     of the least-squares problem; outliers: share of readings left out
    """

    correction: Correction
    field_ut: float
    before: float
    rms: float
    coverage: float
    expected_deg: float
    condition: float
    outliers: float


def fit_magnetometer(readings: NDArray[np.floating], *, limit: float | None = None) -> MagnetometerFit:
    """(n, 3) uT of a tumbling pen. Refuses a tumble that did not show at least 36 of the 48 cells, that
    leaves more than 1 degree of doubt in some direction, or that happened near iron.
    """
    every = checked(readings, MIN_READINGS, "readings of the magnetometer", TUMBLE)
    check_limit(every, limit, "magnetometer", AWAY)
    points = thinned(every)
    start = algebraic(points)
    if start is None:
        raise _cone("the readings do not close around a centre")
    _check_hopeful(points, start)
    fit, kept = _robust(points, start)
    gain = fit.ellipsoid.gain
    field = 1.0 / float(np.cbrt(np.linalg.det(gain)))
    coverage = float(np.mean(occupied(fit.ellipsoid.unit(points[kept]), at_least=2)))
    _check_enough(fit, coverage)
    _check_honest(fit, field, kept, gain)
    correction = Correction(as_vector(fit.ellipsoid.centre), as_matrix(gain * field))
    return MagnetometerFit(
        correction,
        field,
        before=float(np.sqrt(np.mean((np.linalg.norm(points, axis=1) - field) ** 2))),
        rms=float(np.sqrt(np.mean(fit.residual**2))) * field,
        coverage=coverage,
        expected_deg=float(np.degrees(fit.worst_across)),
        condition=fit.condition,
        outliers=1.0 - float(np.mean(kept)),
    )


def preview(readings: Array) -> Ellipsoid | None:
    """The algebraic fit alone, for showing coverage while the pen still tumbles; None when there is none.

    A fit whose field is not the earth's counts as none: a small patch of the sphere fits any radius.
    """
    if len(readings) < MIN_READINGS // 3:
        return None
    found = algebraic(readings)
    if found is None:
        return None
    radii = 1.0 / np.linalg.eigvalsh(found.gain)
    plausible = radii.min() > FIELD_UT[0] * 0.6 and radii.max() < FIELD_UT[1] * 1.6
    return found if plausible and radii.max() < MAX_AXES * radii.min() else None


def thinned(points: Array, most: int = MAX_READINGS) -> Array:
    """At most so many rows, evenly."""
    if len(points) <= most:
        return points
    return points[np.linspace(0, len(points) - 1, most).astype(np.intp)]


def _robust(points: Array, start: Ellipsoid) -> tuple[Refined, NDArray[np.bool_]]:
    sizes = np.abs(np.linalg.norm(start.unit(points), axis=1) - 1.0)
    soft = float(np.clip(1.5 * np.median(sizes), 1e-4, 0.1))
    fit = refine(points, start, soft=soft)
    fit = refine(points, fit.ellipsoid, soft=float(np.clip(1.5 * fit.sigma, 1e-4, 0.1)))
    kept = np.asarray(np.abs(fit.residual) <= OUTLIER_SIGMAS * fit.sigma)
    if kept.sum() < MIN_READINGS // 2:
        raise _cone("the readings lie on no ellipsoid")
    return refine(points[kept], fit.ellipsoid, soft=None), kept


def _check_hopeful(points: Array, start: Ellipsoid) -> None:
    """Clearly too little needs no long fit."""
    coverage = float(np.mean(occupied(start.unit(points), at_least=2)))
    if coverage < MIN_COVERAGE / 2:
        raise _few(coverage)


def _check_enough(fit: Refined, coverage: float) -> None:
    if coverage < MIN_COVERAGE:
        raise _few(coverage)
    expected = float(np.degrees(fit.worst_across))
    if expected > MAX_EXPECTED_DEG or fit.condition > MAX_CONDITION:
        raise _cone(
            f"the tumble leaves {expected:.1f} degrees of doubt in some direction "
            f"(condition {fit.condition:.0f})"
        )
    if not fit.converged:
        raise _cone("the readings do not settle on one ellipsoid")


def _check_honest(fit: Refined, field: float, kept: NDArray[np.bool_], gain: Array) -> None:
    low, high = FIELD_UT
    axes = np.linalg.eigvalsh(gain)
    if not low <= field <= high or axes[-1] > MAX_AXES * axes[0]:
        raise FitRefusedError(
            Reason.DISTURBED,
            f"the field would be {field:.0f} uT with axes {axes[-1] / axes[0]:.1f} to 1, "
            f"expected {low:.0f} to {high:.0f} uT and at most {MAX_AXES} to 1.",
            advice=AWAY,
        )
    outliers = 1.0 - float(np.mean(kept))
    rms = float(np.sqrt(np.mean(fit.residual**2)))
    if outliers > MAX_OUTLIERS or rms > MAX_RESIDUAL:
        raise FitRefusedError(
            Reason.DISTURBED,
            f"the field changed while the pen turned: {100 * outliers:.0f} % of the readings fit nowhere, "
            f"the others to {100 * rms:.0f} %.",
            advice=AWAY,
        )


def _few(coverage: float) -> FitRefusedError:
    seen, needed = round(coverage * CELLS), round(MIN_COVERAGE * CELLS)
    return _cone(f"the tumble has shown {seen} of {CELLS} directions, {needed} needed")


def _cone(found: str) -> FitRefusedError:
    return FitRefusedError(Reason.NOT_SPREAD, f"{found}.", advice=TUMBLE)
