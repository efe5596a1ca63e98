"""The sizes of each encoder; the defaults are the published ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Ours: `stride` feature rows (4 or 8) make one output frame.

    blocks: plain residual convolutions at full stride; fine, deep: pre-normalised residual blocks at half the
    stride and at full stride, identities at the start, so that a trained network can grow them
    `dropout` acts between the recurrent layers and before the output.
    """

    stride: int = 8
    stem: int = 64
    width: int = 96
    blocks: int = 1
    fine: int = 0
    deep: int = 0
    hidden: int = 128
    layers: int = 2
    dropout: float = 0.2


@dataclass(frozen=True, slots=True)
class CnnBilstmConfig:
    """CNN+BiLSTM of the OnHW benchmark (Ott et al., IJDAR 2022): two pooled convolutions, two layers."""

    filters: int = 200
    kernel: int = 4
    hidden: int = 60
    layers: int = 2
    dense: int = 100
    dropout: float = 0.2


@dataclass(frozen=True, slots=True)
class CldnnConfig:
    """CLDNN (Wehbi et al. 2021): three pooled convolutions, each half as wide as the one before."""

    filters: int = 512
    hidden: int = 64
    layers: int = 2
    dense: int = 100
    dropout: float = 0.3


@dataclass(frozen=True, slots=True)
class RewiConfig:
    """REWI (Li et al., iWOAR 2025): `stages` halvings, each twice as wide, with `blocks` blocks behind each.

    The defaults are REWI-B; REWI_S has the sizes of REWI-S.
    """

    width: int = 128
    stages: int = 3
    blocks: int = 3
    hidden: int = 128
    layers: int = 3
    dropout: float = 0.2


REWI_S = RewiConfig(width=64, blocks=1, hidden=64, layers=2)


@dataclass(frozen=True, slots=True)
class StreamingConfig:
    """Causal encoder that reads while the pen writes.

    stride:           feature rows per output frame: 4, 8 or 16
    width, kernel:    channels and taps of the causal convolutions, `blocks` of them at full stride
    hidden, layers:   of the forward LSTM
    lookahead_frames: output frames that it waits before it says what it read
    """

    stride: int = 8
    width: int = 128
    kernel: int = 5
    blocks: int = 2
    hidden: int = 160
    layers: int = 2
    lookahead_frames: int = 2
    dropout: float = 0.2


KINDS = ("penapp", "cnn_bilstm", "cldnn", "rewi_s", "rewi_b", "streaming")

EncoderConfig = NetworkConfig | CnnBilstmConfig | CldnnConfig | RewiConfig | StreamingConfig
