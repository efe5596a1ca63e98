"""REWI-S and REWI-B: multi-scale depth-wise convolutions, instance norm, BiLSTM.

Facts: Li et al., iWOAR 2025, arXiv 2502.20954. Published parameter counts hold for the fused form.
Where we differ: log_softmax instead of a softmax that the loss mixes with a uniform distribution (alpha
1e-6); instance statistics over true frames instead of over padding too; the backward LSTM starts at each
word's own end instead of in the padding; no padding of a recording by the length of its label.
Words of two or three deep frames (16 to 31 rows) are ill-conditioned by design: a channel that hardly changes
is blown up to variance 1, rounding errors with it, in every block.
"""

from __future__ import annotations

import copy
from typing import Self

import torch
from torch import Tensor, nn

from models.training.encoders.contract import Encoded, FeatureMap, PenEncoder, Rows
from models.training.encoders.masked import BiLstm, at_least, frame_mask, instance_norm, log_distribution
from models.training.encoders.settings import RewiConfig

KERNELS = (1, 3, 5)


class MultiScaleConv(nn.Module):
    """(B, C, T) to the same shape: depth-wise kernels of 1, 3 and 5 frames to 2C, summed, mixed back to C."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_depth_wise(width, kernel) for kernel in KERNELS)
        self.mix = nn.Conv1d(2 * width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if len(self.branches) == 1:
            spread = self.branches[0](x)
        else:
            spread = _spread(x, *_summed([b for b in self.branches if isinstance(b, nn.Conv1d)]))
        out: Tensor = self.dropout(nn.functional.gelu(instance_norm(self.mix(spread), mask)))
        return out

    def fold(self) -> None:
        """Fold the narrow kernels into the widest; changes nothing when done already."""
        self.branches = nn.ModuleList([_folded([b for b in self.branches if isinstance(b, nn.Conv1d)])])


class _Stage(nn.Module):
    """Join two frames into one, normalise, then the blocks: (B, N, T) to (B, C, T // 2)."""

    def __init__(self, inputs: int, width: int, config: RewiConfig) -> None:
        super().__init__()
        self.patch = nn.Conv1d(inputs, width, 2, stride=2)
        self.blocks = nn.ModuleList(MultiScaleConv(width, config.dropout) for _ in range(config.blocks))

    def forward(self, x: Tensor, frames: Tensor) -> Tensor:
        x = self.patch(x)
        mask = frame_mask(frames, x.shape[2])
        x = instance_norm(x, mask)
        for block in self.blocks:
            x = block(x, mask)
        return x


class Rewi(PenEncoder):
    """Three stages, a BiLSTM, one linear layer; a word has floor(rows / stride) output frames."""

    receptive_rows = None
    lookahead_rows = None

    def __init__(self, config: RewiConfig, features: int, classes: int) -> None:
        super().__init__()
        self.features, self.classes = features, classes
        self.stride = 2**config.stages
        widths = [config.width * 2**i for i in range(config.stages)]
        self.tap_widths = {f"conv{i}": width for i, width in enumerate(widths, start=1)}
        self.tap_widths["recurrent"] = 2 * config.hidden
        self.stages = nn.ModuleList(
            _Stage(n, m, config) for n, m in zip([features, *widths[:-1]], widths, strict=True)
        )
        self.recurrent = BiLstm(widths[-1], config.hidden, config.layers, config.dropout)
        self.output = nn.Linear(2 * config.hidden, classes)

    def output_length(self, lengths: Rows) -> Rows:
        return lengths // self.stride

    def encode(self, features: Tensor, lengths: Tensor) -> Encoded:
        shown = self.output_length(features.shape[1])
        features = at_least(features, self.stride)
        x = features.transpose(1, 2) * frame_mask(lengths, features.shape[1])
        frames, taps = lengths, {}
        for i, stage in enumerate(self.stages, start=1):
            frames = frames // 2
            x = stage(x, frames)
            taps[f"conv{i}"] = FeatureMap(x.transpose(1, 2), frames)
        read: Tensor = self.recurrent(x.transpose(1, 2), frames)
        taps["recurrent"] = FeatureMap(read, frames)
        return Encoded(log_distribution(self.output(read[:, :shown])), frames, taps)

    def fused(self) -> Self:
        """A copy in evaluation mode with one depth-wise kernel per block."""
        twin = copy.deepcopy(self).eval()
        for module in twin.modules():
            if isinstance(module, MultiScaleConv):
                module.fold()
        return twin


def _depth_wise(width: int, kernel: int) -> nn.Conv1d:
    return nn.Conv1d(width, 2 * width, kernel, padding=kernel // 2, groups=width)


def _spread(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A depth-wise convolution as two of one output a channel: twice as fast forth and back on a CPU."""
    beside, channels = weight.shape[2] // 2, x.shape[1]
    halves = [
        nn.functional.conv1d(x, weight[k::2], bias[k::2], padding=beside, groups=channels) for k in (0, 1)
    ]
    return torch.stack(halves, dim=2).flatten(1, 2)


def _summed(branches: list[nn.Conv1d]) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one convolution that is the sum of all: narrow kernels amid the widest.

    Exact, and faster than one depth-wise convolution after the other.
    """
    beside = [(max(KERNELS) - branch.weight.shape[2]) // 2 for branch in branches]
    padded = [nn.functional.pad(b.weight, (n, n)) for b, n in zip(branches, beside, strict=True)]
    return sum(padded[1:], padded[0]), torch.stack([b.bias for b in branches if b.bias is not None]).sum(0)


@torch.no_grad()
def _folded(branches: list[nn.Conv1d]) -> nn.Conv1d:
    """One depth-wise convolution that gives the sum of all: narrow kernels in the middle of the widest."""
    like = branches[0].weight
    folded = _depth_wise(branches[0].in_channels, max(KERNELS)).to(like.device, like.dtype)
    weight, bias = _summed(branches)
    folded.weight.copy_(weight)
    folded.bias.copy_(bias)  # type: ignore[union-attr]
    return folded
