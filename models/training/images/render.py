"""Strokes of a pen become the picture of a word on paper, on the fly, differently every time.

Discs half a pixel apart along the line, each with the pen's width and darkness there, keep the darkest value
a pixel gets: anti-aliased, with a line that swells and fades, at a thousand pictures a second.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.training.images.look import Look, RenderConfig, draw_look, on_paper
from penapp.errors import BadInputError

STEP_PX = 0.5
"""Distance of neighbouring discs."""
NARROWEST_PX = 16
"""Width of the picture of a dot."""
LEAST_HEIGHT_MM = 2.5
"""Lower marks (a dash, a full stop) are not blown up to the height of a letter."""
FLOURISH = 1.2
"""Ink farther from the middle 96 % than this many of their heights is cut off; the word does not shrink."""
MOST_INK = 0.2
"""A thick pen writes no wider than would cover this share of the picture: small loops stay open."""
KNOT_PX = 9.0
"""Wavelength, roughly, of the changes of pressure."""

Points = NDArray[np.float64]


def render(
    strokes: Sequence[NDArray[np.floating]], config: RenderConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The picture of one word: (config.height, W) uint8, ink high, paper low, the word's top in the top rows.

    strokes: pen-down strokes, each (n, 2) mm, x to the right, y away from the writer

    The word is scaled to the height of the picture by its own height, as a text recogniser's line normaliser
    does; W follows from the word's width, at most config.widest.

    Raises:
        BadInputError: there is no point to draw
    """
    lengths = [len(stroke) for stroke in strokes if len(stroke)]
    if not lengths:
        raise BadInputError(
            "a word without ink has no picture.", advice="Draw only words whose strokes are known."
        )
    points = np.concatenate([stroke for stroke in strokes if len(stroke)]).astype(np.float64)
    look = draw_look(config, rng)
    path, width = _placed(points, look, config)
    first = np.cumsum([0, *lengths[:-1]])
    return on_paper(_inked(_dotted(path, first), (config.height, width), look, rng), look, rng)


def _placed(points: Points, look: Look, config: RenderConfig) -> tuple[Points, int]:
    """Points (n, 2) in px from the picture's upper left corner, y down, and the picture's width."""
    xy = points @ look.linear.T
    amplitude, wavelength, phase = look.wave
    if amplitude:
        height = max(float(np.ptp(xy[:, 1])), 1e-3)
        xy[:, 1] += amplitude * height * np.sin(xy[:, 0] * (2 * np.pi / (wavelength * height)) + phase)
    low, high = _extent(xy[:, 1])
    margin = look.margin_px + 0.5 * look.pen_px
    scale = (config.height - 2 * margin) / max(high - low, LEAST_HEIGHT_MM)
    y = 0.5 * config.height - (xy[:, 1] - 0.5 * (low + high)) * scale
    x = (xy[:, 0] - xy[:, 0].min()) * scale
    x *= min(1.0, (config.widest - 2 * margin) / max(float(x.max()), 1e-9))
    width = int(np.clip(np.ceil(x.max() + 2 * margin), NARROWEST_PX, config.widest))
    return np.column_stack([x + 0.5 * (width - x.max()), y]), width


def _extent(y: Points) -> tuple[float, float]:
    """Lowest and highest ink, without flourishes far outside the rest."""
    ordered = np.sort(y)
    cut = len(y) // 50
    low, high = float(ordered[cut]), float(ordered[-1 - cut])
    reach = FLOURISH * (high - low)
    return max(float(ordered[0]), low - reach), min(float(ordered[-1]), high + reach)


def _dotted(path: Points, first: NDArray[np.int64]) -> Points:
    """(m, 3): places STEP_PX apart along the strokes and each one's way from the word's beginning, px."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    steps[first[1:] - 1] = 0.0
    along = np.concatenate([[0.0], np.cumsum(steps)])
    ends = np.concatenate([first, first[1:] - 1, [len(path) - 1]])
    way = np.arange(0.5 * STEP_PX, along[-1], STEP_PX)
    between = np.column_stack([np.interp(way, along, path[:, 0]), np.interp(way, along, path[:, 1]), way])
    return np.concatenate([between, np.column_stack([path[ends], along[ends]])])


def _inked(dots: Points, shape: tuple[int, int], look: Look, rng: np.random.Generator) -> NDArray[np.float32]:
    """Darkness (H, W) of the line alone, 0-1: the darkest disc at each pixel."""
    height, width = shape
    change = _pressure(dots[:, 2], look.pressure, rng)
    roomy = MOST_INK * height * width / max(float(dots[:, 2].max()), 1.0)
    radius = (0.5 * min(look.pen_px, max(roomy, 1.0)) * np.clip(1.0 + 0.5 * change, 0.5, 1.5)).astype(
        np.float32
    )
    darkness = (look.density * np.clip(1.0 + change, 0.25, 1.0 / look.density)).astype(np.float32)
    half = int(np.ceil(radius.max()))
    inside = (dots[:, 1] >= 0) & (dots[:, 1] < height) & (dots[:, 0] >= 0) & (dots[:, 0] < width)
    x, y = dots[inside, 0].astype(np.float32), dots[inside, 1].astype(np.float32)
    column, row = x.astype(np.int64), y.astype(np.int64)
    reach = np.arange(-half, half + 1)
    across = (reach + np.float32(0.5) - (x - column)[:, None]) ** 2
    down = (reach + np.float32(0.5) - (y - row)[:, None]) ** 2
    distance = np.sqrt(down[:, :, None] + across[:, None, :])
    cover = np.clip(radius[inside, None, None] + np.float32(0.5) - distance, 0.0, 1.0)
    cover *= darkness[inside, None, None]
    stride = width + 2 * half
    canvas = np.zeros((height + 2 * half) * stride, dtype=np.float32)
    corner = (row + half) * stride + column + half
    places = corner[:, None, None] + reach[:, None] * stride + reach
    np.maximum.at(canvas, places.reshape(-1), cover.astype(np.float32).reshape(-1))
    return np.asarray(canvas.reshape(-1, stride)[half : half + height, half : half + width])


def _pressure(way: Points, strength: float, rng: np.random.Generator) -> Points:
    """Relative change of pressure at each way (px) along the line: slow, random, sd `strength`."""
    if not strength:
        return np.zeros(len(way))
    knots = rng.normal(0.0, strength, int(way.max() / KNOT_PX) + 2)
    return np.interp(way / KNOT_PX, np.arange(len(knots)), knots)
