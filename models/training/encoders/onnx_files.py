"""Encoders as ONNX files: whole words, or step by step with the state going in and out."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from models.training.encoders.contract import PenEncoder
from models.training.encoders.streaming import StreamingEncoder, StreamState

STEP_FILE = "step.onnx"
"""Beside model.onnx in the artefact of a streaming encoder."""

STATE_INPUTS = tuple(f"{name}_in" for name in StreamState._fields)
STATE_OUTPUTS = tuple(f"{name}_out" for name in StreamState._fields)


def export_whole_word(encoder: PenEncoder, path: Path) -> None:
    """Write `forward` of the fused encoder: features (batch, rows, F), lengths (batch,) to log_probs."""
    example = (torch.zeros(2, 64, encoder.features), torch.tensor([64, 40]))
    axes = {
        "features": {0: "batch", 1: "rows"},
        "lengths": {0: "batch"},
        "log_probs": {0: "batch", 1: "frames"},
    }
    _write(encoder.fused(), example, path, axes, inputs=("features", "lengths"), outputs=("log_probs",))


def export_step(encoder: StreamingEncoder, path: Path) -> None:
    """Write `step`: rows (batch, n * stride, F) and STATE_INPUTS to log_probs and STATE_OUTPUTS.

    A word begins with zeros of the shapes of `encoder.initial_state`.
    """
    example = (torch.zeros(2, 3 * encoder.stride, encoder.features), *encoder.initial_state(2))
    axes = {name: {0: "batch"} for name in STATE_INPUTS + STATE_OUTPUTS}
    axes |= {"rows": {0: "batch", 1: "rows"}, "log_probs": {0: "batch", 1: "frames"}}
    _write(
        _Step(encoder).train(encoder.training),
        example,
        path,
        axes,
        inputs=("rows", *STATE_INPUTS),
        outputs=("log_probs", *STATE_OUTPUTS),
    )


class _Step(nn.Module):
    """`step` as a forward of plain tensors."""

    def __init__(self, encoder: StreamingEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, rows: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        log_probs, after = self.encoder.step(rows, StreamState(*state))
        return log_probs, *after


def _write(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    axes: dict[str, dict[int, str]],
    *,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
) -> None:
    mode = module.training
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecation and of batch sizes
        torch.onnx.export(
            module.eval(),
            example,
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
        )
    module.train(mode)
