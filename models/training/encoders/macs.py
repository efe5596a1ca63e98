"""One count of multiply-accumulates for all encoders, and the table that compares them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.training.encoders.contract import PenEncoder
from models.training.encoders.factory import DEFAULTS, build_encoder
from penapp.errors import BadInputError

GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}

FREE = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm1d, nn.PReLU)
"""Layers with parameters that are not counted: a few operations per value, as everybody counts."""


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """One line of the table, in the form that inference uses (`fused`)."""

    name: str
    parameters: int
    macs_1024: int
    macs_182: int
    stride: int
    receptive_rows: int | None
    lookahead_rows: int | None


def count_macs(encoder: PenEncoder, rows: int) -> int:
    """Multiply-accumulates of convolutions, linear and recurrent layers for one word of `rows` rows.

    Biases, normalisation and activations are free. An LSTM costs 4 * h * (inputs + h) per step and direction.

    Raises:
        BadInputError: a layer with parameters that nobody said how to count
    """
    return sum(macs_by_layer(encoder, rows).values())


def macs_by_layer(encoder: PenEncoder, rows: int) -> dict[str, int]:
    """The parts of `count_macs`, by the name of the layer, in the order of running."""
    found: Counter[str] = Counter()
    hooks, mode = [], encoder.training
    for name, layer in encoder.named_modules():
        if next(layer.parameters(recurse=False), None) is None or isinstance(layer, FREE):
            continue
        if not isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear | nn.RNNBase):
            raise BadInputError(f"do not know how to count {name}, a {type(layer).__name__}")

        def add(layer: nn.Module, _: object, out: Tensor | tuple[Tensor, ...], name: str = name) -> None:
            found[name] += _layer_macs(layer, out if isinstance(out, Tensor) else out[0])

        hooks.append(layer.register_forward_hook(add))
    try:
        with torch.no_grad():
            like = next(encoder.parameters())
            encoder.eval()(
                like.new_zeros(1, rows, encoder.features), torch.tensor([rows], device=like.device)
            )
    finally:
        encoder.train(mode)
        for hook in hooks:
            hook.remove()
    return dict(found)


def _layer_macs(layer: nn.Module, out: Tensor) -> int:
    """Multiply-accumulates behind one output: (.., C), of convolutions (B, C, ..)."""
    if isinstance(layer, nn.RNNBase):
        directions = 2 if layer.bidirectional else 1
        inputs = [layer.input_size] + [layer.hidden_size * directions] * (layer.num_layers - 1)
        per_step = sum(GATES[layer.mode] * layer.hidden_size * (n + layer.hidden_size) for n in inputs)
        return directions * per_step * math.prod(out.shape[:-1])
    if isinstance(layer, nn.Linear):
        return out.numel() * layer.in_features
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        return out.numel() // layer.out_channels * layer.weight.numel()
    raise TypeError(type(layer).__name__)


def encoder_facts(name: str, encoder: PenEncoder) -> EncoderFacts:
    """Count an encoder in its fused form."""
    fused = encoder.fused()
    return EncoderFacts(
        name,
        sum(p.numel() for p in fused.parameters()),
        count_macs(fused, 1024),
        count_macs(fused, 182),
        fused.stride,
        fused.receptive_rows,
        fused.lookahead_rows,
    )


def encoder_table(features: int, classes: int) -> str:
    """Every encoder at its own sizes, one per line; a median word has 182 rows."""
    lines = [
        f"{'encoder':12}{'parameters':>12}{'MACs/1024':>12}{'MACs/182':>12}{'stride':>8}  sees, waits for"
    ]
    for kind in DEFAULTS:
        torch.manual_seed(0)
        lines.append(_line(encoder_facts(kind, build_encoder(kind, features, classes))))
    return "\n".join(lines)


def _line(facts: EncoderFacts) -> str:
    """One row; in feature rows: what an output frame sees and what it waits for."""
    past = "whole word" if facts.lookahead_rows is None else "all before it"
    sees = past if facts.receptive_rows is None else f"{facts.receptive_rows} rows"
    waits = "end of word" if facts.lookahead_rows is None else f"{facts.lookahead_rows} rows"
    cost = f"{facts.macs_1024 / 1e6:>10.1f} M{facts.macs_182 / 1e6:>10.1f} M"
    return f"{facts.name:12}{facts.parameters:>12,}{cost}{facts.stride:>8}  {sees}, {waits}"
