"""Recordings with one label each: characters as a classification task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penapp.errors import BadInputError


class Labelled(Protocol):
    """What a feature shard and a RawSet have in common."""

    @property
    def label(self) -> NDArray[np.str_]: ...
    @property
    def writer(self) -> NDArray[np.str_]: ...
    def __len__(self) -> int: ...
    def word(self, i: int) -> NDArray[np.float32]:
        """(T, F) network input of recording i."""
        ...


@dataclass(frozen=True, slots=True)
class SingleLabelBatch:
    """Some recordings side by side.

    features: (B, T, F) float32, zero behind each recording's own length; lengths: (B,) int64
    target:   (B,) int64 class index; item: (B,) int64 place in the set
    """

    features: NDArray[np.float32]
    lengths: NDArray[np.int64]
    target: NDArray[np.int64]
    item: NDArray[np.int64]


@dataclass(frozen=True)
class SingleLabelSet:
    """Recordings, their class, and who wrote them.

    source:  rows of every recording
    classes: labels in the order of the network's outputs
    target:  (W,) int64 index into classes; writer: (W,) text, "" where unknown
    """

    source: Labelled
    classes: tuple[str, ...]
    target: NDArray[np.int64]
    writer: NDArray[np.str_]

    @staticmethod
    def of(source: Labelled, classes: Sequence[str] | None = None) -> SingleLabelSet:
        """With the classes given (those of the training set), or all labels that occur, sorted."""
        known = tuple(classes) if classes is not None else tuple(sorted(set(source.label.tolist())))
        places = {label: k for k, label in enumerate(known)}
        foreign = sorted(set(source.label.tolist()) - set(places))
        if foreign:
            raise BadInputError(
                f"{len(foreign)} labels are not among the {len(known)} classes: {' '.join(foreign[:10])}.",
                advice="Take the classes of a set that has them all, or leave those recordings out.",
            )
        target = np.array([places[str(label)] for label in source.label], dtype=np.int64)
        return SingleLabelSet(source, known, target, source.writer)

    def __len__(self) -> int:
        return len(self.target)

    def rows(self, i: int) -> NDArray[np.float32]:
        """(T, F) of recording i."""
        return self.source.word(i)

    def batches(self, size: int, order: Sequence[int] | None = None) -> Iterator[SingleLabelBatch]:
        """Every recording once, `size` at a time, in the order given or as stored."""
        items = np.arange(len(self)) if order is None else np.asarray(order, dtype=np.int64)
        for start in range(0, len(items), size):
            chosen = items[start : start + size].astype(np.int64)
            features, lengths = padded([self.rows(int(i)) for i in chosen])
            yield SingleLabelBatch(features, lengths, self.target[chosen], chosen)


def padded(
    recordings: Sequence[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(B, T, F) with zeros behind the shorter ones, and their lengths (B,)."""
    lengths = np.array([len(rows) for rows in recordings], dtype=np.int64)
    features = np.zeros((len(recordings), int(lengths.max()), recordings[0].shape[1]), dtype=np.float32)
    for k, rows in enumerate(recordings):
        features[k, : len(rows)] = rows
    return features, lengths


def suspects(
    log_probs: NDArray[np.floating], target: NDArray[np.int64], share: float = 0.03
) -> NDArray[np.int64]:
    """The share of items whose label a model most disagrees with, worst first; items it agrees with never.

    log_probs: (W, C) of a model trained on other writers: one that saw an item agrees with its label.
    To be looked at by a person, or left out of training; never left out of a test set.
    """
    scores = np.asarray(log_probs, dtype=np.float64)
    own = scores[np.arange(len(target)), target]
    others = scores.copy()
    others[np.arange(len(target)), target] = -np.inf
    margin = others.max(axis=1) - own
    worst = np.argsort(-margin, kind="stable")[: int(np.ceil(share * len(target)))]
    return np.asarray(worst[margin[worst] > 0.0], dtype=np.int64)
