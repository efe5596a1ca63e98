"""The offline recogniser: a gated, fully convolutional CTC network without recurrence.

In the spirit of the image branch of cross-modal learning by triplets (Ott et al., arXiv 2202.07901) and of
the recurrence-free text recogniser it took for images (Yousef et al., arXiv 1812.11894): residual
convolutions fold the height away, gated convolutions along the line see the context of a letter.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from penapp.errors import BadInputError

STRIDE = 4
"""Pixels of width a frame of the output stands for."""
TAPS = ("shape", "column", "letter", "context")
"""Depths at which features can be read, from shallow to deep."""


@dataclass(frozen=True, slots=True)
class ImageNetworkConfig:
    """Sizes. stem, middle, upper: channels at 1/2, 1/4 and 1/8 of the height; width: along the line.

    height: px of the pictures, a multiple of 8
    blocks: gated blocks along the line, at least 2; reach: frames each of them mixes, odd
    dropout: of whole channels, in the gated blocks and before the output
    """

    height: int = 32
    stem: int = 16
    middle: int = 48
    upper: int = 80
    width: int = 128
    blocks: int = 3
    reach: int = 5
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.height % 8 or self.height < 8 or self.blocks < 2 or self.reach % 2 == 0:
            raise BadInputError(
                f"pictures of {self.height} px, {self.blocks} blocks of reach {self.reach}; expected "
                "a multiple of 8 px, 2 blocks or more and an odd reach."
            )


@dataclass(frozen=True, slots=True)
class ImageReading:
    """What the network makes of B pictures.

    log_probs: (B, T, V); lengths: (B,) frames of each picture, ceil(width / STRIDE)
    taps: by name in TAPS, (values (B, T, C), lengths (B,)); values beyond a length are 0
    """

    log_probs: Tensor
    lengths: Tensor
    taps: dict[str, tuple[Tensor, Tensor]]


class ResidualPixels(nn.Module):
    """Two 3x3 convolutions added to their input (B, C, H, W); adds nothing at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        calm = over_channels(self.norm, x) * mask
        changed: Tensor = self.second(nn.functional.gelu(self.first(calm)) * mask)
        return x + changed * mask


class GatedLine(nn.Module):
    """Normalise, mix frames, let half the channels gate the other half, add; (B, C, T) stays."""

    def __init__(self, channels: int, reach: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.mix = nn.Conv1d(channels, 2 * channels, reach, padding=reach // 2)
        self.out = nn.Conv1d(channels, channels, 1)
        self.drop = nn.Dropout1d(dropout)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        gated = nn.functional.glu(self.mix(over_channels(self.norm, x) * mask), dim=1)
        changed: Tensor = self.out(self.drop(gated))
        return x + changed * mask


class ImageRecogniser(nn.Module):
    """Pictures (B, 1, H, W) in 0-1 with widths (B,) to log-probabilities and features at several depths.

    Every layer is masked to the true widths: neither padding nor the rest of the batch changes a result.
    """

    def __init__(self, config: ImageNetworkConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        c = config
        self.halved = nn.Conv2d(1, c.stem, 5, stride=2, padding=2)
        self.quartered = nn.Conv2d(c.stem, c.middle, 3, stride=2, padding=1)
        self.middle = ResidualPixels(c.middle)
        self.flattened = nn.Conv2d(c.middle, c.upper, 3, stride=(2, 1), padding=1)
        self.upper = ResidualPixels(c.upper)
        self.fold_norm = nn.LayerNorm(c.upper)
        self.fold = nn.Conv2d(c.upper, c.width, (c.height // 8, 1))
        self.line = nn.ModuleList(GatedLine(c.width, c.reach, c.dropout) for _ in range(c.blocks))
        self.norm = nn.LayerNorm(c.width)
        self.drop = nn.Dropout1d(c.dropout)
        self.output = nn.Conv1d(c.width, classes, 1)

    def output_length(self, widths: Tensor) -> Tensor:
        """Frames for pictures that many px wide."""
        return (widths + STRIDE - 1) // STRIDE

    def tap_channels(self) -> dict[str, int]:
        """Channels of each tap."""
        return {"shape": self.config.middle} | dict.fromkeys(TAPS[1:], self.config.width)

    def forward(self, images: Tensor, widths: Tensor) -> ImageReading:
        if images.shape[2] != self.config.height:
            raise BadInputError(
                f"pictures of {images.shape[2]} px height, this network reads {self.config.height} px.",
                advice="Render with the height that the network was made for.",
            )
        lengths = self.output_length(widths)
        shape, column = self._columns(images, widths)
        mask = width_mask(lengths, column.shape[2])
        taps = {"shape": shape, "column": column}
        x = column
        for number, block in enumerate(self.line, start=1):
            x = block(x, mask)
            if number == len(self.line) // 2:
                taps["letter"] = x
        x = over_channels(self.norm, x) * mask
        taps["context"] = x
        logits: Tensor = self.output(self.drop(x))
        log_probs = nn.functional.log_softmax(logits.transpose(1, 2).float(), dim=2)
        read = {name: (value.transpose(1, 2).float(), lengths) for name, value in taps.items()}
        return ImageReading(log_probs, lengths, read)

    def _columns(self, images: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Means over the height (B, middle, T) at a quarter of the size, and folded columns (B, width, T)."""
        x = images * width_mask(widths, images.shape[3]).unsqueeze(2)
        x = x.contiguous(memory_format=torch.channels_last)
        halves = (widths + 1) // 2
        x = nn.functional.gelu(self.halved(x))
        x = x * width_mask(halves, x.shape[3]).unsqueeze(2)
        x = self.quartered(x)
        mask = width_mask((halves + 1) // 2, x.shape[3]).unsqueeze(2)
        x = self.middle(x * mask, mask)
        shape = x.mean(dim=2)
        x = self.upper(self.flattened(nn.functional.gelu(x)) * mask, mask)
        x = nn.functional.gelu(over_channels(self.fold_norm, x))
        folded: Tensor = self.fold(x).squeeze(2)
        return shape, folded * mask.squeeze(2)


def over_channels(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    """The norm over dimension 1 of (B, C, ...)."""
    calm: Tensor = norm(x.movedim(1, -1))
    return calm.movedim(-1, 1)


def width_mask(widths: Tensor, size: int) -> Tensor:
    """(B, 1, size) float ones up to each width."""
    return (torch.arange(size, device=widths.device)[None, :] < widths[:, None]).unsqueeze(1).float()
