"""The common space: what turns feature maps of either branch into embeddings that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.training.objectives.attention import AttentionPool
from models.training.objectives.distances import unit, wide
from penapp.errors import BadInputError

POOLINGS = ("slots", "attention")


@dataclass(frozen=True)
class HeadConfig:
    """width: entries of an embedding (of each slot).

    pooling: `slots`, the means of `slots` equal stretches of time (1: the plain mean), or `attention`
    with `heads` heads, which gives one embedding; normalise: each slot to length 1
    """

    width: int = 128
    slots: int = 1
    pooling: str = "slots"
    heads: int = 8
    normalise: bool = True

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise BadInputError(f"pooling is {self.pooling!r}, expected one of {', '.join(POOLINGS)}")
        if self.slots < 1 or (self.pooling == "attention" and self.slots != 1):
            raise BadInputError(
                f"pooling `{self.pooling}` cannot give {self.slots} slots.",
                advice="Attention gives one; `slots` gives any number from 1.",
            )


class Head(nn.Module):
    """A feature map (B, T, C) with lengths (B,) to an embedding (B, D), or (B, K, D) for K > 1 slots.

    What stands beyond the lengths never matters.
    """

    def __init__(self, channels: int, config: HeadConfig) -> None:
        super().__init__()
        self.normalise = config.normalise
        if config.pooling == "attention":
            self.pool: nn.Module = AttentionPool(channels, config.width, config.heads)
        else:
            self.pool = SlotPool(channels, config.width, config.slots)

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        embedding: Tensor = self.pool(values, lengths)
        return unit(embedding) if self.normalise else embedding


class SlotPool(nn.Module):
    """The means of K equal stretches of time, each through the same linear layer."""

    def __init__(self, channels: int, width: int, slots: int) -> None:
        super().__init__()
        self.slots = slots
        self.project = nn.Linear(channels, width)

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        embedding = wide(self.project(slot_means(values, lengths, self.slots)))
        return embedding if self.slots > 1 else embedding[:, 0]


class Heads(nn.Module):
    """One head per tap of one branch: `taps` names each tapped layer and its channels."""

    def __init__(self, taps: Mapping[str, int], config: HeadConfig) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({tap: Head(channels, config) for tap, channels in taps.items()})

    def forward(self, maps: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        """Feature maps (values, lengths) by tap to embeddings by tap; BadInputError when one is missing."""
        missing = sorted(set(self.heads) - set(maps))
        if missing:
            raise BadInputError(f"no feature map for tap {', '.join(missing)}; found {', '.join(maps)}.")
        return {tap: head(*maps[tap]) for tap, head in self.heads.items()}


def slot_means(values: Tensor, lengths: Tensor, slots: int = 1) -> Tensor:
    """Means of `slots` equal stretches of the valid time: (B, T, C) to (B, slots, C), in order.

    A frame that straddles a boundary counts in both stretches by its overlap, so a word of fewer frames
    than slots has a value in each; an empty word gives zeros.
    """
    frames = values.shape[1]
    starts = torch.arange(frames, device=values.device, dtype=torch.float32)
    stretch = lengths.float() / slots
    edges = torch.arange(slots, device=values.device)[None, :] * stretch[:, None]
    from_ = torch.maximum(starts[None, None, :], edges[:, :, None])
    to = torch.minimum(starts[None, None, :] + 1.0, (edges + stretch[:, None])[:, :, None])
    share = (to - from_).clamp(min=0.0) / stretch.clamp(min=1e-6)[:, None, None]
    valid = starts[None, :] < lengths[:, None]
    clean = wide(values.masked_fill(~valid[:, :, None], 0.0))
    with torch.autocast(values.device.type, enabled=False):
        return share.to(clean.dtype) @ clean
