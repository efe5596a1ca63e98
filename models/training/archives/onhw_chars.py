"""OnHW-chars: single letters, right-handed in 30 folds (.npy) and left-handed without folds (.pkl)."""

from __future__ import annotations

import re

from models.training.archives.layouts import (
    Layout,
    ReadOptions,
    as_list,
    beside,
    folder_of,
    label_of,
    pickled_list,
    same_length,
)
from models.training.archives.signals import Part, SetBuilder, SignalSet
from models.training.archives.tree import Tree
from models.training.archives.unpickle import load_npy
from penapp.decode.alphabet import ONHW_LETTERS

_FOLD = re.compile(r"onhw2_(lower|upper|both)_(dep|indep)_(\d+)")
_LETTERS = {
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "both": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
}
_LEFT = ("all_x_dat_imu.pkl", "all_gt.pkl", "list_ids.pkl")


def _right_parts(tree: Tree) -> list[Part]:
    parts = []
    for name in tree.names:
        *_, folder, file = tree.parts(name)
        fold = _FOLD.fullmatch(folder)
        if fold and file in ("X_train.npy", "X_test.npy"):
            case, protocol, number = fold.groups()
            split = file[2:].removesuffix(".npy")
            parts.append(Part(f"chars-{case}-{protocol}", number, split, folder_of(name)))
    return parts


def _read_right(tree: Tree, part: Part, options: ReadOptions) -> SignalSet:
    """The archive has no writer ids; its numbers are counts, without calibration."""
    names = [beside(part.folder, f"{kind}_{part.split}.npy") for kind in "Xy"]
    signals, labels = (_array(tree, name) for name in names)
    same_length(tree.place(names[0]), recordings=signals, labels=labels)
    builder = SetBuilder(part, tree.place(names[0]), _LETTERS[part.source.split("-")[1]], options.max_rows)
    for i, (signal, label) in enumerate(zip(signals, labels, strict=True)):
        where = f"{tree.place(names[1])}, item {i}"
        builder.add(signal, label_of(label, ONHW_LETTERS, where), None)
    return builder.done()


def _array(tree: Tree, name: str) -> list[object]:
    with tree.open(name) as file:
        return list(as_list(load_npy(file, tree.place(name)), tree.place(name)))


def _left_parts(tree: Tree) -> list[Part]:
    folders = [folder_of(name) for name in tree.names if tree.parts(name)[-1] == _LEFT[0]]
    return [Part("chars-left", None, "all", folder) for folder in folders if beside(folder, _LEFT[1]) in tree]


def _read_left(tree: Tree, part: Part, options: ReadOptions) -> SignalSet:
    """Counts; a list of ids that is shorter than the recordings names the writers, but not who wrote what."""
    x, gt, ids = (beside(part.folder, file) for file in _LEFT)
    signals, labels = pickled_list(tree, x), pickled_list(tree, gt)
    same_length(tree.place(x), recordings=signals, labels=labels)
    written_by = pickled_list(tree, ids) if ids in tree else []
    known = len(written_by) == len(signals)
    builder = SetBuilder(part, tree.place(x), _LETTERS["both"], options.max_rows)
    for i, (signal, label) in enumerate(zip(signals, labels, strict=True)):
        text = label_of(label, ONHW_LETTERS, f"{tree.place(gt)}, item {i}")
        builder.add(signal, text, str(written_by[i]) if known else None)
    return builder.done()


CHARS_RIGHT = Layout(
    "characters, right-handed",
    "onhw2_{lower|upper|both}_{dep|indep}_{0..4}/X_train.npy",
    _right_parts,
    _read_right,
)
CHARS_LEFT = Layout("characters, left-handed", "all_x_dat_imu.pkl with all_gt.pkl", _left_parts, _read_left)
