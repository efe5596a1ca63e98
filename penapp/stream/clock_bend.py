"""A slightly bent line below a cloud of points: linear programming with few knots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MILLI = 1e-3
STIFFNESS = 0.15
"""A bend of 1 ms at one knot must lift the line by 0.15 ms on average to pay."""


def bent_envelope(
    x: NDArray[np.float64], y: NDArray[np.float64], knots: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Heights (m,) at the m >= 2 knots of the highest polyline below the points (n,), bends being dear.

    Maximises mean(f(x)) - STIFFNESS * sum |change of slope at a knot| (as height) under f(x) <= y.
    """
    from scipy.optimize import linprog

    n, m = len(x), len(knots)
    at = _weights(x, knots)
    bend = np.zeros((m - 2, m))
    inner = np.arange(m - 2)
    for place, factor in enumerate((1.0, -2.0, 1.0)):
        bend[inner, inner + place] = factor
    size = -np.eye(m - 2)
    below = np.block([[at, np.zeros((n, m - 2))], [bend, size], [-bend, size]])
    limits = np.concatenate((y / MILLI, np.zeros(2 * (m - 2))))
    price = np.concatenate((-at.mean(axis=0), np.full(m - 2, STIFFNESS)))
    sides = [(-np.inf, np.inf)] * m + [(0.0, np.inf)] * (m - 2)
    solved = linprog(price, A_ub=below, b_ub=limits, bounds=sides, method="highs")
    if not solved.success or solved.x is None:
        raise ArithmeticError(f"no line below {n} points was found: {solved.message}")
    heights: NDArray[np.float64] = solved.x[:m] * MILLI
    return heights


def _weights(x: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m): what each knot counts at each point."""
    left = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    right_share = (x - knots[left]) / (knots[1] - knots[0])
    at = np.zeros((len(x), len(knots)))
    row = np.arange(len(x))
    at[row, left], at[row, left + 1] = 1.0 - right_share, right_share
    return at
