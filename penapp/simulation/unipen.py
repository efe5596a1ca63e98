"""The public UNIPEN text format: files of keyword lines to pen components and labelled segments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError

MM_PER_INCH = 25.4
_KEYWORD = re.compile(r"\.([A-Z][A-Z0-9_]*)")
_SEGMENT = re.compile(r'\s*(\S+)\s+(\S+)(?:\s+(\S+?))?\s*(?:"((?:\\.|[^"\\])*)"\s*)?$', re.DOTALL)
_DEEPEST_INCLUDE = 8


class UnipenFormatError(BadInputError):
    """A UNIPEN file is not what the format says; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was said about the tablet and the writer before a component.

    coord:       meaning of the columns, for example ("X", "Y", "T")
    x_per_mm:    tablet units per mm across, 0 if not said
    y_per_mm:    likewise upwards
    rate_hz:     points per second, 0 if not said
    writer:      the file's own name of the writer
    hand:        "R", "L" or "?"
    """

    coord: tuple[str, ...] = ("X", "Y")
    x_per_mm: float = 0.0
    y_per_mm: float = 0.0
    rate_hz: float = 0.0
    writer: str = ""
    hand: str = "?"


@dataclass(frozen=True, slots=True)
class Component:
    """Consecutive points with the pen down, or in the air.

    xy: (n, 2) float64 tablet units, n >= 1, y upwards
    t_ms: (n,) float64 the file's own times, empty when it has none
    """

    xy: NDArray[np.float64]
    t_ms: NDArray[np.float64]
    down: bool
    recording: Recording

    @property
    def withheld(self) -> bool:
        """The publisher kept the ink back: a single point 0 0 stands in its place."""
        return len(self.xy) == 1 and not self.xy.any()


@dataclass(frozen=True, slots=True)
class Segment:
    """A label and the components it covers, as written, for example "0-3,5"."""

    level: str
    where: str
    quality: str
    label: str
    source: str


@dataclass(slots=True)
class UnipenFile:
    """One top file with all it includes; components are numbered through."""

    components: list[Component] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)

    def pieces(self, segment: Segment) -> list[Component]:
        """The components of a segment; a part like 2:5-4:10 cuts the first and the last one."""
        return [piece for part in segment.where.split(",") for piece in self._range(part, segment)]

    def _range(self, part: str, segment: Segment) -> Iterator[Component]:
        match = re.fullmatch(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?", part)
        if match is None:
            raise UnipenFormatError(f"{segment.source}: components {part!r}, expected something like 0-3")
        first, begin, last, end = match.groups()
        a, b = int(first), int(last or first)
        if not a <= b < len(self.components):
            raise UnipenFormatError(
                f"{segment.source}: components {part} of {segment.label!r}, but the file has "
                f"{len(self.components)}"
            )
        for k in range(a, b + 1):
            start = int(begin) if begin and k == a else 0
            stop = int(end) + 1 if end and k == b else None
            component = self.components[k]
            if len(component.xy[start:stop]):
                yield replace(component, xy=component.xy[start:stop], t_ms=component.t_ms[start:stop])


def read_unipen(path: Path, include_folder: Path) -> UnipenFile:
    """Parse a file and what it includes; UnipenFormatError names file and line of the first mistake."""
    parser = _Parser(include_folder)
    parser.read(path, depth=0)
    return parser.result


def unescaped(label: str) -> str:
    r"""A label without its escapes: ``\"`` is a quotation mark, ``\@`` an at sign."""
    return re.sub(r"\\(.)", r"\1", label, flags=re.DOTALL)


