"""Words in the handwriting fonts that the operating system has: an optional source of pictures.

Nothing is shipped: the fonts of the packages below are used where somebody installed them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.training.images.look import Look, RenderConfig, draw_look, on_paper
from models.training.images.render import NARROWEST_PX
from penapp.errors import BadInputError

HANDWRITING_PACKAGES: dict[str, tuple[str, ...]] = {
    "fonts-breip": ("Breip.ttf",),
    "fonts-dancingscript": ("DancingScript-Regular.otf",),
    "fonts-dkg-handwriting": ("dkg.ttf",),
    "fonts-ecolier-court": ("Ecolier-court.ttf",),
    "fonts-klee": ("KleeOne-Regular.ttf",),
    "fonts-kristi": ("Kristi.ttf",),
    "fonts-rufscript": ("Rufscript*.ttf",),
    "fonts-sjfonts": ("Delphine.ttf", "SteveHand.ttf"),
}
"""Debian packages of handwriting in Latin letters, and the files in them that look written.

Fonts that write small letters as capitals (fonts-bwht, fonts-humor-sans) or boxes for marks
(fonts-femkeklaver) are left out.
"""

FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / ".fonts",
)
DRAWN_PX = 72
"""Size at which glyphs are drawn before they are turned and reduced."""
LEAST_HEIGHT = 0.35
"""Lower marks than this share of the font's size are not blown up to the height of a letter."""
UNKNOWN_LETTER = "\U0010fffe"
"""No font has this one: its picture is the font's sign for a missing letter."""


class GlyphFonts:
    """TrueType or OpenType fonts that draw pictures of words; falsy when there are none."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)

    @staticmethod
    def installed(folders: Sequence[Path] = FONT_FOLDERS) -> GlyphFonts:
        """The handwriting fonts under the folders; says so, once, where there are none."""
        patterns = {pattern for files in HANDWRITING_PACKAGES.values() for pattern in files}
        found = {path.name: path for f in folders for p in patterns for path in sorted(f.rglob(p))}
        if not found:
            print(
                "no handwriting font is installed, pictures come from recorded ink and single-stroke fonts; "
                f"to have some: apt install {' '.join(HANDWRITING_PACKAGES)}",
                file=sys.stderr,
            )
        return GlyphFonts([found[name] for name in sorted(found)])

    def __len__(self) -> int:
        return len(self.paths)

    def able(self, label: str) -> list[Path]:
        """The fonts that have every letter of the label."""
        return [path for path in self.paths if all(_has(path, letter) for letter in label)]

    def picture(self, label: str, config: RenderConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
        """The word in one of the fonts that can write it, varied as `render` varies ink: (H, W) uint8.

        The width of the line and its pressure are the font's, and its baseline is straight.

        Raises:
            BadInputError: no font has all its letters
        """
        able = self.able(label)
        if not able or not label.strip():
            raise BadInputError(
                f"no handwriting font here can write {label!r}.", advice="Use another source of pictures."
            )
        look = draw_look(config, rng)
        drawn = _turned(_drawn(_font(able[int(rng.integers(len(able)))]), label), look)
        return on_paper(np.float32(look.density) * _fitted(drawn, look, config), look, rng)


@lru_cache(maxsize=64)
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), DRAWN_PX)


@lru_cache(maxsize=8192)
def _has(path: Path, letter: str) -> bool:
    """Whether the font draws the letter: ink, and not the sign for a missing one."""
    font = _font(path)
    drawn, missing = (font.getmask(text, mode="L") for text in (letter, UNKNOWN_LETTER))
    ink = bytes(drawn)
    return any(ink) and (drawn.size, ink) != (missing.size, bytes(missing))


def _drawn(font: ImageFont.FreeTypeFont, label: str) -> Image.Image:
    """White letters on black, cut to their ink."""
    left, top, right, bottom = (int(v) for v in font.getbbox(label))
    room = DRAWN_PX // 2
    sheet = Image.new("L", (right - left + 2 * room, bottom - top + 2 * room))
    ImageDraw.Draw(sheet).text((room - left, room - top), label, fill=255, font=font)
    return sheet.crop(sheet.getbbox())


def _turned(drawn: Image.Image, look: Look) -> Image.Image:
    """Turn, slant and aspect of the look, cut to the ink again."""
    flip = np.diag([1.0, -1.0])
    forward = flip @ look.linear @ flip
    width, height = drawn.size
    corners = forward @ np.array([[0, width, 0, width], [0, 0, height, height]], dtype=np.float64)
    low, high = np.floor(corners.min(axis=1)), np.ceil(corners.max(axis=1))
    back = np.linalg.inv(forward)
    (a, b), (c, d) = back
    e, f = back @ low
    size = (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)
    turned = drawn.transform(size, Image.Transform.AFFINE, (a, b, e, c, d, f), Image.Resampling.BILINEAR)
    return turned.crop(turned.getbbox())


def _fitted(drawn: Image.Image, look: Look, config: RenderConfig) -> NDArray[np.float32]:
    """The word's ink (H, W) in 0-1 at the size of the picture, `widest` at most."""
    width, height = drawn.size
    scale = (config.height - 2 * look.margin_px) / max(height, LEAST_HEIGHT * DRAWN_PX)
    rows = max(round(height * scale), 1)
    columns = min(max(round(width * scale), 1), config.widest - 2 * round(look.margin_px))
    wide = max(columns + 2 * round(look.margin_px), NARROWEST_PX)
    ink = np.zeros((config.height, wide), dtype=np.float32)
    top, left = (config.height - rows) // 2, (wide - columns) // 2
    small = drawn.resize((columns, rows), Image.Resampling.BOX)
    ink[top : top + rows, left : left + columns] = np.asarray(small, dtype=np.float32) / 255.0
    return ink
