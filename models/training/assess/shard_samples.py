"""Words of a feature shard as samples of a predictions file, read in isolation between given cuts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.training.assess.predictions import Sample
from models.training.shards import Shard
from penapp.arrays import read_arrays
from penapp.dsp.features import Features
from penapp.recognise.session import OnnxRecogniser


@dataclass(frozen=True)
class Trained:
    """What training held: labels and writers."""

    labels: frozenset[str]
    writers: frozenset[str]


def trained_on(shards: Iterable[Path]) -> Trained:
    """Labels and writers of the training shards."""
    labels: set[str] = set()
    writers: set[str] = set()
    for path in shards:
        names = read_arrays(path, ("label", "writer"), "a feature shard", "Name the shards of the training.")
        labels.update(map(str, names["label"]))
        writers.update(map(str, names["writer"]))
    return Trained(frozenset(labels), frozenset(writers))


def samples_of(
    shard: Shard, texts: Sequence[str], rate_hz: float, *, name: str, trained: Trained | None = None
) -> list[Sample]:
    """One sample a word, in order; ids are `name`/number; seconds are rows / rate_hz."""
    rows = np.diff(shard.off)
    made = []
    for i, text in enumerate(texts):
        label, writer = str(shard.label[i]), str(shard.writer[i])
        word_seen = label in trained.labels if trained else None
        writer_seen = writer in trained.writers if trained else None
        made.append(
            Sample(
                f"{name}/{i}",
                label,
                text,
                writer,
                word_seen,
                writer_seen,
                float(rows[i]) / rate_hz,
                int(rows[i]),
            )
        )
    return made


def read_with(model: Path, shard: Shard) -> tuple[list[str], float]:
    """(best-path texts of every word, feature rows a second), through the recogniser that the app uses."""
    recogniser = OnnxRecogniser(model)
    alphabet, params = recogniser.manifest.alphabet, recogniser.manifest.params
    words = shard.normalised(params)
    texts = []
    for i in range(len(words)):
        rows = words.word(i)
        features = Features(np.arange(len(rows)) / params.rate_hz, rows, words.fingerprint)
        texts.append(alphabet.collapse(recogniser(features).values.argmax(1).tolist()))
    return texts, params.rate_hz
