"""How much a few words of a new writer help: fine-tune on them, read the writer's other words."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from models.training.augment import augmented
from models.training.batches import collate
from models.training.checkpoint import load_checkpoint
from models.training.commands import checkpoint_of
from models.training.config import AugmentConfig, config_from_dump
from models.training.encoders.contract import PenEncoder
from models.training.export import load_network
from models.training.material import PENAPP_TARGETS, Targets, feature_params
from models.training.objectives.classification import ctc
from models.training.shards import Shard
from models.training.tokens import spellable
from models.training.validate import greedy_texts
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError
from penapp.scores import ErrorRates, error_rates


@dataclass(frozen=True, slots=True)
class AdaptConfig:
    """AdamW on all weights, a few steps, each over all the writer's words in varied copies.

    kept_words: words of each writer that are only read, never learned; writers with fewer others are left out
    """

    steps: int = 30
    lr: float = 5e-4
    weight_decay: float = 0.0
    clip: float = 1.0
    kept_words: int = 60
    seed: int = 1


USUAL = AdaptConfig()


@dataclass(frozen=True, slots=True)
class Adapted:
    """Error rates of the same words after learning `words` others of their writers."""

    words: int
    writers: int
    rates: ErrorRates


def few_samples(
    network: PenEncoder, shard: Shard, counts: Sequence[int], config: AdaptConfig | None = None
) -> list[Adapted]:
    """Greedy error rates over all writers of the shard for each number of learned words (0: none).

    The words read are the same for every number. BadInputError when no writer has enough words.
    """
    config = config or USUAL
    need = config.kept_words + max(counts)
    by_writer = [w for w in _words_of_writers(shard, config.seed) if len(w) >= need]
    if not by_writer:
        raise BadInputError(
            f"no writer of the shard has {need} words.",
            advice="Adapt to fewer words, or keep fewer for reading.",
        )
    results = []
    for count in counts:
        labels: list[str] = []
        texts: list[str] = []
        for words in by_writer:
            kept = shard.only(words[: config.kept_words])
            learned = shard.only(words[config.kept_words : config.kept_words + count])
            labels += [str(label) for label in kept.label]
            texts += greedy_texts(adapted(network, learned, config) if count else network, kept)
        results.append(Adapted(count, len(by_writer), error_rates(labels, texts)))
    return results


def adapted(network: PenEncoder, words: Shard, config: AdaptConfig) -> PenEncoder:
    """A copy of the network, fine-tuned on the words of one writer; the network itself stays."""
    own = copy.deepcopy(network).train()
    optimiser = torch.optim.AdamW(own.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    rng = np.random.default_rng([config.seed, len(words)])
    torch.manual_seed(config.seed)
    for _ in range(config.steps):
        batch = collate(_varied(words, network, rng), PENAPP_ALPHABET)
        log_probs = own(batch.features, batch.lengths)
        frames = own.output_length(batch.lengths)
        loss = ctc(log_probs, frames, batch.targets, batch.target_lengths).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(own.parameters(), config.clip)
        optimiser.step()
    return own.eval()


def _varied(
    words: Shard, network: PenEncoder, rng: np.random.Generator
) -> list[tuple[NDArray[np.float32], str]]:
    """One varied copy of each word, unless it became too short for its label."""
    copies = []
    for i in range(len(words)):
        label, rows = str(words.label[i]), words.word(i)
        varied = augmented(rows, AugmentConfig(), rng)
        fits = spellable(PENAPP_ALPHABET.encode(label), network.output_length(len(varied)))
        copies.append((varied if fits else rows, label))
    return copies


def _words_of_writers(shard: Shard, seed: int) -> list[NDArray[np.int64]]:
    """Each writer's readable words, shuffled."""
    rng = np.random.default_rng(seed)
    readable = np.array([PENAPP_ALPHABET.covers(str(label)) for label in shard.label])
    return [
        rng.permutation(np.flatnonzero((shard.writer == writer) & readable))
        for writer in np.unique(shard.writer)
    ]


@click.command("few-samples")
@click.argument("checkpoint", type=click.Path(exists=True, path_type=Path), metavar="RUN_OR_CHECKPOINT")
@click.argument("shard", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--words", "counts", type=int, multiple=True, default=(0, 5, 20, 50), show_default=True)
@click.option("--steps", type=click.IntRange(1), default=USUAL.steps, show_default=True)
@click.option("--lr", type=float, default=USUAL.lr, show_default=True)
def few_samples_command(
    checkpoint: Path, shard: Path, counts: tuple[int, ...], steps: int, lr: float
) -> None:
    """Greedy CER on words of new writers after learning a few other words of each."""
    checkpoint = checkpoint_of(checkpoint)
    _, state = load_checkpoint(checkpoint)
    run = config_from_dump(state["config"])
    if Targets.of(state.get("targets", {})) != PENAPP_TARGETS or run.data.task != "words":
        raise BadInputError(
            f"{checkpoint} was trained on raw channels, tokens, single labels or other letters.",
            advice="Expected a network of penapp's features and letters.",
        )
    config = replace(USUAL, steps=steps, lr=lr)
    words = Shard.load(shard).normalised(feature_params(run))
    for found in few_samples(load_network(checkpoint), words, counts, config):
        print(
            f"{found.words:4d} words learned: CER {found.rates.cer:.2f}, WER {found.rates.wer:.2f} % "
            f"on the same {found.rates.words} words of {found.writers} writers"
        )
