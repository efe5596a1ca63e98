"""`read`: words of a feature shard as a predictions file, read in isolation between given cuts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from models.training.assess.predictions import (
    SELECTIONS,
    Header,
    Predictions,
    Sample,
    file_name,
    write_predictions,
)
from models.training.shards import Shard
from penapp.arrays import read_arrays
from penapp.dsp.features import Features
from penapp.errors import BadInputError
from penapp.recognise.session import OnnxRecogniser

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("read")
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("shard", type=_FILE)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="OUT_FOLDER")
@click.option("--dataset", required=True, help="Name of the data set, the same for every model.")
@click.option("--split", required=True, help="WI, WD, val, …")
@click.option("--fold", type=int, help="Number of the test fold, where there are folds.")
@click.option("--selection", type=click.Choice(SELECTIONS), required=True, help="How the epoch was chosen.")
@click.option("--pen", type=click.Choice(["real", "simulated"]), required=True, help="What felt the words.")
@click.option("--run", help="Name of the system; by default that of OUT_FOLDER.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the training.")
@click.option(
    "--train", type=_FILE, multiple=True, help="Training shards: which words and writers were seen."
)
def read_command(  # noqa: PLR0913 - one argument an option
    model: Path,
    shard: Path,
    out: Path,
    dataset: str,
    split: str,
    fold: int | None,
    selection: str,
    pen: str,
    run: str | None,
    seed: int,
    train: tuple[Path, ...],
) -> None:
    """Read every word of SHARD with an exported MODEL, best path, and keep the readings for `compare`."""
    words = Shard.load(shard)
    texts, rate_hz = read_with(model, words)
    name = dataset if fold is None else f"{dataset}/{fold}"
    samples = samples_of(words, texts, rate_hz, name=name, trained=trained_on(train) if train else None)
    header = Header(run or out.name, dataset, split, fold, selection, pen == "simulated", seed)
    write_predictions(out / file_name(header), Predictions(header, tuple(samples)))
    print(f"{out / file_name(header)}: {len(samples)} words")


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
    """One sample a word, in order; ids are `name`/number, seconds are rows / rate_hz.

    Raises:
        BadInputError: another number of texts than of words
    """
    if len(texts) != len(shard):
        raise BadInputError(f"{len(texts)} texts for {len(shard)} words.", advice="Read every word once.")
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
