"""What every encoder promises: lengths, look-ahead, taps at several depths, and independence of the batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self, TypeVar

from torch import Tensor, nn

Rows = TypeVar("Rows", int, Tensor)
"""Numbers of feature rows: lengths (B,), or the size of an axis."""


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """What one depth of an encoder made of a batch of words.

    values:  (B, T, C) float, zero beyond each word's length
    lengths: (B,) int, true frames of each word at this depth
    """

    values: Tensor
    lengths: Tensor


@dataclass(frozen=True, slots=True)
class Encoded:
    """One batch, read.

    log_probs: (B, T', V) float32, log-probabilities of the classes; what stands beyond `frames` is undefined
    frames:    (B,) int, true output frames of each word
    taps:      feature maps by name, shallow to deep, with the names and widths of `PenEncoder.tap_widths`
    """

    log_probs: Tensor
    frames: Tensor
    taps: dict[str, FeatureMap]


class PenEncoder(nn.Module, ABC):
    """Features (B, T, F) of words with lengths (B,) to one distribution over the classes per output frame.

    In evaluation mode neither the other words of the batch nor what stands in the padding changes the result
    of a word. In training mode batch normalisation alone couples the words, through their true frames.

    features, classes: F and V
    stride:            feature rows per output frame
    receptive_rows:    feature rows that one output frame depends on; None: the whole word, or all of it up
                       to the look-ahead where `lookahead_rows` is a number
    lookahead_rows:    feature rows behind its own `stride` rows that an output frame waits for; None: it
                       waits for the end of the word
    tap_widths:        channels of each tap, shallow to deep
    """

    features: int
    classes: int
    stride: int
    receptive_rows: int | None
    lookahead_rows: int | None
    tap_widths: dict[str, int]

    @abstractmethod
    def output_length(self, lengths: Rows) -> Rows:
        """Output frames of words of `lengths` feature rows: the one place that knows."""

    @abstractmethod
    def encode(self, features: Tensor, lengths: Tensor) -> Encoded:
        """Read a batch: features (B, T, F), lengths (B,) up to T; gives output_length(T) frames."""

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities (B, T', V) alone: what ONNX exports."""
        return self.encode(features, lengths).log_probs

    def fused(self) -> Self:
        """The same function with what can be folded folded, for inference; itself where nothing can be."""
        return self
