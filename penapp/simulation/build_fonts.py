"""Build `font_data/*.json` from single-stroke SVG fonts.

Run `python -m penapp.simulation.build_fonts SVG_FOLDER`; SVG_FOLDER is `share/inkscape/extensions/svg_fonts`
of Inkscape 1.2 (Debian package `inkscape`), which holds the EMS fonts (SIL Open Font License) and the Hershey
fonts. Runs once, by hand; its output is committed.
"""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError
from penapp.simulation.font_direction import printed
from penapp.simulation.font_strokes import recover_strokes

FONTS = ("EMSAllure", "EMSElfin", "EMSFelix", "EMSNixish", "EMSOsmotron", "EMSReadability", "EMSTech",
         "HersheySans1", "HersheyScript1")  # fmt: skip
"""The fonts that look like one pen line; their italics are the uprights leaned and add nothing."""
SCRIPTS = ("EMSAllure", "EMSFelix", "HersheyScript1")
"""Joined hands, whose designers drew the letters the way a hand does."""
BORROWED = {"HersheyScript1": ("HersheySans1", "0123456789.,?!-'", 0.2)}
"""Letters drawn with double lines: taken from another font, leaned by the given slant."""
OUR_ESZETT = (60, 0, 70, 250, 90, 600, 130, 800, 230, 900, 350, 870, 400, 760, 370, 640, 290, 560, 250, 510,
              300, 450, 390, 380, 440, 270, 420, 130, 330, 20, 220, -10, 150, 40)  # fmt: skip
"""Our own design of the letter ß in thousandths of the ascender height, for fonts that lack one."""
_SVG = "{http://www.w3.org/2000/svg}"
_TOKEN = re.compile(r"[MLCZ]|-?\d*\.?\d+(?:e-?\d+)?")

Paths = list[NDArray[np.float64]]


def build(svg_folder: Path, out_folder: Path) -> None:
    """Write one JSON file per font of FONTS."""
    for name in FONTS:
        font = convert(svg_folder, name)
        text = json.dumps(font, ensure_ascii=False, separators=(",", ":"))
        (out_folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def convert(svg_folder: Path, name: str) -> dict[str, object]:
    """One font: per letter advance and strokes (flat x, y lists), as drawn and with all retraces lifted."""
    glyphs = _read_svg(svg_folder / f"{name}.svg")
    if name in BORROWED:
        lender, letters, slant = BORROWED[name]
        glyphs |= _leaned(_read_svg(svg_folder / f"{lender}.svg"), letters, slant)
    unit = 1000.0 / _top(glyphs, "bdhkl")
    scaled = {c: (w * unit, [p * unit for p in paths]) for c, (w, paths) in glyphs.items()}
    _fill_missing(scaled)
    drawn = {
        c: _glyph(c, *scaled[c], script=name in SCRIPTS and c.isalpha()) for c in PENAPP_ALPHABET.letters
    }
    return {"name": name, "x_height": round(_top(scaled, "xznuv")), "glyphs": drawn}


def _glyph(letter: str, advance: float, paths: Paths, *, script: bool) -> dict[str, object]:
    marks = [p for p in paths if _is_dot(letter, p)]
    body = [p for p in paths if not _is_dot(letter, p)]
    if script:
        written, lifted = (recover_strokes(body, horizontal_only=flat) for flat in (True, False))
    else:
        written, lifted = printed(letter, body)
    entry: dict[str, object] = {"advance": round(advance), "strokes": _flat(written + marks)}
    if len(lifted) != len(written):
        entry["lifted"] = _flat(lifted + marks)
    return entry


def _is_dot(letter: str, path: NDArray[np.float64]) -> bool:
    return letter in "ijäöüÄÖÜ" and max(np.ptp(path, axis=0)) < 250 and path[:, 1].min() > 500


def _flat(paths: Paths) -> list[list[int]]:
    return [[int(v) for v in np.rint(path).ravel()] for path in paths]


def _top(glyphs: dict[str, tuple[float, Paths]], letters: str) -> float:
    return float(np.median([max(p[:, 1].max() for p in glyphs[c][1]) for c in letters]))


def _leaned(
    glyphs: dict[str, tuple[float, Paths]], letters: str, slant: float
) -> dict[str, tuple[float, Paths]]:
    lean = np.array([[1.0, 0.0], [slant, 1.0]])
    return {c: (glyphs[c][0], [p @ lean for p in glyphs[c][1]]) for c in letters}


def _fill_missing(glyphs: dict[str, tuple[float, Paths]]) -> None:
    """Umlauts from their base letter and two dots, ß from our own design; anything else is an error."""
    if "ß" not in glyphs:
        glyphs["ß"] = (500.0, [np.array(OUR_ESZETT, float).reshape(-1, 2)])
    for umlaut, base in zip("äöüÄÖÜ", "aouAOU", strict=True):
        if umlaut not in glyphs:
            advance, paths = glyphs[base]
            y = max(p[:, 1].max() for p in paths) + 160
            dots = [np.array([[x, y], [x, y - 40]]) for x in (0.35 * advance, 0.65 * advance)]
            glyphs[umlaut] = (advance, [*paths, *dots])
    missing = [c for c in PENAPP_ALPHABET.letters if c not in glyphs]
    if missing:
        raise BadInputError(f"the font has no glyphs for {''.join(missing)!r}, expected the whole alphabet")


def _read_svg(path: Path) -> dict[str, tuple[float, Paths]]:
    root = ET.parse(path).getroot()  # noqa: S314 - a font file that the maintainer chose
    glyphs = {}
    for node in root.iter(_SVG + "glyph"):
        letter, outline = node.get("unicode", ""), node.get("d")
        if letter in PENAPP_ALPHABET.letters and letter and outline:
            glyphs[letter] = (float(node.get("horiz-adv-x", "500")), _paths(outline))
    return glyphs


def _paths(outline: str) -> Paths:
    """Absolute M, L, C and Z commands to polylines; consecutive paths that touch stay apart."""
    paths: list[list[tuple[float, float]]] = []
    tokens, command, k = _TOKEN.findall(outline), "", 0
    while k < len(tokens):
        if tokens[k].isalpha():
            command, k = tokens[k], k + 1
            if command == "Z":
                paths[-1].append(paths[-1][0])
            continue
        count = 6 if command == "C" else 2
        xy = np.array(tokens[k : k + count], float).reshape(-1, 2)
        if command == "M":
            paths.append([])
            command = "L"
        points = _bezier(np.vstack([paths[-1][-1], xy])) if count == 6 else xy
        paths[-1] += [(float(x), float(y)) for x, y in points]
        k += count
    return [np.array(path) for path in paths if len(path) > 1]


def _bezier(control: NDArray[np.float64]) -> NDArray[np.float64]:
    u = np.linspace(0, 1, 9)[1:, None]
    weights = np.hstack([(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u**2 * (1 - u), u**3])
    return np.asarray(weights @ control)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(__file__).with_name("font_data"))
