"""Cut the ink that ships, `demo_ink.npz`, out of a corpus in the layout of `unipen-words`.

Run `python -m penapp.simulation.build_demo_ink UNIPEN_WORDS.npz`. No chance is involved: the same corpus
gives the same words. Runs once, by hand; its output is committed.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError
from penapp.simulation.ink import InkCorpus
from penapp.simulation.unipen_import import save_corpus

WRITERS = {"test": 30, "train": 30, "val": 10}
WORDS_EACH = {"test": 80, "train": 60, "val": 40}
SEEN_WRITER_WORDS_EACH = 8
"""Besides, from the training writers' words that are never trained on."""
SENTENCES = (
    (429, "The grass has a sweet smell"),
    (429, "Give me your arm"),
    (429, "To be or not to be"),
    (414, "Is that a house on the island"),
    (414, "He seems to have so little in common with us"),
    (424, "No one will see them"),
    (431, "That is the question"),
    (165, "the quick brown fox jumps over the lazy dog"),
)
"""What test writers wrote in this order: writer and text."""
COMMON_WRITERS = 3
"""A label counts as common when at least this many people wrote it."""
LONGEST_POINTS = 700


def build(source: Path, folder: Path) -> None:
    """Write demo_ink.npz and demo_sentences.json into `folder`."""
    corpus = InkCorpus.load(source)
    good, common = _usable(corpus), _common(corpus)
    sentences = [_find(corpus, good, writer, text) for writer, text in SENTENCES]
    kept = set(chain.from_iterable(sentences))
    for split in ("test", "train", "val"):
        for writer in _writers(corpus, good & (corpus.split == split), WRITERS[split]):
            mine = good & (corpus.writer == writer)
            kept.update(_some(mine & (corpus.split == split), common, WORDS_EACH[split]))
            if split == "train":
                kept.update(_some(mine & (corpus.split == "seen_writer"), common, SEEN_WRITER_WORDS_EACH))
    order = sorted(kept)
    save_corpus(_cut(corpus, order), folder / "demo_ink.npz")
    lines = [
        {"writer": str(writer), "text": text, "words": [order.index(i) for i in words]}
        for (writer, text), words in zip(SENTENCES, sentences, strict=True)
    ]
    (folder / "demo_sentences.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


def _usable(corpus: InkCorpus) -> NDArray[np.bool_]:
    readable = np.array([PENAPP_ALPHABET.covers(str(label)) for label in corpus.label])
    return np.asarray(corpus.clock_ok & readable & (np.diff(corpus.off) <= LONGEST_POINTS))


def _find(corpus: InkCorpus, good: NDArray[np.bool_], writer: int, text: str) -> list[int]:
    """The writer's words that spell `text` one after the other."""
    mine = np.flatnonzero(good & (corpus.writer == writer) & (corpus.split == "test"))
    labels, wanted = [str(label) for label in corpus.label[mine]], text.split()
    for k in range(len(mine) - len(wanted) + 1):
        if labels[k : k + len(wanted)] == wanted:
            return [int(i) for i in mine[k : k + len(wanted)]]
    raise BadInputError(f"writer {writer} did not write {text!r} in one go")


def _common(corpus: InkCorpus) -> NDArray[np.bool_]:
    people: defaultdict[str, set[int]] = defaultdict(set)
    for label, writer in zip(corpus.label, corpus.writer, strict=True):
        people[str(label).lower()].add(int(writer))
    common = {label for label, who in people.items() if len(who) >= COMMON_WRITERS}
    return np.array([str(label).lower() in common for label in corpus.label])


def _writers(corpus: InkCorpus, mask: NDArray[np.bool_], count: int) -> list[int]:
    """Writers taken from all donors in turn, those with most words first."""
    donors: defaultdict[int, list[int]] = defaultdict(list)
    names, words = np.unique(corpus.writer[mask], return_counts=True)
    for k in np.argsort(-words, kind="stable"):
        donors[int(corpus.donor[mask & (corpus.writer == names[k])][0])].append(int(names[k]))
    return list(islice(_in_turn([donors[d] for d in sorted(donors)]), count))


def _in_turn(rows: list[list[int]]) -> Iterable[int]:
    return (item for column in zip_longest(*rows) for item in column if item is not None)


def _some(mask: NDArray[np.bool_], common: NDArray[np.bool_], count: int) -> list[int]:
    """Words spread evenly over what the writer wrote, common labels first."""
    mine = np.flatnonzero(mask)
    ranked = np.concatenate([_spread(mine[common[mine]]), _spread(mine[~common[mine]])])
    return [int(i) for i in ranked[:count]]


def _spread(indices: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same indices so that any beginning of them is spread over the whole."""
    return indices[np.argsort((np.arange(len(indices)) * 0.6180339887498949) % 1.0, kind="stable")]


def _cut(corpus: InkCorpus, order: list[int]) -> InkCorpus:
    rows = np.concatenate([np.arange(corpus.off[i], corpus.off[i + 1]) for i in order])
    lengths = [int(corpus.off[i + 1] - corpus.off[i]) for i in order]
    per_word = (
        "label",
        "writer",
        "donor",
        "hand",
        "units_per_mm",
        "rate_hz",
        "clock_ok",
        "split",
        "heldout_word",
    )
    return replace(
        corpus,
        dxy=corpus.dxy[rows],
        pen=corpus.pen[rows],
        off=np.cumsum([0, *lengths]).astype(np.int64),
        **{name: getattr(corpus, name)[order] for name in per_word},
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(__file__).parent)
