"""From a name and sizes to an encoder."""

from __future__ import annotations

from models.training.encoders.contract import PenEncoder
from models.training.encoders.penapp import Recogniser
from models.training.encoders.pooled import Cldnn, CnnBilstm
from models.training.encoders.rewi import Rewi
from models.training.encoders.settings import (
    REWI_S,
    CldnnConfig,
    CnnBilstmConfig,
    EncoderConfig,
    NetworkConfig,
    RewiConfig,
    StreamingConfig,
)
from models.training.encoders.streaming import StreamingEncoder
from penapp.errors import BadInputError

DEFAULTS: dict[str, EncoderConfig] = {
    "penapp": NetworkConfig(),
    "cnn_bilstm": CnnBilstmConfig(),
    "cldnn": CldnnConfig(),
    "rewi_s": REWI_S,
    "rewi_b": RewiConfig(),
    "streaming": StreamingConfig(),
}
"""Every kind of encoder with its published (or our) sizes."""


def default_config(kind: str) -> EncoderConfig:
    """The sizes of a kind; BadInputError names the known kinds."""
    if kind not in DEFAULTS:
        raise BadInputError(f"unknown encoder {kind!r}.", advice=f"Known: {', '.join(DEFAULTS)}.")
    return DEFAULTS[kind]


def build_encoder(kind: str, features: int, classes: int, config: EncoderConfig | None = None) -> PenEncoder:
    """An encoder of `kind` for F features and V classes (the blank is one), in its own sizes or `config`'s.

    Raises:
        BadInputError: unknown kind, or a configuration of another kind
    """
    expected = default_config(kind)
    sizes = expected if config is None else config
    if type(sizes) is not type(expected):
        raise BadInputError(
            f"encoder {kind} with a {type(sizes).__name__}, expected {type(expected).__name__}"
        )
    match sizes:
        case NetworkConfig():
            return Recogniser(sizes, features, classes)
        case CnnBilstmConfig():
            return CnnBilstm(sizes, features, classes)
        case CldnnConfig():
            return Cldnn(sizes, features, classes)
        case RewiConfig():
            return Rewi(sizes, features, classes)
        case StreamingConfig():
            return StreamingEncoder(sizes, features, classes)
