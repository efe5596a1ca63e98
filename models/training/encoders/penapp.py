"""Our encoder: convolutions, residual blocks, bidirectional LSTM layers, one output per class."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from models.training.encoders.contract import Encoded, FeatureMap, PenEncoder, Rows
from models.training.encoders.masked import (
    WordDropout,
    frame_mask,
    gathered,
    log_distribution,
    reversed_positions,
)
from models.training.encoders.settings import NetworkConfig


class ResidualBlock(nn.Module):
    """Normalise, mix five frames, mix channels, add; (B, C, T) stays. Adds nothing at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, 5, padding=2)
        self.mix = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        calm = self.norm(x.transpose(1, 2)).transpose(1, 2) * mask
        mixed: Tensor = self.mix(nn.functional.gelu(self.conv(calm)))
        return x + mixed * mask


class Recogniser(PenEncoder):
    """Features (B, T, F) with lengths (B,) to log-probabilities (B, ceil(T / stride), V).

    Every layer is masked to the true lengths and the backward LSTM starts at each word's own end, so what
    else is in the batch never changes a result. Taps: `fine` at half the stride (at full stride where it is
    the only halving), `deep` behind all convolutions, `recurrent1` … `recurrent` behind the LSTM layers.
    """

    receptive_rows = None
    lookahead_rows = None

    def __init__(self, config: NetworkConfig, features: int, classes: int) -> None:
        super().__init__()
        self.features, self.classes = features, classes
        self.stride = config.stride
        halvings = config.stride.bit_length() - 1
        widths = [features, config.stem, *([config.width] * (halvings - 1))]
        self.stem = nn.ModuleList(nn.Conv1d(n, m, 5, stride=2, padding=2) for n, m in pairwise(widths))
        self.blocks = nn.ModuleList(
            nn.Conv1d(config.width, config.width, 5, padding=2) for _ in range(config.blocks)
        )
        self.fine = nn.ModuleList(ResidualBlock(widths[-2]) for _ in range(config.fine))
        self.deep = nn.ModuleList(ResidualBlock(config.width) for _ in range(config.deep))
        sizes = [config.width] + [2 * config.hidden] * (config.layers - 1)
        self.forward_lstm = nn.ModuleList(nn.LSTM(n, config.hidden, batch_first=True) for n in sizes)
        self.backward_lstm = nn.ModuleList(nn.LSTM(n, config.hidden, batch_first=True) for n in sizes)
        self.stem_norm = nn.LayerNorm(config.width)
        self.norms = nn.ModuleList(nn.LayerNorm(2 * config.hidden) for _ in sizes)
        self.dropout = WordDropout(config.dropout)
        self.output = nn.Linear(2 * config.hidden, classes)
        self.tap_widths = {"fine": widths[-2] if halvings > 1 else widths[-1], "deep": config.width}
        self.recurrent_taps = [*(f"recurrent{k}" for k in range(1, config.layers)), "recurrent"]
        self.tap_widths |= dict.fromkeys(self.recurrent_taps, 2 * config.hidden)

    def output_length(self, lengths: Rows) -> Rows:
        return (lengths + self.stride - 1) // self.stride

    def encode(self, features: Tensor, lengths: Tensor) -> Encoded:
        x, frames, taps = self._convolved(features, lengths)
        mask = frame_mask(frames, x.shape[2])
        taps["deep"] = FeatureMap(x.transpose(1, 2), frames)
        x = self.stem_norm(x.transpose(1, 2))
        turned = reversed_positions(frames, x.shape[1])
        layers = zip(self.recurrent_taps, self.forward_lstm, self.backward_lstm, self.norms, strict=True)
        for name, ahead, back, norm in layers:
            there, _ = ahead(x)
            back_again, _ = back(gathered(x, turned))
            x = norm(torch.cat([there, gathered(back_again, turned)], dim=2))
            taps[name] = FeatureMap(x * mask.transpose(1, 2), frames)
            x = self.dropout(x)
        return Encoded(log_distribution(self.output(x)), frames, taps)

    def _convolved(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, dict[str, FeatureMap]]:
        """Maps (B, C, T') behind all convolutions, their lengths, and the tap on the way."""
        frames = lengths
        x = features.transpose(1, 2) * frame_mask(frames, features.shape[1])
        taps: dict[str, FeatureMap] = {}
        for number, stem in enumerate(self.stem, start=1):
            frames = (frames + 1) // 2
            x = nn.functional.gelu(stem(x))
            mask = frame_mask(frames, x.shape[2])
            x = x * mask
            if number == max(len(self.stem) - 1, 1):
                for fine in self.fine:
                    x = fine(x, mask)
                taps["fine"] = FeatureMap(x.transpose(1, 2), frames)
        for block in self.blocks:
            x = (x + nn.functional.gelu(block(x))) * mask
        for deep in self.deep:
            x = deep(x, mask)
        return x, frames, taps
