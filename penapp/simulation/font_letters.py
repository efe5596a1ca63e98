"""One writer's own letters: glyphs taken from fonts, warped, leaned and rounded once, then kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penapp.simulation.font_style import WriterStyle
from penapp.simulation.fonts import Font, Glyph

STEP_MM = 0.12
"""Spacing of path points."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in mm from its origin, points STEP_MM apart.

    body:  strokes written at once
    marks: dots and bars that may wait until the word is written
    """

    advance_mm: float
    body: tuple[Points, ...]
    marks: tuple[Points, ...]


class LetterCase:
    """The writer's letters; each is made at its first use, always the same for one seed."""

    def __init__(self, fonts: Sequence[Font], style: WriterStyle, seed: int) -> None:
        self._font, self._others = fonts[0], list(fonts[1:])
        self._style, self._seed = style, seed
        self._letters: dict[str, Letter] = {}

    def __getitem__(self, letter: str) -> Letter:
        if letter not in self._letters:
            rng = np.random.default_rng((self._seed, ord(letter)))
            self._letters[letter] = self._make(letter, rng)
        return self._letters[letter]

    def _make(self, letter: str, rng: np.random.Generator) -> Letter:
        glyph, scale = self._pick(letter, rng)
        strokes = list(glyph.lifted if rng.random() < self._style.lift else glyph.strokes)
        if letter.islower() and rng.random() < self._style.join:
            strokes = _connected(letter, strokes)
        marks = [_is_mark(letter, stroke, len(strokes)) for stroke in strokes]
        shaped = self._shaped(strokes, scale, rng)
        body = self._habits([s for s, mark in zip(shaped, marks, strict=True) if not mark], rng)
        late = [s for s, mark in zip(shaped, marks, strict=True) if mark]
        advance = (
            glyph.advance * scale * self._style.width + self._style.letter_gap
        ) * self._style.ascender_mm
        return Letter(advance, tuple(body), tuple(late))

    def _pick(self, letter: str, rng: np.random.Generator) -> tuple[Glyph, float]:
        """The glyph, and what brings its small letters to the size of the writer's font."""
        if not self._others or rng.random() >= self._style.mixing:
            return self._font.glyph(letter), 1.0
        font = self._others[rng.integers(len(self._others))]
        return font.glyph(letter), (self._font.x_height / font.x_height if letter.islower() else 1.0)

    def _shaped(self, strokes: list[Points], scale: float, rng: np.random.Generator) -> list[Points]:
        style = self._style
        pieces = [resampled(stroke * scale, STEP_MM / style.ascender_mm) for stroke in strokes]
        xy = warped(np.concatenate(pieces), style.letter_warp, rng)
        lean = np.array([[style.width, 0.0], [style.slant, 1.0]])
        path = xy @ lean * style.ascender_mm
        cuts = np.cumsum([len(piece) for piece in pieces])[:-1]
        return [rounded(piece, style.rounding_mm) for piece in np.split(path, cuts)]

    def _habits(self, strokes: list[Points], rng: np.random.Generator) -> list[Points]:
        strokes = [s[::-1].copy() if rng.random() < self._style.reverse else s for s in strokes]
        if len(strokes) > 1 and rng.random() < self._style.reorder:
            k = rng.integers(len(strokes) - 1)
            strokes[k], strokes[k + 1] = strokes[k + 1], strokes[k]
        return strokes


def resampled(path: Points, step: float) -> Points:
    """Points about `step` apart along the polyline, at least 4."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    count = max(4, round(along[-1] / step) + 1)
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)


def warped(xy: Points, sigma: float, rng: np.random.Generator) -> Points:
    """A smooth random displacement of the plane: three waves of one to three ascender heights."""
    frequency = rng.normal(0, 2.6, (2, 6))
    phase = rng.uniform(0, 2 * np.pi, 6)
    waves = np.sin(xy @ frequency + phase)
    amplitude = rng.normal(0, sigma, (6, 2)) * np.sqrt(2 / 6)
    return np.asarray(xy + waves @ amplitude)


def rounded(path: Points, sigma_mm: float) -> Points:
    """Corners smoothed over `sigma_mm`; both ends stay where they are."""
    sigma = sigma_mm / STEP_MM
    half = min(round(3 * sigma), len(path) - 1)
    if half < 1:
        return path
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    mirrored = np.concatenate([2 * path[0] - path[half:0:-1], path, 2 * path[-1] - path[-2 : -half - 2 : -1]])
    return np.stack([np.convolve(mirrored[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)


def _connected(letter: str, strokes: list[Points]) -> list[Points]:
    """A letter's strokes drawn through where the pen need not leave the paper: a short way, or up a stem."""
    connected = [strokes[0]]
    for stroke in strokes[1:]:
        dx, dy = stroke[0] - connected[-1][-1]
        near = np.hypot(dx, dy) < 0.3 or (abs(dx) < 0.2 and 0 < dy < 1.0)
        if near and not _is_mark(letter, stroke, len(strokes)):
            connected[-1] = np.concatenate([connected[-1], stroke])
        else:
            connected.append(stroke)
    return connected


def _is_mark(letter: str, stroke: Points, count: int) -> bool:
    """Whether the stroke is a dot over the letter or the bar of a t or f."""
    width, height = np.ptp(stroke, axis=0)
    if count > 1 and letter in "ijäöüÄÖÜ":
        return bool(max(width, height) < 0.26 and stroke[:, 1].min() > 0.45)
    return bool(count > 1 and letter in "tf" and width > 2 * height)
