"""OnHW words500, equations and symbols: pickled lists of recordings, labels and writers, train and val."""

from __future__ import annotations

import re

from models.training.archives.layouts import (
    SPLITS,
    SYMBOLS,
    Layout,
    ReadOptions,
    beside,
    fold_of,
    folder_of,
    label_of,
    pickled_list,
    protocol_of,
    refuse_shared_writers,
    same_length,
)
from models.training.archives.signals import Part, SetBuilder, SignalSet
from models.training.archives.tree import Tree
from penapp.decode.alphabet import ONHW_LETTERS

_WORDS = re.compile(r"all_x_dat_(train|val)_imu\.pkl")
_SYMBOLS = re.compile(r"all_x_dat_(train|val)_imu_(s|e|es)\.pkl")
_HAND = re.compile(r"_([RL])$")
_KINDS = {"s": "symbols", "e": "equation-slices", "es": "equations-recut"}
_SUFFIXES = {kind: f"_{suffix}" for suffix, kind in _KINDS.items()}


def _word_parts(tree: Tree) -> list[Part]:
    parts = []
    for name in tree.names:
        found = _WORDS.fullmatch(tree.parts(name)[-1])
        if found:
            source = f"{_content(tree, name)}-{protocol_of(tree, name)}-{_hand(tree, name)}"
            parts.append(Part(source, fold_of(tree, name), SPLITS[found.group(1)], folder_of(name)))
    return parts


def _symbol_parts(tree: Tree) -> list[Part]:
    parts = []
    for name in tree.names:
        found = _SYMBOLS.fullmatch(tree.parts(name)[-1])
        if found:
            source = f"{_KINDS[found.group(2)]}-{protocol_of(tree, name)}"
            parts.append(Part(source, fold_of(tree, name), SPLITS[found.group(1)], folder_of(name)))
    return parts


def _content(tree: Tree, name: str) -> str:
    return "equations" if any("equation" in folder.lower() for folder in tree.parts(name)) else "words500"


def _hand(tree: Tree, name: str) -> str:
    hands = [_HAND.search(folder) for folder in tree.parts(name)[:-1]]
    return next((found.group(1) for found in reversed(hands) if found), "R")


def _read(tree: Tree, part: Part, options: ReadOptions) -> SignalSet:
    """Counts as recorded; the calibrations beside them are not applied."""
    suffix = next((_SUFFIXES[k] for k in _SUFFIXES if part.source.startswith(f"{k}-")), "")
    letters = ONHW_LETTERS if part.source.startswith("words500") else SYMBOLS
    side = "train" if part.split == "train" else "val"
    x = beside(part.folder, f"all_x_dat_{side}_imu{suffix}.pkl")
    gt = beside(part.folder, f"all_{side}_gt{suffix}.pkl")
    signals, labels = pickled_list(tree, x), pickled_list(tree, gt)
    written_by = _writers(tree, part, side, suffix)
    same_length(tree.place(x), recordings=signals, labels=labels, writers=written_by)
    builder = SetBuilder(part, tree.place(x), letters, options.max_rows)
    for i, (signal, label, writer) in enumerate(zip(signals, labels, written_by, strict=True)):
        builder.add(signal, label_of(label, letters, f"{tree.place(gt)}, item {i}"), writer)
    return builder.done()


def _writers(tree: Tree, part: Part, side: str, suffix: str) -> list[str]:
    """Writers of one side; those of a writer-independent fold may not be on the other side too."""
    names = {s: beside(part.folder, f"{s}_ids{suffix}.pkl") for s in ("train", "val")}
    own = pickled_list(tree, names[side])
    other = names["val" if side == "train" else "train"]
    if "-indep" in part.source and other in tree:
        refuse_shared_writers(tree.place(part.folder or names[side]), own, pickled_list(tree, other))
    return [str(writer) for writer in own]


def unlisted_writers(tree: Tree, sets: list[SignalSet]) -> list[str]:
    """Writers whom ids_info.txt, where there is one, does not mention: its numbers are all that is read."""
    listed: set[str] = set()
    files = [name for name in tree.names if tree.parts(name)[-1] == "ids_info.txt"]
    for name in files:
        listed |= {str(int(number)) for number in re.findall(r"\d+", tree.text(name))}
    found = {writer for signals in sets for writer in signals.writers if writer is not None}
    return sorted(found - listed) if files else []


WORDS500 = Layout(
    "words500 or equations",
    "Words500_{dep|indep}_{R|L}/{0..4}/all_x_dat_train_imu.pkl",
    _word_parts,
    _read,
)
SYMBOLS_EQUATIONS = Layout("symbols and equations", "all_x_dat_train_imu_{s|e|es}.pkl", _symbol_parts, _read)
