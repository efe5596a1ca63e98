"""From plotter paths to pen strokes: cut the parts drawn twice, join what a hand writes in one go.

Single-stroke fonts are made for plotters, which run out and back along a bar instead of lifting the pen.
All coordinates are in thousandths of the ascender height, x right, y up.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.float64]
"""(n, 2) float64 points of one polyline."""

TOUCH = 22.0
"""Points nearer than this (thousandths of the ascender height) count as the same place."""
STRAIGHT_COS = 0.85
"""Two ends that meet within 32 degrees of a straight line are one stroke."""


def cut_retraces(path: Path, *, horizontal_only: bool) -> list[Path]:
    """The parts of `path` that are drawn for the first time, in order.

    horizontal_only: keep vertical retraces (a hand does go back up the stem of n and h).
    """
    path = _with_own_corners(path)
    pieces: list[list[Path]] = [[path[0]]]
    for k, (start, stop) in enumerate(pairwise(path)):
        flat = abs(stop[1] - start[1]) < 0.35 * abs(stop[0] - start[0])
        if (flat or not horizontal_only) and _drawn_before(path[: k + 1], start, stop):
            pieces.append([stop])
        else:
            pieces[-1].append(stop)
    return [np.array(piece) for piece in pieces if len(piece) > 1]


def recover_strokes(paths: list[Path], *, horizontal_only: bool) -> list[Path]:
    """Strokes without the retraces: straight continuations joined, bars last."""
    pieces: list[Path] = []
    for path in paths:
        cut = cut_retraces(path, horizontal_only=horizontal_only)
        pieces += (
            [path] if len(cut) == 1 and np.array_equal(cut[0][[0, -1]], path[[0, -1]]) else _rejoined(cut)
        )
    return sorted(pieces, key=is_bar)


def _with_own_corners(path: Path) -> Path:
    """The same line with a point wherever it passes one of its other points."""
    dense = [path[0]]
    for start, stop in pairwise(path):
        ab = stop - start
        length = max(float(np.hypot(*ab)), 1e-9)
        along, aside = (path - start) @ ab / length, (path - start) @ [-ab[1], ab[0]] / length
        on_it = (np.abs(aside) < TOUCH / 2) & (along > TOUCH) & (along < length - TOUCH)
        dense += [start + at / length * ab for at in np.unique(np.round(along[on_it] / TOUCH)) * TOUCH]
        dense.append(stop)
    return np.array(dense)


def _drawn_before(drawn: Path, start: Path, stop: Path) -> bool:
    if len(drawn) < 2 or np.hypot(*(stop - start)) < TOUCH:
        return False
    probes = start + np.linspace(0.25, 1.0, 4)[:, None] * (stop - start)
    a, ab = drawn[:-1], np.diff(drawn, axis=0)
    parallel = np.abs(ab @ (stop - start)) > 0.95 * np.hypot(*ab.T) * np.hypot(*(stop - start))
    if not parallel.any():
        return False
    a, ab = a[parallel], ab[parallel]
    along = np.einsum("pkd,kd->pk", probes[:, None] - a, ab) / np.maximum((ab**2).sum(1), 1e-9)
    nearest = a + np.clip(along, 0, 1)[..., None] * ab
    return bool((np.linalg.norm(probes[:, None] - nearest, axis=2).min(1) < TOUCH).all())


def _rejoined(pieces: list[Path]) -> list[Path]:
    """Split at corners where another piece ends, then join the straightest continuations, then the rest."""
    ends = np.array([end for piece in pieces for end in (piece[0], piece[-1])])
    parts = [part for piece in pieces for part in _split_at(piece, ends)]
    parts = _joined(parts, STRAIGHT_COS)
    return _joined(parts, -0.6, in_order=True)


def _split_at(piece: Path, nodes: Path) -> list[Path]:
    parts, begin = [], 0
    for k in range(1, len(piece) - 1):
        near = np.linalg.norm(nodes - piece[k], axis=1).min() < TOUCH
        if near and _cosine(piece[k] - piece[k - 1], piece[k + 1] - piece[k]) < STRAIGHT_COS:
            parts.append(piece[begin : k + 1])
            begin = k
    return [*parts, piece[begin:]]


def _joined(parts: list[Path], least_cos: float, *, in_order: bool = False) -> list[Path]:
    """Join end to end, best continuation first; `in_order`: only an end to a later part's start."""
    parts = list(parts)
    while True:
        options = [
            (cos, i, j, a, b)
            for (i, p), (j, q) in combinations(enumerate(parts), 2)
            for cos, a, b in _meetings(p, q, in_order=in_order)
            if cos > least_cos
        ]
        if not options:
            return parts
        _, i, j, a, b = max(options, key=lambda option: option[0])
        parts[i] = np.concatenate([a, b[1:]])
        del parts[j]


def _meetings(p: Path, q: Path, *, in_order: bool) -> list[tuple[float, Path, Path]]:
    """Ways in which p and q continue each other: cosine of the turn, first part, second part."""
    ways = [(p, q)] if in_order else [(p, q), (q, p), (p, q[::-1]), (p[::-1], q)]
    return [(_cosine(a[-1] - a[-2], b[1] - b[0]), a, b) for a, b in ways if np.hypot(*(a[-1] - b[0])) < TOUCH]


def _cosine(u: Path, v: Path) -> float:
    return float(u @ v / max(np.hypot(*u) * np.hypot(*v), 1e-9))


def is_bar(stroke: Path) -> bool:
    """Whether the stroke is a nearly straight, nearly level line."""
    width, height = np.ptp(stroke, axis=0)
    return bool(width > 150 and height < 0.35 * width and straightness(stroke) > 0.9)


def straightness(stroke: Path) -> float:
    """Distance of the ends over the length of the way, 0-1."""
    length = np.hypot(*np.diff(stroke, axis=0).T).sum()
    return float(np.hypot(*(stroke[-1] - stroke[0])) / max(length, 1e-9))
