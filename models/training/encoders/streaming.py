"""A causal encoder that reads while the pen writes; its whole state is a flat tuple of tensors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.training.encoders.contract import Encoded, FeatureMap, PenEncoder, Rows
from models.training.encoders.masked import WordDropout, frame_mask, log_distribution
from models.training.encoders.settings import StreamingConfig
from penapp.errors import BadInputError


class StreamState(NamedTuple):
    """What the encoder remembers between two steps; all zeros where a word begins.

    rows:   (B, F, k - 2)      the last feature rows
    halved: (B, H, C, k - 2)   the last frames before each further halving
    blocks: (B, N, C, k - 1)   the last normalised frames before each block's convolution
    hidden: (B, layers, size)  of the LSTM layers
    cell:   (B, layers, size)
    """

    rows: Tensor
    halved: Tensor
    blocks: Tensor
    hidden: Tensor
    cell: Tensor


class CausalBlock(nn.Module):
    """Normalise each frame, mix k frames up to the present one, mix channels, add."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, kernel)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        calm = torch.cat([before, self.norm(x.transpose(1, 2)).transpose(1, 2)], dim=2)
        mixed: Tensor = self.mix(nn.functional.gelu(self.conv(calm)))
        return x + mixed, calm[:, :, -before.shape[2] :]


