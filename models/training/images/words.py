"""Ink with its labels, and what of it pictures may be made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.inks import heldout_labels
from models.training.shards import Shard
from models.training.strokes import PackedInk, pack
from penapp.arrays import read_arrays
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError
from penapp.simulation.ink import InkCorpus

HELDOUT_FONT_WRITER = "font-heldout-"
"""Names of writers in fonts that no training source uses begin so."""


@dataclass(frozen=True)
class InkWords:
    """Words of one shard that pictures are made of: strokes, label (W,) and writer (W,)."""

    ink: PackedInk
    label: NDArray[np.str_]
    writer: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.label)

    def usable(self) -> NDArray[np.int64]:
        """Numbers of the words that have ink and that the alphabet can spell."""
        covered = [PENAPP_ALPHABET.covers(str(label)) for label in self.label]
        return np.flatnonzero(self.ink.known() & np.array(covered, dtype=np.bool_))

    def spread(self, count: int) -> InkWords:
        """About `count` words evenly spread over the shard: all its writers."""
        chosen = np.arange(0, len(self), max(len(self) // count, 1))
        rows = [slice(int(self.ink.off[i]), int(self.ink.off[i + 1])) for i in chosen]
        ink = PackedInk(
            np.concatenate([self.ink.xy[r] for r in rows]),
            np.concatenate([self.ink.start[r] for r in rows]),
            np.concatenate([[0], np.cumsum([r.stop - r.start for r in rows])]).astype(np.int64),
        )
        return InkWords(ink, self.label[chosen], self.writer[chosen])

    @staticmethod
    def of(shard: Shard) -> InkWords:
        return InkWords(shard.ink, shard.label, shard.writer)

    @staticmethod
    def load(path: Path) -> InkWords:
        """The ink of a shard on disk without its rows; BadInputError when it holds none."""
        wanted = ("label", "writer", "ink_xy", "ink_start", "ink_off")
        advice = "Make it with `python -m models.training prepare` of this version."
        a = read_arrays(path, wanted, "a shard with ink", advice)
        return InkWords(PackedInk(a["ink_xy"], a["ink_start"], a["ink_off"]), a["label"], a["writer"])


@dataclass(frozen=True)
class Guard:
    """What no training picture may show.

    labels:  lower-case held-out labels
    writers: people whose words are for validation and test alone
    """

    labels: frozenset[str] = frozenset()
    writers: frozenset[str] = frozenset()

    @staticmethod
    def of(ink: InkCorpus) -> Guard:
        """The held-out labels of an ink corpus, and everyone who wrote none of its training words."""
        writers = np.array([str(writer) for writer in ink.writer])
        return Guard(heldout_labels(ink), frozenset(writers) - frozenset(writers[ink.split == "train"]))

    @staticmethod
    def of_validation(words: InkWords) -> Guard:
        """The people of a validation shard; its labels may occur in training."""
        return Guard(writers=frozenset(str(writer) for writer in np.unique(words.writer)))

    def check(self, words: InkWords) -> None:
        """BadInputError when one of the words is held out, by its label or by its writer."""
        labels = {str(label) for label in np.unique(words.label)}
        unseen = sorted(label for label in labels if label.lower() in self.labels)
        if unseen:
            raise _refused(f"the held-out label{'s' * (len(unseen) > 1)} {_some(unseen)}")
        names = {str(writer) for writer in np.unique(words.writer)}
        strangers = sorted(n for n in names if n in self.writers or n.startswith(HELDOUT_FONT_WRITER))
        if strangers:
            raise _refused(
                f"words of {_some(strangers)}, who write{'s' * (len(strangers) == 1)} for testing only"
            )


def training_words(ink: InkCorpus, chosen: Iterable[int]) -> InkWords:
    """Words of an ink corpus, by number.

    Raises:
        BadInputError: one of them is not of the split `train`, or its label is held out
    """
    numbers = np.array(list(chosen), dtype=np.int64)
    splits = sorted({str(split) for split in ink.split[numbers]} - {"train"})
    if splits:
        raise _refused(f"words of the split {_some(splits)}")
    if ink.heldout_word[numbers].any():
        raise _refused(f"the held-out label {str(ink.label[numbers[ink.heldout_word[numbers]][0]])!r}")
    words = [ink.word(int(i)) for i in numbers]
    labels, writers = np.array([w.label for w in words]), np.array([w.writer for w in words])
    return InkWords(pack(words), labels, writers)


def _refused(found: str) -> BadInputError:
    return BadInputError(
        f"{found} may not be made into training pictures.",
        advice="Use words of the split train with labels that are not held out, as `prepare` does.",
    )


def _some(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
