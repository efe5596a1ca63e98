"""Single-stroke fonts: letters as the strokes a pen would draw, in whole-font splits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError

FONT_FOLDER = Path(__file__).with_name("font_data")

Split = Literal["train", "heldout"]


@dataclass(frozen=True, slots=True)
class Glyph:
    """One letter; coordinates in ascender heights, x right from the letter's origin, y up from the baseline.

    advance: width to the next letter's origin
    strokes: each (n, 2) float64, in writing order; a hand's retraces kept
    lifted:  the same letter with the pen lifted instead of going back over a line
    """

    advance: float
    strokes: tuple[NDArray[np.float64], ...]
    lifted: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, slots=True)
class Font:
    """A named set of glyphs. x_height: height of a small x in ascender heights."""

    name: str
    x_height: float
    glyphs: Mapping[str, Glyph]

    def glyph(self, letter: str) -> Glyph:
        """The letter's glyph; BadInputError when the font lacks it."""
        try:
            return self.glyphs[letter]
        except KeyError:
            raise BadInputError(
                f"font {self.name} has no letter {letter!r}",
                advice="Write only letters of the penapp alphabet.",
            ) from None


def font_names(split: Split) -> list[str]:
    """The fonts of one split, by name; the table is `font_data/split.json`."""
    table: dict[str, str] = json.loads((FONT_FOLDER / "split.json").read_text(encoding="utf-8"))
    return sorted(name for name, part in table.items() if part == split)


@cache
def load_font(name: str) -> Font:
    """Read a shipped font once; BadInputError names the ones there are."""
    path = FONT_FOLDER / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FONT_FOLDER.glob("*.json") if p.stem != "split"))
        raise BadInputError(f"there is no font {name!r}", advice=f"Choose one of {known}.")
    raw = json.loads(path.read_text(encoding="utf-8"))
    glyphs = {letter: _glyph(entry) for letter, entry in raw["glyphs"].items()}
    return Font(raw["name"], raw["x_height"] / 1000, glyphs)


def load_fonts(split: Split) -> list[Font]:
    """All fonts of one split."""
    return [load_font(name) for name in font_names(split)]


def _glyph(entry: dict[str, list[list[int]]]) -> Glyph:
    strokes = _strokes(entry["strokes"])
    lifted = _strokes(entry["lifted"]) if "lifted" in entry else strokes
    return Glyph(float(np.asarray(entry["advance"])) / 1000, strokes, lifted)


def _strokes(flat: list[list[int]]) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.array(points, float).reshape(-1, 2) / 1000 for points in flat)
