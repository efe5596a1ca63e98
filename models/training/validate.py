"""Best-path readings of a shard by the network in training: what the learning curve shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.batches import collate
from models.training.device import Device, choose_device
from models.training.encoders.contract import PenEncoder
from models.training.shards import Shard
from penapp.decode.alphabet import PENAPP_ALPHABET, Alphabet
from penapp.scores import ErrorRates, error_rates


@torch.no_grad()
def greedy_texts(
    network: PenEncoder,
    shard: Shard,
    batch: int = 64,
    *,
    alphabet: Alphabet = PENAPP_ALPHABET,
    device: Device | None = None,
) -> list[str]:
    """Best-path readings of every word of a shard, in order, in float32."""
    place = (device or choose_device("cpu")).place
    network.eval()
    order = np.argsort(np.diff(shard.off), kind="stable")
    texts = [""] * len(shard)
    for part in _parts(order, batch):
        inputs = collate([(shard.word(int(i)), "") for i in part], alphabet)
        paths = network(inputs.features.to(place), inputs.lengths.to(place)).argmax(2).cpu()
        frames = network.output_length(inputs.lengths)
        for i, path, n in zip(part, paths, frames, strict=True):
            texts[int(i)] = alphabet.collapse(path[: int(n)].tolist())
    return texts


def evaluate_shard(network: PenEncoder, shard: Shard, device: Device | None = None) -> ErrorRates:
    """Greedy CER and WER on all words of a shard."""
    return error_rates([str(label) for label in shard.label], greedy_texts(network, shard, device=device))


def _parts(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
