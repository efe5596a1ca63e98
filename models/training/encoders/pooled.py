"""The two pooled baselines: CNN+BiLSTM of the OnHW benchmark, and CLDNN.

Facts: Ott et al., IJDAR 2022; Wehbi et al., arXiv 2105.12434; both as re-trained by Li et al., iWOAR 2025.
Where we differ: log_softmax instead of softmax; batch statistics over true frames instead of over padding
too; the backward LSTM starts at each word's own end instead of in the padding.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from models.training.encoders.contract import Encoded, FeatureMap, PenEncoder, Rows
from models.training.encoders.masked import (
    BiLstm,
    MaskedBatchNorm,
    at_least,
    frame_mask,
    log_distribution,
    pad_same,
)
from models.training.encoders.settings import CldnnConfig, CnnBilstmConfig


class _Pooled(PenEncoder):
    """Stages of convolution, pooling and normalisation; recurrent layers; two dense layers.

    Pooling by two drops an odd last frame, so a word has floor(rows / stride) output frames.
    """

    receptive_rows = None
    lookahead_rows = None

    def __init__(self, widths: list[int], kernels: list[int], recurrent: BiLstm, head: nn.Sequential) -> None:
        super().__init__()
        self.features = widths[0]
        self.stride = 2 ** len(kernels)
        self.tap_widths = {f"conv{i}": width for i, width in enumerate(widths[1:], start=1)}
        self.tap_widths["recurrent"] = recurrent.width
        self.kernels = kernels
        self.convs = nn.ModuleList(
            nn.Conv1d(n, m, kernel) for (n, m), kernel in zip(pairwise(widths), kernels, strict=True)
        )
        self.norms = nn.ModuleList(MaskedBatchNorm(width) for width in widths[1:])
        self.recurrent = recurrent
        self.head = head

    def output_length(self, lengths: Rows) -> Rows:
        return lengths // self.stride

    def encode(self, features: Tensor, lengths: Tensor) -> Encoded:
        shown = self.output_length(features.shape[1])
        features = at_least(features, self.stride)
        x = features.transpose(1, 2) * frame_mask(lengths, features.shape[1])
        frames, taps = lengths, {}
        for i in range(len(self.kernels)):
            x, frames = self._stage(i, x, frames), frames // 2
            taps[f"conv{i + 1}"] = FeatureMap(x.transpose(1, 2), frames)
        read: Tensor = self.recurrent(x.transpose(1, 2), frames)
        taps["recurrent"] = FeatureMap(read, frames)
        return Encoded(log_distribution(self.head(read[:, :shown])), frames, taps)

    def _stage(self, number: int, x: Tensor, frames: Tensor) -> Tensor:
        """(B, C, T) with `frames` true frames to (B, C', T // 2), zeros beyond frames // 2."""
        raise NotImplementedError


class CnnBilstm(_Pooled):
    """Convolution, max-pool, batch norm, dropout, twice; then BiLSTM and two dense layers.

    The convolutions and the dense layers have no activation: the maximum is the only non-linearity before
    the recurrent layers, as in the re-implementation that the published 0.40 M parameters belong to.
    """

    def __init__(self, config: CnnBilstmConfig, features: int, classes: int) -> None:
        super().__init__(
            [features, config.filters, config.filters],
            [config.kernel, config.kernel],
            BiLstm(config.filters, config.hidden, config.layers),
            nn.Sequential(nn.Linear(2 * config.hidden, config.dense), nn.Linear(config.dense, classes)),
        )
        self.classes = classes
        self.dropout = nn.Dropout(config.dropout)

    def _stage(self, number: int, x: Tensor, frames: Tensor) -> Tensor:
        mixed = self.convs[number](pad_same(x, self.kernels[number]))
        pooled = nn.functional.max_pool1d(mixed, 2)
        out: Tensor = self.dropout(self.norms[number](pooled, frame_mask(frames // 2, pooled.shape[2])))
        return out


class Cldnn(_Pooled):
    """Convolution, batch norm, ReLU, max-pool, dropout, three times; then BiLSTM and two dense layers."""

    def __init__(self, config: CldnnConfig, features: int, classes: int) -> None:
        filters = config.filters
        super().__init__(
            [features, filters, filters // 2, filters // 4],
            [5, 3, 3],
            BiLstm(filters // 4, config.hidden, config.layers, config.dropout),
            nn.Sequential(
                nn.Linear(2 * config.hidden, config.dense),
                nn.ReLU(),
                nn.Dropout(config.dropout),
                nn.Linear(config.dense, classes),
            ),
        )
        self.classes = classes
        self.dropout = nn.Dropout(config.dropout)

    def _stage(self, number: int, x: Tensor, frames: Tensor) -> Tensor:
        mixed = self.convs[number](pad_same(x, self.kernels[number]))
        calm: Tensor = self.norms[number](mixed, frame_mask(frames, mixed.shape[2]))
        pooled = nn.functional.max_pool1d(nn.functional.relu(calm), 2)
        out: Tensor = self.dropout(pooled * frame_mask(frames // 2, pooled.shape[2]))
        return out
