"""Layers that see true frames only, so that padding and neighbours in the batch change nothing."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def frame_mask(lengths: Tensor, size: int) -> Tensor:
    """(B, 1, size) float ones up to each length."""
    positions = torch.arange(size, device=lengths.device)
    return (positions[None, :] < lengths[:, None]).unsqueeze(1).float()


def at_least(features: Tensor, rows: int) -> Tensor:
    """(B, T, F) to (B, max(T, rows), F), zeros behind: a word shorter than one frame still passes."""
    if not torch.onnx.is_in_onnx_export():
        return nn.functional.pad(features, (0, 0, 0, max(rows - features.shape[1], 0)))
    end = torch.as_tensor(features.shape[1]).clamp(min=rows)  # the exported file follows the real size
    return nn.functional.pad(features, (0, 0, 0, rows - 1))[:, :end]


def at_least_float32(x: Tensor) -> Tensor:
    """The same values in float32, or in float64 where they came so: half precision cannot hold statistics."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def log_distribution(logits: Tensor) -> Tensor:
    """Log-softmax over the last axis, in float32 or better whatever autocast made of the logits."""
    return nn.functional.log_softmax(at_least_float32(logits), dim=-1)


def pad_same(x: Tensor, kernel: int) -> Tensor:
    """(B, C, T) padded so that a convolution keeps T; an even kernel gets its odd zero behind the word."""
    return nn.functional.pad(x, ((kernel - 1) // 2, kernel // 2))


def instance_norm(x: Tensor, mask: Tensor, eps: float = 1e-5) -> Tensor:
    """Each channel (B, C, T) of a word to mean 0 and variance 1 over its true frames; zeros elsewhere.

    A word of a single frame becomes zero (its only value is its own mean).
    """
    values = at_least_float32(x)
    frames = mask.sum(2, keepdim=True).clamp(min=1.0)
    mean = (values * mask).sum(2, keepdim=True) / frames
    centred = (values - mean) * mask
    variance = (centred * centred).sum(2, keepdim=True) / frames
    return centred * torch.rsqrt(variance + eps)


class MaskedBatchNorm(nn.Module):
    """Batch normalisation of (B, C, T) whose statistics come from the true frames; zeros elsewhere."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if not self.training:
            calm: Tensor = self.norm(x)
            return calm * mask
        true = mask.squeeze(1) > 0
        rows: Tensor = self.norm(x.transpose(1, 2)[true])
        spread = rows.new_zeros(x.shape[0], x.shape[2], x.shape[1])
        spread[true] = rows
        return spread.transpose(1, 2)


class BiLstm(nn.Module):
    """Bidirectional LSTM layers, (B, T, N) to (B, T, 2 * hidden), zeros beyond each length.

    The backward half starts at each word's own end. Packed sequences would do the same but do not export to
    ONNX with free batch and time. Dropout acts between the layers.
    """

    def __init__(self, size: int, hidden: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        sizes = [size] + [2 * hidden] * (layers - 1)
        self.ahead = nn.ModuleList(nn.LSTM(n, hidden, batch_first=True) for n in sizes)
        self.back = nn.ModuleList(nn.LSTM(n, hidden, batch_first=True) for n in sizes)
        self.dropout = nn.Dropout(dropout)
        self.width = 2 * hidden

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        turned = reversed_positions(lengths, x.shape[1])
        for number, (ahead, back) in enumerate(zip(self.ahead, self.back, strict=True)):
            if number:
                x = self.dropout(x)
            there, _ = ahead(x)
            back_again, _ = back(gathered(x, turned))
            x = torch.cat([there, gathered(back_again, turned)], dim=2)
        return x * frame_mask(lengths, x.shape[1]).transpose(1, 2)


def reversed_positions(lengths: Tensor, size: int) -> Tensor:
    """(B, size) indices that turn each word round within its own length; padding stays where it is."""
    positions = torch.arange(size, device=lengths.device)[None, :]
    turned = lengths[:, None] - 1 - positions
    return torch.where(turned >= 0, turned, positions)


class WordDropout(nn.Module):
    """Dropout of (B, T, C) at rate `p` with one mask for all frames of a word (Gal & Ghahramani 2016)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        kept = torch.empty(x.shape[0], 1, x.shape[2], dtype=x.dtype, device=x.device).bernoulli_(1.0 - self.p)
        return x * (kept / (1.0 - self.p))


def gathered(x: Tensor, positions: Tensor) -> Tensor:
    """Frames of (B, T, C) in another order, positions (B, T)."""
    return torch.gather(x, 1, positions.unsqueeze(2).expand(-1, -1, x.shape[2]))
