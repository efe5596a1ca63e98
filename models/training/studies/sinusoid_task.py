"""Ten frequencies as noisy series and as Gramian angular summation fields, and a network for each.

The synthetic task of Ott et al. (arXiv 2202.07901): series stand for the pen, images for words on paper.
Our choices, where the paper's are not known to us: frequencies half a cycle apart, any phase; the images
come from series of their own with little noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

CLASSES = 10


@dataclass(frozen=True)
class TaskConfig:
    """samples: per series; side: of an image, pixels; noise, image_noise: half-width of the uniform noise.

    per_class: series to train on; tested: series to test on; images: per class. Amplitudes are 1.
    """

    samples: int = 64
    side: int = 32
    noise: float = 1.0
    image_noise: float = 0.1
    per_class: int = 8
    tested: int = 1000
    images: int = 20


@dataclass(frozen=True, slots=True)
class Labelled:
    """values (n, samples) series or (n, side, side) images, float32; labels (n,) int64, 0..9 by frequency."""

    values: Tensor
    labels: Tensor


def series(labels: NDArray[np.int64], samples: int, noise: float, rng: np.random.Generator) -> Tensor:
    """(n, samples): 2 + label / 2 cycles at any phase, plus noise uniform in +-`noise`."""
    time = np.arange(samples) / samples
    cycles = (2.0 + 0.5 * labels)[:, None]
    waves = np.sin(2.0 * np.pi * (cycles * time + rng.random((len(labels), 1))))
    return torch.from_numpy(waves + rng.uniform(-noise, noise, waves.shape)).float()


def angular_field(values: Tensor) -> Tensor:
    """Gramian angular summation field (Wang & Oates 2015): (n, S) to (n, S, S), cos(phi_i + phi_j).

    phi is the arc cosine of the series scaled to -1..1.
    """
    low, high = values.amin(1, keepdim=True), values.amax(1, keepdim=True)
    x = (2.0 * (values - low) / (high - low).clamp(min=1e-12) - 1.0).clamp(-1.0, 1.0)
    y = (1.0 - x.square()).clamp(min=0.0).sqrt()
    return x[:, :, None] * x[:, None, :] - y[:, :, None] * y[:, None, :]


def draw_series(config: TaskConfig, number: int, rng: np.random.Generator) -> Labelled:
    """`number` noisy series, all classes equally often."""
    labels = np.arange(number) % CLASSES
    return Labelled(series(labels, config.samples, config.noise, rng), torch.from_numpy(labels))


def draw_images(config: TaskConfig, number: int, rng: np.random.Generator) -> Labelled:
    """`number` images, all classes equally often."""
    labels = np.arange(number) % CLASSES
    waves = series(labels, config.side, config.image_noise, rng)
    return Labelled(angular_field(waves), torch.from_numpy(labels))


class SeriesNetwork(nn.Module):
    """What is used at inference: convolutions, an LSTM, one output per class."""

    channels = 32

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 16, 5, stride=2, padding=2)
        self.second = nn.Conv1d(16, 32, 5, stride=2, padding=2)
        self.lstm = nn.LSTM(32, self.channels, batch_first=True)
        self.output = nn.Linear(self.channels, CLASSES)

    def features(self, values: Tensor) -> Tensor:
        """(B, samples) to the map (B, samples / 4, channels) behind the LSTM: where the branches meet."""
        x = nn.functional.gelu(self.second(nn.functional.gelu(self.first(values[:, None]))))
        tapped: Tensor = self.lstm(x.transpose(1, 2))[0]
        return tapped

    def classify(self, features: Tensor) -> Tensor:
        logits: Tensor = self.output(features.mean(1))
        return logits

    def forward(self, values: Tensor) -> Tensor:
        return self.classify(self.features(values))


class ImageNetwork(nn.Module):
    """The auxiliary branch: three convolutions, one output per class; for training alone."""

    channels = 32

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(n, m, 3, stride=2, padding=1) for n, m in ((1, 16), (16, 32), (32, self.channels))
        )
        self.output = nn.Linear(self.channels, CLASSES)

    def features(self, images: Tensor) -> Tensor:
        """(B, side, side) to the map (B, side / 8, channels), mean over the rows."""
        x = images[:, None]
        for layer in self.layers:
            x = nn.functional.gelu(layer(x))
        return x.mean(2).transpose(1, 2)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.output(self.features(images).mean(1))
        return logits