class StreamingEncoder(PenEncoder):
    """Causal strided convolutions, causal residual blocks, forward LSTM layers, one linear layer.

    Every layer looks at the past alone. The look-ahead is a delay of the output (Graves & Schmidhuber 2005):
    frame j is what the network says `lookahead_frames` later, so at the end of a word it reads that many
    frames of zero rows. A word has ceil(rows / stride) output frames; the last one is filled with zero rows.
    """

    receptive_rows = None

    def __init__(self, config: StreamingConfig, features: int, classes: int) -> None:
        super().__init__()
        _check(config)
        self.config = config
        self.features, self.classes, self.stride = features, classes, config.stride
        self.lookahead_rows = config.lookahead_frames * config.stride
        halvings = config.stride.bit_length() - 1
        self.tap_widths = {f"conv{i}": config.width for i in range(1, halvings + 1)}
        self.tap_widths |= {"blocks": config.width, "recurrent": config.hidden}
        sizes = [features] + [config.width] * (halvings - 1)
        self.halvings = nn.ModuleList(nn.Conv1d(n, config.width, config.kernel, stride=2) for n in sizes)
        self.blocks = nn.ModuleList(CausalBlock(config.width, config.kernel) for _ in range(config.blocks))
        self.stem_norm = nn.LayerNorm(config.width)
        self.dropout = WordDropout(config.dropout)
        inputs = [config.width] + [config.hidden] * (config.layers - 1)
        self.lstm = nn.ModuleList(nn.LSTM(n, config.hidden, batch_first=True) for n in inputs)
        self.norms = nn.ModuleList(nn.LayerNorm(config.hidden) for _ in inputs)
        self.output = nn.Linear(config.hidden, classes)

    def output_length(self, lengths: Rows) -> Rows:
        return (lengths + self.stride - 1) // self.stride

    def initial_state(self, words: int) -> StreamState:
        """The state at the beginning of `words` words."""
        c, like = self.config, self.output.weight
        return StreamState(
            like.new_zeros(words, self.features, c.kernel - 2),
            like.new_zeros(words, len(self.halvings) - 1, c.width, c.kernel - 2),
            like.new_zeros(words, c.blocks, c.width, c.kernel - 1),
            like.new_zeros(words, c.layers, c.hidden),
            like.new_zeros(words, c.layers, c.hidden),
        )

    def step(self, rows: Tensor, state: StreamState) -> tuple[Tensor, StreamState]:
        """Read rows (B, n * stride, F) on from `state`: log-probabilities (B, n, V), the state behind them.

        The first `lookahead_frames` frames of a word lie before its beginning and are to be dropped; that
        many frames of zero rows behind its end bring out its last ones.

        Raises:
            BadInputError: the number of rows is no multiple of the stride, or there are none
        """
        if not torch.onnx.is_in_onnx_export() and (not rows.shape[1] or rows.shape[1] % self.stride):
            raise BadInputError(
                f"a step of {rows.shape[1]} feature rows, expected a multiple of {self.stride}.",
                advice="Keep the rest for the next step; fill up with zero rows at the end of a word.",
            )
        maps, state = self._run(rows.transpose(1, 2), state)
        return log_distribution(self.output(maps["recurrent"])), state

    def encode(self, features: Tensor, lengths: Tensor) -> Encoded:
        late = self.config.lookahead_frames
        end = (self.output_length(features.shape[1]) + late) * self.stride
        rows = nn.functional.pad(features, (0, 0, 0, (late + 1) * self.stride - 1))[:, :end]
        x = rows.transpose(1, 2) * frame_mask(lengths, rows.shape[1])
        maps, _ = self._run(x, self.initial_state(features.shape[0]))
        maps["recurrent"] = maps["recurrent"][:, late:]
        taps, frames = {}, lengths
        for name, values in maps.items():
            frames = (frames + 1) // 2 if name.startswith("conv") else frames
            mask = frame_mask(frames, values.shape[1]).transpose(1, 2)
            taps[name] = FeatureMap(values * mask, frames)
        return Encoded(log_distribution(self.output(maps["recurrent"])), frames, taps)

    def _run(self, x: Tensor, state: StreamState) -> tuple[dict[str, Tensor], StreamState]:
        """Rows (B, F, n * stride) to the maps (B, T, C) of every depth, and the state behind them."""
        maps: dict[str, Tensor] = {}
        befores = [state.rows, *state.halved.unbind(1)]
        for i, conv in enumerate(self.halvings):
            x = torch.cat([befores[i], x], dim=2)
            befores[i] = x[:, :, -befores[i].shape[2] :]
            x = nn.functional.gelu(conv(x))
            maps[f"conv{i + 1}"] = x.transpose(1, 2)
        blocks = list(state.blocks.unbind(1))
        for i, block in enumerate(self.blocks):
            x, blocks[i] = block(x, blocks[i])
        maps["blocks"] = x.transpose(1, 2)
        maps["recurrent"], hidden, cell = self._recur(self.stem_norm(maps["blocks"]), state)
        return maps, StreamState(
            befores[0], torch.stack(befores[1:], dim=1), torch.stack(blocks, dim=1), hidden, cell
        )

    def _recur(self, x: Tensor, state: StreamState) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, C) through the LSTM layers: their last output, and hidden and cell (B, layers, size)."""
        hidden, cell = [], []
        for i, (lstm, norm) in enumerate(zip(self.lstm, self.norms, strict=True)):
            begin = (state.hidden[:, i].unsqueeze(0), state.cell[:, i].unsqueeze(0))
            x, (h, c) = lstm(x.contiguous(), begin)
            x = self.dropout(norm(x))
            hidden.append(h.squeeze(0))
            cell.append(c.squeeze(0))
        return x, torch.stack(hidden, dim=1), torch.stack(cell, dim=1)


def _check(config: StreamingConfig) -> None:
    """BadInputError for sizes whose state would have an empty part."""
    if config.stride not in (4, 8, 16):
        raise BadInputError(f"stride {config.stride} of the streaming encoder, expected 4, 8 or 16")
    if config.kernel < 3 or config.blocks < 1 or config.layers < 1 or config.lookahead_frames < 0:
        raise BadInputError(
            f"kernel {config.kernel}, blocks {config.blocks}, layers {config.layers}, look-ahead "
            f"{config.lookahead_frames} of the streaming encoder",
            advice="Expected at least 3, 1, 1 and 0.",
        )
