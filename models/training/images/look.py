"""How a picture of a word may look: the ranges, one drawing from them, and the paper it lies on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class RenderConfig:
    """What a picture varies in; a pair is a range to draw from evenly, the rest are largest amounts.

    height, widest: px; wider words are squeezed to `widest`
    margin_px:  free rows above and below the word, and columns beside it
    pen_px:     width of the line; density: darkness of its ink, 0-1
    pressure:   sd of a slow change along the line of darkness, and half of it of width
    slant:      dx per dy either way; turn_deg: rotation either way; aspect: width against height
    wave:       largest amplitude of a wavy baseline, of the word's height
    blur_px:    sd of the camera's blur, at most 0.8
    paper:      largest unevenness of the paper, 0-1; noise: sd of its grain
    ruled:      chance of a printed line
    """

    height: int = 32
    widest: int = 256
    margin_px: Range = (1.5, 4.5)
    pen_px: Range = (1.2, 2.8)
    density: Range = (0.55, 1.0)
    pressure: float = 0.2
    slant: float = 0.3
    turn_deg: float = 3.0
    aspect: Range = (0.75, 1.3)
    wave: float = 0.05
    blur_px: Range = (0.0, 0.7)
    paper: float = 0.15
    noise: Range = (0.0, 0.05)
    ruled: float = 0.15

    def __post_init__(self) -> None:
        if self.height < 8 or self.widest < self.height:
            raise BadInputError(
                f"pictures of {self.height} by at most {self.widest} px, expected 8 px or more of height and "
                "room for as much width."
            )
        if not 0.0 <= self.blur_px[0] <= self.blur_px[1] <= 0.8:
            raise BadInputError(f"blur_px = {self.blur_px}, expected a range within 0 to 0.8 px.")

    def plain(self) -> Self:
        """The same size without any variation: black ink of one width on white paper."""
        return replace(
            self,
            margin_px=(2.0, 2.0),
            pen_px=(1.8, 1.8),
            density=(1.0, 1.0),
            pressure=0.0,
            slant=0.0,
            turn_deg=0.0,
            aspect=(1.0, 1.0),
            wave=0.0,
            blur_px=(0.0, 0.0),
            paper=0.0,
            noise=(0.0, 0.0),
            ruled=0.0,
        )


@dataclass(frozen=True, slots=True)
class Look:
    """One picture's values of what RenderConfig gives ranges for.

    linear: (2, 2) turn, slant and aspect as one map of (x, y up) columns
    wave:   amplitude and wavelength in word heights, phase in rad
    shade:  darkness of the paper: at its middle, its change across and down, 0-1
    ruled:  row (0-1 of the height) and darkness of a printed line; darkness 0: none
    """

    margin_px: float
    pen_px: float
    density: float
    pressure: float
    linear: NDArray[np.float64]
    wave: tuple[float, float, float]
    blur_px: float
    shade: tuple[float, float, float]
    noise: float
    ruled: tuple[float, float]


def draw_look(config: RenderConfig, rng: np.random.Generator) -> Look:
    """One drawing of everything."""
    turn = np.radians(rng.uniform(-1.0, 1.0) * config.turn_deg)
    lean = np.array([[rng.uniform(*config.aspect), rng.uniform(-1.0, 1.0) * config.slant], [0.0, 1.0]])
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    wave = (rng.uniform(0.0, config.wave), rng.uniform(2.0, 6.0), rng.uniform(0.0, 2.0 * np.pi))
    shade = config.paper * rng.uniform([0.0, -0.5, -0.5], [0.7, 0.5, 0.5])
    printed = rng.uniform(0.1, 0.4) if rng.random() < config.ruled else 0.0
    return Look(
        margin_px=rng.uniform(*config.margin_px),
        pen_px=rng.uniform(*config.pen_px),
        density=rng.uniform(*config.density),
        pressure=config.pressure,
        linear=turned @ lean,
        wave=wave,
        blur_px=rng.uniform(*config.blur_px),
        shade=(float(shade[0]), float(shade[1]), float(shade[2])),
        noise=rng.uniform(*config.noise),
        ruled=(rng.uniform(0.55, 0.95), printed),
    )


def on_paper(ink: NDArray[np.float32], look: Look, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Ink (H, W) in 0-1 as a camera sees it on its sheet: (H, W) uint8, ink high, white paper 0."""
    height, width = ink.shape
    middle, across, down = look.shade
    paper = np.linspace(-across, across, width, dtype=np.float32)[None, :] + np.linspace(
        middle - down, middle + down, height, dtype=np.float32
    ).reshape(-1, 1)
    row, printed = look.ruled
    if printed:
        paper[int(row * (height - 1))] += np.float32(printed)
    np.clip(paper, 0.0, 1.0, out=paper)
    seen = _blurred(paper + (1.0 - paper) * ink, look.blur_px)
    if look.noise:
        seen += np.float32(look.noise) * rng.standard_normal(seen.shape, dtype=np.float32)
    return np.asarray(np.rint(np.clip(seen, 0.0, 1.0) * 255.0).astype(np.uint8))


def _blurred(picture: NDArray[np.float32], sd_px: float) -> NDArray[np.float32]:
    """A three-tap kernel of that variance along both axes; the edge repeats."""
    side = np.float32(0.5 * sd_px * sd_px)
    if side < 0.005:
        return picture
    padded = np.pad(picture, 1, mode="edge")
    rows = side * (padded[:-2] + padded[2:]) + (1 - 2 * side) * padded[1:-1]
    return np.asarray(side * (rows[:, :-2] + rows[:, 2:]) + (1 - 2 * side) * rows[:, 1:-1])
