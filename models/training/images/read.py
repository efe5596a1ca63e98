"""Best-path readings of pictures by the image recogniser."""

from __future__ import annotations

import numpy as np
import torch

from models.training.device import Device
from models.training.images.batch import batch_of
from models.training.images.look import RenderConfig
from models.training.images.recogniser import ImageRecogniser
from models.training.images.render import render
from models.training.images.words import InkWords
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.scores import ErrorRates, error_rates

BATCH = 64


@torch.no_grad()
def read_words(
    network: ImageRecogniser, words: InkWords, render_as: RenderConfig, device: Device, seed: int = 0
) -> list[str]:
    """Best-path readings of the picture of every word, in order; "" where no ink is known."""
    network.eval()
    rng = np.random.default_rng([seed, 43])
    known = np.flatnonzero(words.ink.known())
    images = {int(i): render(words.ink.word(int(i)), render_as, rng) for i in known}
    texts = [""] * len(words)
    by_width = sorted(images, key=lambda i: images[i].shape[1])
    for begin in range(0, len(by_width), BATCH):
        part = by_width[begin : begin + BATCH]
        pixels, widths = batch_of([images[i] for i in part])
        reading = network(pixels.to(device.place), widths.to(device.place))
        paths = reading.log_probs.argmax(2).cpu()
        for i, path, n in zip(part, paths, reading.lengths.tolist(), strict=True):
            texts[i] = PENAPP_ALPHABET.collapse(path[:n].tolist())
    return texts


def evaluate(
    network: ImageRecogniser, words: InkWords, render_as: RenderConfig, device: Device
) -> ErrorRates:
    """Greedy error rates on the pictures of all words that have ink and fit the alphabet."""
    texts = read_words(network, words, render_as, device)
    pairs = [(str(words.label[i]), texts[int(i)]) for i in words.usable()]
    return error_rates([label for label, _ in pairs], [text for _, text in pairs])
