"""Attention whose heads can be switched off by the token that asks (as in ECHWR, Li et al. 2026)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.training.objectives.distances import wide
from penapp.errors import BadInputError


class GatedAttention(nn.Module):
    """Multi-head attention; each head's answer is multiplied by sigmoid(linear(query token)).

    queries (B, Q, W) and tokens (B, T, W) to (B, Q, W); valid (B, T) bool: which tokens may be looked at.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if width % heads:
            raise BadInputError(f"attention of width {width} cannot be split into {heads} heads.")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.gate = nn.Linear(width, heads)
        self.output = nn.Linear(width, width)

    def forward(self, queries: Tensor, tokens: Tensor, valid: Tensor | None = None) -> Tensor:
        answers = nn.functional.scaled_dot_product_attention(
            self._split(self.query(queries)),
            self._split(self.key(tokens)),
            self._split(self.value(tokens)),
            attn_mask=None if valid is None else valid[:, None, None, :],
            dropout_p=self.dropout if self.training else 0.0,
        )
        gates = torch.sigmoid(self.gate(queries)).transpose(1, 2).unsqueeze(3)
        joined: Tensor = self.output((answers * gates).transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor) -> Tensor:
        split: Tensor = x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
        return split


class AttentionPool(nn.Module):
    """A feature map (B, T, C) with lengths (B,) to (B, W): its mean asks, mean and frames answer.

    Linear C to W; the mean of the valid frames in front; sinusoidal positions; one gated attention with the
    mean token as its only query. Frames beyond the length count nowhere.
    """

    def __init__(self, channels: int, width: int, heads: int = 8) -> None:
        super().__init__()
        self.input = nn.Linear(channels, width)
        self.attention = GatedAttention(width, heads)

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        valid = torch.arange(values.shape[1], device=values.device)[None, :] < lengths[:, None]
        frames = self.input(values.masked_fill(~valid[:, :, None], 0.0))
        frames = frames.masked_fill(~valid[:, :, None], 0.0)
        mean = frames.sum(1, keepdim=True) / lengths.clamp(min=1)[:, None, None]
        tokens = torch.cat([mean, frames], dim=1)
        tokens = tokens + sinusoids(tokens.shape[1], tokens.shape[2], tokens.device).to(tokens.dtype)
        seen = nn.functional.pad(valid, (1, 0), value=True)
        pooled: Tensor = self.attention(tokens[:, :1], tokens, seen).squeeze(1)
        return wide(pooled)


def sinusoids(length: int, width: int, device: torch.device) -> Tensor:
    """(length, width) positions as sines and cosines of geometric wavelengths (Vaswani et al. 2017)."""
    place = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    pair = torch.arange(width, device=device) // 2
    angles = place * torch.pow(10000.0, -2.0 * pair / width)[None, :]
    even = torch.arange(width, device=device) % 2 == 0
    return torch.where(even[None, :], angles.sin(), angles.cos())