class _Parser:
    def __init__(self, include_folder: Path) -> None:
        self._include_folder = include_folder
        self._recording = Recording()
        self.result = UnipenFile()

    def read(self, path: Path, depth: int) -> None:
        for line, keyword, text in _statements(path):
            source = f"{path.name}:{line}"
            if keyword == "INCLUDE":
                self._include(text.strip(), source, path, depth)
            elif keyword in ("PEN_DOWN", "PEN_UP"):
                self._component(text, source, down=keyword == "PEN_DOWN")
            elif keyword == "SEGMENT":
                self.result.segments.append(_segment(text, source))
            else:
                self._recording = _noted(self._recording, keyword, text.split(), source)

    def _include(self, name: str, source: str, path: Path, depth: int) -> None:
        if depth >= _DEEPEST_INCLUDE:
            raise UnipenFormatError(f"{source}: includes nest deeper than {_DEEPEST_INCLUDE} files")
        for folder in (self._include_folder, path.parent):
            if (folder / name).is_file():
                self.read(folder / name, depth + 1)
                return
        raise UnipenFormatError(
            f"{source}: includes {name!r}, which is not in the folder include",
            advice="Unpack the whole data set: files in data/ need those in include/.",
        )

    def _component(self, text: str, source: str, *, down: bool) -> None:
        words = text.split()
        coord = self._recording.coord
        if not words:
            return
        try:
            rows = np.array(words, np.float64).reshape(-1, len(coord))
        except ValueError:
            raise UnipenFormatError(
                f"{source}: {len(words)} values in a component, expected numbers in rows of {' '.join(coord)}"
            ) from None
        xy = rows[:, [coord.index("X"), coord.index("Y")]]
        t_ms = rows[:, coord.index("T")] if "T" in coord else np.empty(0)
        self.result.components.append(Component(xy, t_ms, down, self._recording))


def _statements(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, keyword and text of every statement; text runs on to the next keyword line."""
    try:
        lines = path.read_text(encoding="latin-1").splitlines()
    except OSError as error:
        raise UnipenFormatError(f"{path} cannot be read ({error.strerror})") from error
    begin, keyword, text = 0, "", [""]
    for number, line in enumerate(lines, start=1):
        match = _KEYWORD.match(line)
        if match is None:
            text.append(line)
            continue
        if keyword:
            yield begin, keyword, "\n".join(text)
        begin, keyword, text = number, match[1], [line[match.end() :]]
    if keyword:
        yield begin, keyword, "\n".join(text)


def _segment(text: str, source: str) -> Segment:
    match = _SEGMENT.match(text)
    if match is None:
        raise UnipenFormatError(
            f'{source}: segment {text.strip()[:60]!r}, expected: LEVEL COMPONENTS QUALITY "label"'
        )
    level, where, quality, label = match.groups()
    return Segment(level, where, quality or "?", unescaped(label or ""), source)


def _noted(recording: Recording, keyword: str, words: list[str], source: str) -> Recording:
    """The recording after a header statement; keywords that say nothing about the ink change nothing."""
    if keyword == "COORD":
        if not {"X", "Y"} <= set(words):
            raise UnipenFormatError(f"{source}: columns {' '.join(words)!r}, expected X and Y among them")
        return replace(recording, coord=tuple(words))
    if keyword == "WRITER_ID":
        return replace(recording, writer=" ".join(words))
    if keyword == "HAND":
        return replace(recording, hand=words[0][0] if words and words[0][0] in "RL" else "?")
    scale = re.fullmatch(r"([XY])_POINTS_PER_(INCH|MM)", keyword)
    if scale:
        per_mm = _number(words, keyword, source) / (MM_PER_INCH if scale[2] == "INCH" else 1.0)
        return replace(recording, **{f"{scale[1].lower()}_per_mm": per_mm})  # type: ignore[arg-type]
    if keyword == "POINTS_PER_SECOND":
        return replace(recording, rate_hz=_number(words, keyword, source))
    return recording


def _number(words: list[str], keyword: str, source: str) -> float:
    try:
        value = float(words[0])
    except (IndexError, ValueError):
        raise UnipenFormatError(f"{source}: .{keyword} {' '.join(words)!r}, expected a number") from None
    return max(value, 0.0)
