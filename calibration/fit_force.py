"""What the force sensor shows and what presses on it: levels on a kitchen scale, up and down again.

Force-sensitive resistors follow a power law with an offset, and lag behind when the load goes (hysteresis);
load cells are straight. A monotone curve through the means of both ways fits either:
F. N. Fritsch, R. E. Carlson, SIAM J. Numer. Anal. 17 (1980) 238.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.checks import check_limit
from calibration.errors import FitRefusedError, Reason
from calibration.force_curve import ForceCurve
from calibration.steps import Way

G_PER_N = 1000.0 / 9.81
MIN_MASSES = 5
MAX_UNSTEADY = 0.08
UNSTEADY_N = 0.03


@dataclass(frozen=True, slots=True)
class Level:
    """One steady load: mass_g on the scale, mean and spread of what is shown (N), which way it came."""

    mass_g: float
    shown_n: float
    sd_n: float
    way: Way


@dataclass(frozen=True, slots=True)
class ForceFit:
    """curve: shown to true newton; zero_n: shown without load; scale: straight line, true per shown.

    exponent:     shown - zero grows like true ** exponent (1 = straight); None below three loads
    before, rms:  error of the shown and of the corrected force at the levels, N
    hysteresis_n: largest difference, corrected, between the two ways at one mass; None for one way only
    drift_n:      corrected zero at the end minus at the beginning; None when it was measured once
    masses:       how many different ones, 0 not counted
    """

    curve: ForceCurve
    zero_n: float
    scale: float
    exponent: float | None
    before: float
    rms: float
    hysteresis_n: float | None
    drift_n: float | None
    masses: int


def fit_force(levels: Sequence[Level], *, limit: float | None = None) -> ForceFit:
    """At least five masses and the unloaded sensor. Refuses levels that do not rise with the mass."""
    _check_levels(levels, limit)
    masses = sorted({level.mass_g for level in levels})
    shown = [float(np.mean([v.shown_n for v in levels if v.mass_g == mass])) for mass in masses]
    true = [mass / G_PER_N for mass in masses]
    for mass, low, high in zip(masses[1:], shown, shown[1:], strict=False):
        if high <= low + 1e-4:
            raise FitRefusedError(
                Reason.NOT_MONOTONE,
                f"with {mass:.0f} g the sensor shows {high:.3f} N, no more than before ({low:.3f} N).",
                advice="Press with the tip, straight down, and wait until the scale shows the mass.",
            )
    curve = ForceCurve(tuple(shown), tuple(true))
    held_true = np.array([level.mass_g / G_PER_N for level in levels])
    held_shown = np.array([level.shown_n for level in levels])
    x, y = np.array(shown) - shown[0], np.array(true)
    return ForceFit(
        curve,
        zero_n=shown[0],
        scale=float(x @ y / (x @ x)),
        exponent=_exponent(x[1:], y[1:]),
        before=float(np.sqrt(np.mean((held_shown - held_true) ** 2))),
        rms=float(np.sqrt(np.mean((curve.apply(held_shown) - held_true) ** 2))),
        hysteresis_n=_hysteresis(levels, curve),
        drift_n=_drift(levels, curve),
        masses=len(masses) - 1,
    )


def _check_levels(levels: Sequence[Level], limit: float | None) -> None:
    if not np.isfinite([(v.mass_g, v.shown_n, v.sd_n) for v in levels]).all():
        raise FitRefusedError(Reason.NOT_FINITE, "a level is no finite number.", advice="Measure it again.")
    masses = {level.mass_g for level in levels}
    if 0.0 not in masses or len(masses) - 1 < MIN_MASSES:
        raise FitRefusedError(
            Reason.TOO_FEW,
            f"{len(masses - {0.0})} masses{'' if 0.0 in masses else ' and no level without load'}, "
            f"at least {MIN_MASSES} and the unloaded pen needed.",
            advice="Measure 0, 20, 50, 100, 200 and 400 g, and the same on the way back.",
        )
    for level in levels:
        if level.sd_n > UNSTEADY_N + MAX_UNSTEADY * level.shown_n:
            raise FitRefusedError(
                Reason.MOVED,
                f"the force was not steady at {level.mass_g:.0f} g ({level.sd_n:.2f} N of spread).",
                advice="Rest the hand on the table and hold for two seconds.",
            )
    check_limit(
        np.array([[level.shown_n] for level in levels]),
        limit,
        "force sensor",
        "Measure with smaller masses: this one is beyond the sensor's range.",
    )


def _exponent(shown: np.ndarray, true: np.ndarray) -> float | None:
    if len(shown) < 3 or shown[0] <= 0.0:
        return None
    return float(np.polyfit(np.log(true), np.log(shown), 1)[0])


def _hysteresis(levels: Sequence[Level], curve: ForceCurve) -> float | None:
    means = {
        way: {
            mass: float(np.mean([v.shown_n for v in levels if v.mass_g == mass and v.way is way]))
            for mass in {v.mass_g for v in levels if v.way is way and v.mass_g > 0.0}
        }
        for way in Way
    }
    both = sorted(set(means[Way.LOADING]) & set(means[Way.UNLOADING]))
    if not both:
        return None
    up, down = (np.array([means[way][mass] for mass in both]) for way in Way)
    return float(np.abs(curve.apply(up) - curve.apply(down)).max())


def _drift(levels: Sequence[Level], curve: ForceCurve) -> float | None:
    zeros = np.array([level.shown_n for level in levels if level.mass_g == 0.0])
    if len(zeros) < 2:
        return None
    first, last = curve.apply(zeros[[0, -1]])
    return float(last - first)
