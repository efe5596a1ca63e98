"""`suspects`: the items of a shard of single labels that a run's network most disagrees with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from models.training.batches import refuse_words
from models.training.checkpoint import load_checkpoint
from models.training.commands import checkpoint_of
from models.training.config import RunConfig, config_from_dump
from models.training.encoders.contract import PenEncoder
from models.training.export import load_network
from models.training.material import feature_params
from models.training.predict import chose_the_checkpoint, stored_reader
from models.training.shards import Shard
from models.training.validate import Reader, label_scores, outputs
from penapp.errors import BadInputError

SHARE = 0.03
"""Of the items: about as many labels of collected characters are wrong."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """An item that is read otherwise than it is labelled.

    place: in the shard; writer: "" where unknown; read: what the model says
    sure, own: 0..1, the probabilities that the model gives to what it says and to the label
    """

    place: int
    label: str
    writer: str
    read: str
    sure: float
    own: float

    def __str__(self) -> str:
        said = f"{self.read!r} ({100.0 * self.sure:.1f} %, the label {100.0 * self.own:.1f} %)"
        return (
            f"item {self.place}, labelled {self.label!r}: read as {said}, writer {self.writer or 'unknown'}"
        )


def suspects(
    log_probs: NDArray[np.floating], target: NDArray[np.int64], share: float = SHARE
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


def label_log_probs(network: PenEncoder, words: Shard, reader: Reader) -> NDArray[np.float64]:
    """(W, V-1) natural log of each label's probability: the frames' mean, as single labels are read."""
    found = np.zeros((len(words), reader.alphabet.size - 1))
    for i, log_probs in outputs(network, words, reader=reader):
        found[i] = torch.log_softmax(label_scores(log_probs).double(), 0).numpy()
    return found


def suspects_of(
    network: PenEncoder, words: Shard, reader: Reader, share: float = SHARE
) -> tuple[list[Suspect], int]:
    """Worst first, and how many items could not be judged: labels outside the alphabet, or no rows.

    Raises:
        BadInputError: labels of several letters, or no item that could be judged
    """
    labels = [str(label) for label in words.label]
    refuse_words(labels)
    rows = np.diff(words.off)
    judged = np.flatnonzero([n > 0 and reader.alphabet.covers(x) for n, x in zip(rows, labels, strict=True)])
    if not len(judged):
        raise BadInputError(
            f"none of the {len(words)} items has a label that the network knows.",
            advice="Name a shard of the letters that the run was trained on.",
        )
    log_probs = label_log_probs(network, words.only(judged), reader)
    target = np.array([reader.alphabet.encode(labels[i])[0] - 1 for i in judged], dtype=np.int64)
    found = []
    for k in suspects(log_probs, target, share):
        i, said = int(judged[k]), int(log_probs[k].argmax())
        sure, own = (float(np.exp(log_probs[k, column])) for column in (said, target[k]))
        read = reader.alphabet.decode([said + 1])
        found.append(Suspect(i, labels[i], str(words.writer[i]), read, sure, own))
    return found, len(words) - len(judged)


@click.command("suspects")
@click.argument("run", type=click.Path(exists=True, path_type=Path), metavar="RUN_OR_CHECKPOINT")
@click.argument("shard", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--share",
    type=click.FloatRange(0.0, 1.0, min_open=True),
    default=SHARE,
    show_default=True,
    help="Of the items, at most.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="CLEAN.npz",
    help="Write the shard without them.",
)
def suspects_command(run: Path, shard: Path, share: float, out: Path | None) -> None:
    """Name the items of SHARD whose label the network of a run on single labels most disagrees with.

    The run must not be one that was trained on these very items, or whose checkpoint they chose: it agrees
    with what it saw. Train it on other writers. Look at what is named, or leave it out of training with
    --out. Never thin a test set with it: what a model reads wrongly is not labelled wrongly for that, and
    a test set without it flatters every model.
    """
    if out is not None and out.exists() and out.samefile(shard):
        raise BadInputError(f"--out {out} is the shard itself.", advice="Write under another name.")
    checkpoint = checkpoint_of(run)
    config = _config_of_labels(checkpoint)
    whole = Shard.load(shard)
    words = whole.normalised(feature_params(config))
    found, unjudged = suspects_of(load_network(checkpoint), words, stored_reader(checkpoint, config), share)
    if saw(config, shard):
        print(f"warning: {config.name} was trained on {shard} or chosen by it: it agrees with what it saw")
    for suspect in found:
        print(suspect)
    told = f", {unjudged} not judged (letters outside the alphabet, or no rows)" if unjudged else ""
    print(f"{shard}: {len(found)} of {len(whole)} items are read otherwise than labelled{told}")
    if out is not None:
        kept = np.delete(np.arange(len(whole)), [suspect.place for suspect in found])
        whole.only(kept).save(out)
        print(f"{out}: {len(kept)} items")


def saw(config: RunConfig, shard: Path) -> bool:
    """Whether the run was trained on this very shard, or its checkpoint chosen by it."""
    corpus = Path(config.data.corpus)
    learned = (path for pattern in config.data.train for path in corpus.glob(pattern))
    return chose_the_checkpoint(config, shard) or any(shard.samefile(path) for path in learned)


def _config_of_labels(checkpoint: Path) -> RunConfig:
    """BadInputError unless the run was trained on feature rows of single labels."""
    _, state = load_checkpoint(checkpoint)
    config = config_from_dump(state["config"])
    if config.data.task != "labels" or config.data.archive:
        what = "raw channels of an archive" if config.data.archive else "words"
        raise BadInputError(
            f"{checkpoint} was trained on {what}.",
            advice='Expected a run on feature shards of single labels (data.task = "labels").',
        )
    return config
