"""Feature shards on disk: words as rows that the live stages made, with label, writer and session."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.strokes import PackedInk, rows_of
from penapp.arrays import array_names, read_arrays
from penapp.dsp.features import normalised, with_style
from penapp.dsp.params import FeatureParams
from penapp.errors import BadInputError, ModelMismatchError


@dataclass(frozen=True)
class Shard:
    """Many words.

    rows:    (N, R) float16 rows (ROW_NAMES), words one after the other
    style:   (W, S) float32 the writer's style at each word (STYLE_NAMES)
    off:     (W+1,) int64 word boundaries
    label:   (W,) text; writer: (W,) text; session: (W,) int64, same grip and pen
    ink:     the strokes themselves, none for words of recordings and of shards older than version 0.2
    fingerprint: of the feature parameters
    """

    rows: NDArray[np.float16]
    style: NDArray[np.float32]
    off: NDArray[np.int64]
    label: NDArray[np.str_]
    writer: NDArray[np.str_]
    session: NDArray[np.int64]
    ink: PackedInk
    fingerprint: str

    def __len__(self) -> int:
        return len(self.label)

    def word(self, i: int) -> NDArray[np.float32]:
        """(T, F) the network's input for word i."""
        return with_style(self.rows[self.off[i] : self.off[i + 1]].astype(np.float32), self.style[i])

    def only(self, words: NDArray[np.int64]) -> Shard:
        """The words at these places, in this order, with all that belongs to them."""
        rows, off = rows_of(self.off, words)
        return replace(
            self,
            rows=self.rows[rows],
            style=self.style[words],
            off=off,
            label=self.label[words],
            writer=self.writer[words],
            session=self.session[words],
            ink=self.ink.only(words),
        )

    def normalised(self, params: FeatureParams) -> Shard:
        """The same words as another normalisation of the same features would have made them."""
        if params.fingerprint() == self.fingerprint:
            return self
        words = [self.rows[a:b].astype(np.float32) for a, b in pairwise(self.off)]
        rows = np.concatenate([normalised(word, params) for word in words]).astype(np.float16)
        return replace(self, rows=rows, fingerprint=params.fingerprint())

    def save(self, path: Path) -> None:
        """Write under a temporary name, then rename: a half-written shard is never seen."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(
            temporary,
            rows=self.rows,
            style=self.style,
            off=self.off,
            label=self.label,
            writer=self.writer,
            session=self.session,
            ink_xy=self.ink.xy,
            ink_start=self.ink.start,
            ink_off=self.ink.off,
            fingerprint=np.array(self.fingerprint),
        )
        os.replace(temporary, path)  # noqa: PTH105 - one atomic call

    @staticmethod
    def load(path: Path) -> Shard:
        advice = "Make it with `python -m models.training prepare`."
        wanted = ("rows", "style", "off", "label", "writer", "session", "fingerprint")
        a = read_arrays(path, wanted, "a feature shard", advice)
        arrays = {name: a[name] for name in wanted[:-1]}
        ink = PackedInk.none(len(a["label"]))
        parts = ("ink_xy", "ink_start", "ink_off")
        if set(parts) <= set(array_names(path, "a feature shard", advice)):
            ink = PackedInk(*read_arrays(path, parts, "a feature shard", advice).values())
        bad = np.flatnonzero(~np.isfinite(arrays["rows"]).all(axis=1))
        if len(bad):
            word = int(np.searchsorted(arrays["off"], bad[0], side="right")) - 1
            raise BadInputError(
                f"{path}: word {word} ({arrays['label'][word]}) holds {len(bad)} rows that are no numbers.",
                advice=advice,
            )
        return Shard(**arrays, ink=ink, fingerprint=str(a["fingerprint"]))


def first_words(shard: Shard, count: int) -> Shard:
    """The first `count` words, or all there are."""
    n = min(count, len(shard))
    end = int(shard.off[n])
    return replace(
        shard,
        rows=shard.rows[:end],
        style=shard.style[:n],
        off=shard.off[: n + 1],
        label=shard.label[:n],
        writer=shard.writer[:n],
        session=shard.session[:n],
        ink=shard.ink.first(n),
    )


def join(shards: Sequence[Shard]) -> Shard:
    """All words of several shards as one; ModelMismatchError when their features differ."""
    prints = sorted({s.fingerprint for s in shards})
    if len(prints) != 1:
        raise ModelMismatchError(
            f"shards were made with different feature parameters: {', '.join(prints)}.",
            advice="Prepare all of them with this version.",
        )
    starts = np.cumsum([0] + [int(s.off[-1]) for s in shards])
    off = np.concatenate([[0]] + [s.off[1:] + start for s, start in zip(shards, starts[:-1], strict=True)])
    sessions = np.cumsum([0] + [int(s.session.max(initial=0)) + 1 for s in shards])
    return Shard(
        np.concatenate([s.rows for s in shards]),
        np.concatenate([s.style for s in shards]),
        off.astype(np.int64),
        np.concatenate([s.label for s in shards]),
        np.concatenate([s.writer for s in shards]),
        np.concatenate([s.session + k for s, k in zip(shards, sessions[:-1], strict=True)]),
        PackedInk.joined([s.ink for s in shards]),
        prints[0],
    )
