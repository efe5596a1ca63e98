"""Best-path readings of a shard by the network in training: what the learning curve shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.batches import collate
from models.training.device import Device, choose_device
from models.training.encoders.contract import PenEncoder
from models.training.presenting import Presenter, Words
from models.training.tokens import TargetAlphabet
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.scores import ErrorRates, error_rates


@dataclass(frozen=True)
class Reader:
    """How a network's output becomes texts.

    alphabet: of its columns; labels: one label a recording instead of a word
    presenter: how a word is shown unvaried; None: as the shard has it
    """

    alphabet: TargetAlphabet = PENAPP_ALPHABET
    labels: bool = False
    presenter: Presenter | None = None
    device: Device = field(default_factory=lambda: choose_device("cpu"))

    def rows(self, words: Words, i: int) -> NDArray[np.float32]:
        """(T, F) of word i as it is scored."""
        return words.word(i) if self.presenter is None else self.presenter.plain(words, i)

    def text(self, log_probs: Tensor) -> str:
        """Best-path text of (T', V), or the label with the highest mean log-probability."""
        if not len(log_probs):
            return ""
        if self.labels:
            return self.alphabet.decode([1 + int(label_scores(log_probs).argmax())])
        return self.alphabet.collapse(log_probs.argmax(1).tolist())


PLAIN = Reader()


def label_scores(log_probs: Tensor) -> Tensor:
    """(V-1,) of (T', V): how well each label fits all frames together, the blank left out."""
    return log_probs.mean(0)[1:]


def greedy_texts(network: PenEncoder, words: Words, batch: int = 64, reader: Reader = PLAIN) -> list[str]:
    """Readings of every word, in order."""
    texts = [""] * len(words)
    for i, log_probs in outputs(network, words, batch, reader):
        texts[i] = reader.text(log_probs)
    return texts


@torch.no_grad()
def outputs(
    network: PenEncoder, words: Words, batch: int = 64, reader: Reader = PLAIN
) -> Iterator[tuple[int, Tensor]]:
    """Place and log-probabilities (T', V) of every word, short ones first, in float32.

    What else is in the batch changes none.
    """
    place = reader.device.place
    network.eval()
    order = np.argsort(np.diff(words.off), kind="stable")
    for part in _parts(order, batch):
        inputs = collate([(reader.rows(words, int(i)), "") for i in part], reader.alphabet)
        log_probs = network(inputs.features.to(place), inputs.lengths.to(place)).cpu()
        frames = network.output_length(inputs.lengths)
        for i, values, n in zip(part, log_probs, frames, strict=True):
            yield int(i), values[: int(n)]


def evaluate_words(network: PenEncoder, words: Words, reader: Reader = PLAIN) -> ErrorRates:
    """Greedy CER and WER on all words."""
    return error_rates([str(label) for label in words.label], greedy_texts(network, words, reader=reader))


def _parts(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
