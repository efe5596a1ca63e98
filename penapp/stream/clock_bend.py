"""A slightly bent line below a cloud of points: linear programming with few knots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MILLI = 1e-3
STIFFNESS = 0.1
"""A bend of 1 ms at one knot must lift the line by 0.1 ms on average to pay."""


def bent_envelope(
    x: NDArray[np.float64], y: NDArray[np.float64], knots: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Heights (m,) at the m >= 2 knots of the highest polyline below the points (n,), bends being dear.

    Maximises mean(f(x)) - STIFFNESS * sum |change of slope at a knot| (as height) under f(x) <= y.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, hstack, vstack

    n, m = len(x), len(knots)
    step = knots[1] - knots[0]
    left = np.clip(((x - knots[0]) // step).astype(np.int64), 0, m - 2)
    weight = (x - knots[left]) / step
    row = np.arange(n)
    at = coo_array(
        (np.r_[1.0 - weight, weight], (np.r_[row, row], np.r_[left, left + 1])), shape=(n, m)
    ).tocsr()
    inner = np.arange(m - 2)
    bend = coo_array(
        (
            np.r_[np.ones(m - 2), -2.0 * np.ones(m - 2), np.ones(m - 2)],
            (np.r_[inner, inner, inner], np.r_[inner, inner + 1, inner + 2]),
        ),
        shape=(m - 2, m),
    )
    size = coo_array((np.ones(m - 2), (inner, inner)), shape=(m - 2, m - 2))
    free = coo_array((n, m - 2))
    bounds_below = vstack([hstack([at, free]), hstack([bend, -size]), hstack([-bend, -size])])
    limits = np.r_[y / MILLI, np.zeros(2 * (m - 2))]
    price = np.r_[-np.asarray(at.sum(axis=0)).ravel() / n, np.full(m - 2, STIFFNESS)]
    sides = [(None, None)] * m + [(0.0, None)] * (m - 2)
    solved = linprog(price, A_ub=bounds_below.tocsr(), b_ub=limits, bounds=sides, method="highs")
    if not solved.success:
        raise ArithmeticError(f"no line below {n} points was found: {solved.message}")
    heights: NDArray[np.float64] = solved.x[:m] * MILLI
    return heights
