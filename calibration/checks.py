"""What every fit asks of its input first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.errors import FitRefusedError, Reason

SATURATED_SHARE = 0.001
"""A sensor at its limit in more than this share of the samples does not tell the truth."""


def checked(points: NDArray[np.floating], at_least: int, what: str, advice: str) -> NDArray[np.float64]:
    """(n, k) finite float64 with enough rows, or a refusal that names what is missing."""
    found = np.asarray(points, dtype=np.float64)
    if not np.isfinite(found).all():
        raise FitRefusedError(
            Reason.NOT_FINITE,
            f"{what}: some measurements are not finite numbers.",
            advice="Reconnect the pen and measure again.",
        )
    if len(found) < at_least:
        raise FitRefusedError(
            Reason.TOO_FEW, f"{what}: {len(found)} found, at least {at_least} needed.", advice=advice
        )
    return found


def check_limit(values: NDArray[np.float64], limit: float | None, sensor: str, advice: str) -> None:
    """Refuse when the sensor stood at its limit; limit None = not known."""
    if limit is None or not values.size:
        return
    share = float(np.mean((np.abs(values) >= 0.995 * limit).any(axis=-1)))
    if share > SATURATED_SHARE:
        raise FitRefusedError(
            Reason.SATURATED,
            f"the {sensor} stood at its limit of {limit:.4g} in {100 * share:.1f} % of the samples.",
            advice=advice,
        )
