"""Which way a hand draws the strokes of a printed letter, in which order, and where it does not lift.

Plotter fonts start anywhere; a hand starts high or left, draws rings anticlockwise from the top and comes
back up a stem to add its arch. Coordinates in thousandths of the ascender height, x right, y up.
"""

from __future__ import annotations

import numpy as np

from penapp.simulation.font_strokes import TOUCH, Path, is_bar, recover_strokes, straightness

LEFT_FIRST = "adgqäuüyxXY"
ZIGZAG = "vwzVWZ"
"""Written in one go, from the left or the top."""
RISING = 200.0
"""A stroke that ends this much higher than it began is drawn the other way round."""
UPWARD_LETTERS = "NMÄAW"
"""Their zigzag may begin at the foot."""
LONGEST_RETRACE = 1100.0


def printed(letter: str, paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """The letter as written with retraces, and with the pen lifted instead."""
    strokes = [_directed(letter, stroke) for stroke in recover_strokes(paths, horizontal_only=False)]
    if letter in ZIGZAG:
        strokes = _chained(strokes)
    if letter in LEFT_FIRST:
        strokes.sort(key=lambda stroke: stroke[:, 0].min())
    else:
        strokes.sort(key=is_bar)
    return _linked(strokes), strokes


def _directed(letter: str, stroke: Path) -> Path:
    if np.hypot(*(stroke[0] - stroke[-1])) < TOUCH and len(stroke) > 4:
        return _ring(stroke)
    dx, dy = stroke[-1] - stroke[0]
    if straightness(stroke) > 0.95:
        backwards = dx < 0 if abs(dx) > 1.5 * abs(dy) else dy > 0
    elif letter in UPWARD_LETTERS or abs(dy) <= RISING:
        backwards = dx < -0.4 * np.ptp(stroke[:, 0]) and letter not in "sSCcG"
    else:
        backwards = dy > 0
    return stroke[::-1] if backwards else stroke


def _chained(strokes: list[Path]) -> list[Path]:
    """The stroke that begins leftmost and highest, and all that hang on its end, as one."""
    ends = [(end[0] - end[1], k, way) for k, s in enumerate(strokes) for end, way in ((s[0], 1), (s[-1], -1))]
    _, first, way = min(ends)
    chain, rest = strokes[first][::way], strokes[:first] + strokes[first + 1 :]
    for _ in strokes:
        touching = [k for k, s in enumerate(rest) for end in (s[0], s[-1]) if _near(end, chain[-1])]
        if touching:
            link = rest.pop(touching[0])
            chain = np.concatenate([chain, link if _near(link[0], chain[-1]) else link[::-1]])
    return [chain, *rest]


def _near(a: Path, b: Path) -> bool:
    return bool(np.hypot(*(a - b)) < 2 * TOUCH)


def _ring(stroke: Path) -> Path:
    """A closed line begins at its top and turns anticlockwise."""
    x, y = stroke[:-1].T
    area = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    points = stroke[:-1] if area >= 0 else stroke[:-1][::-1]
    points = np.roll(points, -int(np.argmax(points[:, 1] + 0.2 * points[:, 0])), axis=0)
    return np.concatenate([points, points[:1]])


def _linked(strokes: list[Path]) -> list[Path]:
    """Strokes that begin on the stroke before them are reached by going back along it."""
    linked: list[Path] = []
    for stroke in strokes:
        way = _way_back(linked[-1], stroke[0]) if linked and not is_bar(stroke) else None
        if way is None:
            linked.append(stroke)
        else:
            linked[-1] = np.concatenate([linked[-1], way, stroke])
    return linked


def _way_back(stroke: Path, target: Path) -> Path | None:
    """Points from the stroke's end back to `target` on it, if that way is short and steep."""
    a, ab = stroke[:-1], np.diff(stroke, axis=0)
    along = np.clip(((target - a) * ab).sum(1) / np.maximum((ab**2).sum(1), 1e-9), 0, 1)
    apart = np.linalg.norm(a + along[:, None] * ab - target, axis=1)
    near = np.flatnonzero(apart < TOUCH)
    if len(near) == 0:
        return None
    way = stroke[near[-1] + 1 :][::-1]
    dx, dy = target - stroke[-1]
    length = float(np.hypot(*np.diff(np.vstack([way, target]), axis=0).T).sum())
    steep = dy > 2 * abs(dx) or length < TOUCH
    return way[1:] if steep and length < LONGEST_RETRACE else None
