"""Which layout a folder or a .zip has, and its parts read one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.training.archives.challenge import RAW_RECORDINGS
from models.training.archives.fau import FAU
from models.training.archives.layouts import Layout, ReadOptions
from models.training.archives.onhw_chars import CHARS_LEFT, CHARS_RIGHT
from models.training.archives.onhw_lists import SYMBOLS_EQUATIONS, WORDS500
from models.training.archives.signals import Part, SignalSet
from models.training.archives.tree import Tree, open_tree
from penapp.errors import BadInputError

LAYOUTS = (CHARS_RIGHT, CHARS_LEFT, SYMBOLS_EQUATIONS, WORDS500, RAW_RECORDINGS, FAU)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a path holds: its layout and the parts, ordered by source, fold and side."""

    path: Path
    layout: Layout
    parts: tuple[Part, ...]

    def chosen(
        self, source: str | None = None, fold: str | None = None, split: str | None = None
    ) -> list[Part]:
        """The parts asked for; BadInputError lists what there is when nothing fits."""
        found = [
            part
            for part in self.parts
            if source in (None, part.source) and fold in (None, part.fold) and split in (None, part.split)
        ]
        if not found:
            asked = ", ".join(
                f"{k} {v}" for k, v in (("source", source), ("fold", fold), ("split", split)) if v
            )
            raise BadInputError(
                f"{self.path} holds nothing of {asked}.",
                advice=f"It holds: {', '.join(map(str, self.parts))}.",
            )
        return found


def detect(path: Path) -> Finding:
    """The layout of a folder or .zip; BadInputError says what was found and what is known."""
    with open_tree(path) as tree:
        found = [(layout, parts) for layout in LAYOUTS if (parts := layout.parts(tree))]
        if len(found) > 1:
            raise BadInputError(
                f"{path} holds several layouts: {'; '.join(layout.name for layout, _ in found)}.",
                advice="Name the folder of one of them.",
            )
        if not found:
            raise _unknown(tree)
    layout, parts = found[0]
    _refuse_twice(path, parts)
    return Finding(path, layout, tuple(sorted(parts, key=_order)))


def read(
    path: Path,
    *,
    source: str | None = None,
    fold: str | None = None,
    split: str | None = None,
    options: ReadOptions | None = None,
) -> Iterator[SignalSet]:
    """The parts asked for, one after the other: an archive may not fit into memory whole."""
    finding = detect(path)
    chosen = finding.chosen(source, fold, split)
    with open_tree(path) as tree:
        for part in chosen:
            yield finding.layout.read(tree, part, options or ReadOptions())


def _order(part: Part) -> tuple[str, int, str, int]:
    number = int(part.fold) if part.fold and part.fold.isdecimal() else -1
    return part.source, number, part.fold or "", ("train", "all", "test").index(part.split)


def _refuse_twice(path: Path, parts: list[Part]) -> None:
    """Two folders for the same part: a copy beside the original would be counted twice."""
    folders: dict[tuple[str, str | None, str], str] = {}
    for part in parts:
        key = part.source, part.fold, part.split
        if key in folders:
            raise BadInputError(
                f"{path} holds {part} twice: in {folders[key] or '.'} and in {part.folder or '.'}.",
                advice="Name the folder of one of them.",
            )
        folders[key] = part.folder


def _unknown(tree: Tree) -> BadInputError:
    files = f"{len(tree.names)} files, such as {', '.join(tree.names[:3])}" if tree.names else "no files"
    known = "\n".join(f"  {layout.name}: {layout.expected}" for layout in LAYOUTS)
    return BadInputError(
        f"{tree.root} has no known layout; found {files}. Expected one of:\n{known}.",
        advice="Name the folder that holds these files, or the .zip as it was published.",
    )
