"""What the readers of the published layouts share: options, labels, pickled lists, folds by folder name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from models.training.archives.signals import Part, SignalSet
from models.training.archives.tree import Tree
from models.training.archives.unpickle import load_pickle
from penapp.errors import BadInputError

SYMBOLS = "0123456789+-\u00b7:="
"""The 15 classes of symbols and equations in their index order; the third last is the middle dot."""

SPLITS = {"train": "train", "val": "test", "test": "test"}
"""What the archives call val is what the literature reports as test: there is no third side."""

_PROTOCOL = re.compile(r"(?:^|[_-])(indep|dep)(?:[_-]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read.

    max_rows:   longer recordings are left out and counted (1,024 in the literature); None keeps all
    calibrated: raw recordings become SI units with their calibration.txt
    persons_hold_recordings: raw recordings lie one folder below a person's; None: judged by depth
    """

    max_rows: int | None = None
    calibrated: bool = False
    persons_hold_recordings: bool | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One published layout.

    expected: the files that tell it, for the message about unknown folders
    parts:    what a tree holds of this layout, nothing when it is another
    read:     one part
    """

    name: str
    expected: str
    parts: Callable[[Tree], list[Part]]
    read: Callable[[Tree, Part, ReadOptions], SignalSet]


def protocol_of(tree: Tree, name: str) -> str:
    """The folder nearest to the file that says dep or indep; BadInputError when none does."""
    for folder in reversed(tree.parts(name)[:-1]):
        found = _PROTOCOL.search(folder)
        if found:
            return found.group(1).lower()
    raise BadInputError(
        f"{tree.place(name)}: no folder above it is named dep or indep, so its folds have no meaning.",
        advice="Keep the published folder names, for example Words500_indep_R/0.",
    )


def fold_of(tree: Tree, name: str) -> str | None:
    """The number that names the file's folder; never its place in a listing."""
    folder = tree.parts(name)[-2]
    return folder if folder.isdigit() else None


def beside(folder: str, file: str) -> str:
    return f"{folder}/{file}" if folder else file


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def pickled_list(tree: Tree, name: str) -> Sequence[object]:
    """The list or array that a pickle holds."""
    with tree.open(name) as file:
        found = load_pickle(file, tree.place(name))
    return as_list(found, tree.place(name))


def as_list(found: object, place: str) -> Sequence[object]:
    """The items of a list or along the first axis of an array."""
    if isinstance(found, np.ndarray) and found.ndim > 0:
        return cast("Sequence[object]", found)
    if isinstance(found, list | tuple):
        return found
    raise BadInputError(
        f"{place} holds {type(found).__name__}, expected a list.", advice="Keep the published file names."
    )


def same_length(place: str, **lists: Sequence[object]) -> None:
    """BadInputError unless there is one label and one writer for each recording."""
    counts = {name: len(items) for name, items in lists.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise BadInputError(
            f"{place} holds {told}, expected as many of each.",
            advice="The files belong to different folds, or one was cut short.",
        )


def label_of(found: object, letters: str, where: str) -> str:
    """Text as it is; class numbers become letters, and the number after the last letter pads on the right."""
    if isinstance(found, str):
        return found
    codes = np.asarray(found)
    if codes.dtype.kind == "U":
        return "".join(codes.ravel().tolist())
    if codes.size and codes.dtype.kind not in "iu":
        raise BadInputError(f"{where}: the label is {found!r:.60}, expected text or class numbers.")
    numbers = [int(code) for code in codes.ravel()]
    while numbers and numbers[-1] == len(letters):
        numbers.pop()
    foreign = sorted({n for n in numbers if not 0 <= n < len(letters)})
    if foreign:
        raise BadInputError(
            f"{where}: class {foreign[0]} of {numbers} is outside the {len(letters)} letters.",
            advice=f"Expected 0 to {len(letters) - 1}, and {len(letters)} as padding on the right.",
        )
    return "".join(letters[n] for n in numbers)


def refuse_shared_writers(place: str, train: Sequence[object], test: Sequence[object]) -> None:
    """BadInputError when a writer-independent fold has a writer on both sides."""
    shared = sorted({str(w) for w in train} & {str(w) for w in test})
    if shared:
        raise BadInputError(
            f"{place} is writer-independent, but {len(shared)} writers are on both sides: "
            f"{', '.join(shared[:5])}.",
            advice="Train and test lists of different folds were mixed; unpack the archive anew.",
        )
