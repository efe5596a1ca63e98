"""The encoder: convolutions, two bidirectional LSTM layers, one output per letter and the blank."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from models.training.config import NetworkConfig


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


class Recogniser(nn.Module):
    """Features (B, T, F) with lengths (B,) to log-probabilities (B, ceil(T / stride), V).

    Every layer is masked to the true lengths and the backward LSTM starts at each word's own end, so what
    else is in the batch never changes a result.
    """

    def __init__(self, config: NetworkConfig, features: int, classes: int) -> None:
        super().__init__()
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
        self.dropout = config.dropout
        self.output = nn.Linear(2 * config.hidden, classes)

    def output_length(self, lengths: Tensor) -> Tensor:
        """Output frames for `lengths` feature rows."""
        return (lengths + self.stride - 1) // self.stride

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        frames = lengths
        mask = _mask(frames, features.shape[1])
        x = features.transpose(1, 2) * mask
        for number, stem in enumerate(self.stem, start=1):
            frames = (frames + 1) // 2
            x = nn.functional.gelu(stem(x))
            mask = _mask(frames, x.shape[2])
            x = x * mask
            if number == len(self.stem) - 1:
                for fine in self.fine:
                    x = fine(x, mask)
        for block in self.blocks:
            x = (x + nn.functional.gelu(block(x))) * mask
        for deep in self.deep:
            x = deep(x, mask)
        x = self.stem_norm(x.transpose(1, 2))
        turned = _reversed_positions(frames, x.shape[1])
        for ahead, back, norm in zip(self.forward_lstm, self.backward_lstm, self.norms, strict=True):
            there, _ = ahead(x)
            back_again, _ = back(_gather(x, turned))
            x = self._dropped(norm(torch.cat([there, _gather(back_again, turned)], dim=2)))
        logits: Tensor = self.output(x)
        return nn.functional.log_softmax(logits.float(), dim=2)

    def _dropped(self, x: Tensor) -> Tensor:
        """Dropout with one mask for all frames of a word (Gal & Ghahramani 2016): cheap, kind to LSTMs."""
        if not self.training or self.dropout == 0.0:
            return x
        keep = 1.0 - self.dropout
        mask = torch.empty(x.shape[0], 1, x.shape[2], dtype=x.dtype, device=x.device).bernoulli_(keep)
        return x * (mask / keep)


def _mask(lengths: Tensor, size: int | Tensor) -> Tensor:
    """(B, 1, size) ones up to each length."""
    positions = torch.arange(size, device=lengths.device)  # type: ignore[arg-type]
    return (positions[None, :] < lengths[:, None]).unsqueeze(1).float()


def _reversed_positions(lengths: Tensor, size: int | Tensor) -> Tensor:
    """(B, size) indices that turn each word round within its own length; padding stays where it is."""
    positions = torch.arange(size, device=lengths.device)[None, :]  # type: ignore[arg-type]
    turned = lengths[:, None] - 1 - positions
    return torch.where(turned >= 0, turned, positions)


def _gather(x: Tensor, positions: Tensor) -> Tensor:
    return torch.gather(x, 1, positions.unsqueeze(2).expand(-1, -1, x.shape[2]))
