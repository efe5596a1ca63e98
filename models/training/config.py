"""One TOML file describes a run; unknown keys are errors."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

from models.training.auxiliary.settings import BRANCHES, SCHEDULES, AuxiliaryConfig
from models.training.encoders.settings import KINDS, NetworkConfig, StreamingConfig
from models.training.raw_augment import RawAugmentConfig
from penapp.errors import BadInputError

_T = TypeVar("_T")

ALLOWED: dict[str, tuple[object, ...]] = {
    "network.stride": (2, 4, 8, 16),
    "encoder": KINDS,
    "streaming.stride": (4, 8, 16),
    "auxiliary.branch": BRANCHES,
    "data.selection": ("held-out-writers", "best-on-test"),
    "data.task": ("words", "labels"),
    "auxiliary.schedule": SCHEDULES,
    "device": ("auto", "cpu", "cuda"),
    "precision": ("auto", "float32", "bfloat16"),
    "data.normalisation": ("causal", "per-segment"),
}
"""Keys with few possible values."""

BELOW_ONE = ("augment.mask", "network.dropout", "streaming.dropout", "optim.ema")
"""Probabilities that must leave something over: at 1 nothing would ever be learned, or end."""

NOT_NEGATIVE = ("augment.", "optim.")
"""Sections of strengths, probabilities, counts and rates."""


@dataclass(frozen=True)
class AugmentConfig:
    """Probabilities and strengths, drawn anew for every presentation of a word.

    stretch: largest relative change of tempo (uniform in log); warp: strength of a smooth time warp
    turn_deg: sd of a rotation of forward/side about the vertical; shear: sd of the entries of a further
    linear map of the two (slant, aspect); blur: sd of a change of sharpness
    size: sd of log scale of the motion; noise: sd added to every feature
    concatenate: probability of joining another word of the same session
    mask: probability of blanking a stretch of up to 0.15 s, then of one more, and so on
    channel: probability of losing a feature group
    force: sd of log scale of the force row
    chance: probability of each of the next four where it is not 0
    drift: largest relative change by a smooth drift; offset: largest value of a slow drift that adds
    noise_gain: sd of noise in proportion to the feature; drop: share of values lost in runs of 50-90 ms
    gyro: probability of a pen without gyroscope
    """

    stretch: float = 0.2
    warp: float = 0.15
    turn_deg: float = 10.0
    shear: float = 0.1
    blur: float = 0.0
    size: float = 0.15
    noise: float = 0.05
    concatenate: float = 0.25
    mask: float = 0.3
    channel: float = 0.0
    force: float = 0.1
    chance: float = 0.25
    drift: float = 0.0
    offset: float = 0.0
    noise_gain: float = 0.0
    drop: float = 0.0
    gyro: float = 0.0


@dataclass(frozen=True)
class OptimConfig:
    """AdamW with warm-up and cosine decay over `steps`.

    A step is made of `parts` batches of at most `batch_rows` feature rows each, shared out among the
    processes: 2 parts on one process or on two are the same training.
    short_first: share of the run that opens it with short words, from short_letters to long_letters
    flat_start: steps over which a second loss, letters spread evenly over the word, fades away; 0: CTC alone
    ease_in: steps over which variation and dropout come in: none in their first half, full at their end
    """

    steps: int = 2000
    batch_rows: int = 16000
    parts: int = 2
    lr: float = 3e-3
    weight_decay: float = 0.01
    warmup: float = 0.05
    clip: float = 1.0
    ema: float = 0.999
    short_first: float = 0.05
    short_letters: int = 5
    long_letters: int = 5
    flat_start: int = 0
    ease_in: int = 0


@dataclass(frozen=True)
class DataConfig:
    """What is read.

    corpus, train, val, val_words: shard patterns relative to the corpus folder, each with its share of the
              presentations; the shard of the learning curve and how many of its words
    archive:  instead of shards: a published archive (folder or .zip), of it `source` and `fold` as
              `python -m models.training.archives describe` prints them; raw channels, standardised
    selection, held_out: the checkpoint is chosen by that share of the archive's training writers, or, as
              the literature does, by its test fold (best-on-test)
    max_rows: longer recordings of an archive are left out, as the literature does; 0 keeps all
    alphabet: letters of the targets, by default penapp's, for archives those of OnHW; tokens: columns of
              bigram targets, 0 for letters; task: words (CTC) or labels (one label a recording)
    """

    corpus: str = "corpora"
    train: dict[str, float] = field(default_factory=lambda: {"real-*.npz": 1.0})
    val: str = "val.npz"
    val_words: int = 1200
    writer_flatten: float = 0.5
    normalisation: str = "causal"
    archive: str = ""
    source: str = ""
    fold: str = ""
    selection: str = "held-out-writers"
    held_out: float = 0.1
    max_rows: int = 1024
    alphabet: str = ""
    tokens: int = 0
    task: str = "words"


@dataclass(frozen=True)
class RunConfig:
    """Everything that makes a run what it is.

    encoder: penapp (sizes in `network`), streaming (in `streaming`), or a baseline in its published sizes
    device: auto, cpu or cuda; precision: auto, float32 or bfloat16; tensorboard: curves in the run folder too
    """

    name: str = "run"
    seed: int = 1
    encoder: str = "penapp"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    streaming: StreamingConfig = field(default_factory=StreamingConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    raw: RawAugmentConfig = field(default_factory=RawAugmentConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    data: DataConfig = field(default_factory=DataConfig)
    auxiliary: AuxiliaryConfig = field(default_factory=AuxiliaryConfig)
    evaluate_every: int = 250
    checkpoint_every: int = 100
    device: str = "auto"
    precision: str = "auto"
    tensorboard: bool = False


def load_config(path: Path | None, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a TOML file, or the JSON that a run folder keeps, and apply `a.b=value` overrides.

    Raises:
        BadInputError: no such file, unknown keys (all are named), values of another kind
    """
    table: dict[str, Any] = {}
    if path is not None:
        try:
            text = path.read_text(encoding="utf-8")
            table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        except (OSError, ValueError) as error:
            raise BadInputError(
                f"{path}: {error}.", advice="Expected a TOML file, or the JSON of a run folder."
            ) from error
    for item in overrides:
        key, _, text = item.partition("=")
        if not text:
            raise BadInputError(f"--set {item!r}: expected a.b=value")
        _put(table, key.split("."), _value(text))
    config = _build(RunConfig, table, "")
    if config.data.task == "labels" and config.optim.flat_start:
        raise BadInputError(
            "optim.flat_start spreads the letters of words; data.task is labels.", advice="Set it to 0."
        )
    return config


def dump_config(config: RunConfig) -> dict[str, Any]:
    """The resolved configuration as plain tables."""
    return asdict(config)


def config_from_dump(table: dict[str, Any]) -> RunConfig:
    return _build(RunConfig, table, "")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _put(table: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise BadInputError(f"configuration key {'.'.join(keys)}: {key} is a value, not a section")
    table[keys[-1]] = value


def _build(kind: type[_T], table: dict[str, Any], where: str) -> _T:
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - known)
    if unknown:
        names = ", ".join(where + key for key in unknown)
        raise BadInputError(
            f"unknown configuration key {names}.", advice=f"Known here: {', '.join(sorted(known))}."
        )
    values = {}
    for key, value in table.items():
        hint = hints[key]
        if is_dataclass(hint):
            if not isinstance(value, dict):
                raise BadInputError(f"configuration key {where}{key} is {value!r}, expected a section")
            values[key] = _build(hint, value, f"{where}{key}.")  # type: ignore[arg-type]
        else:
            values[key] = _checked(hint, value, where + key)
    return kind(**values)


def _checked(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if get_origin(hint) is tuple:
        return _names(value, where)
    plain = hint if isinstance(hint, type) else dict
    if not isinstance(value, plain) or (isinstance(value, bool) and plain is not bool):
        raise BadInputError(f"configuration key {where} is {value!r}, expected {plain.__name__}")
    if where in ALLOWED and value not in ALLOWED[where]:
        known = ", ".join(str(allowed) for allowed in ALLOWED[where])
        raise BadInputError(f"configuration key {where} is {value!r}, expected one of {known}")
    if where.startswith(NOT_NEGATIVE) and isinstance(value, int | float) and value < 0:
        raise BadInputError(f"configuration key {where} is {value!r}, expected 0 or more")
    if where in BELOW_ONE and isinstance(value, float) and value >= 1.0:
        raise BadInputError(f"configuration key {where} is {value!r}, expected less than 1")
    if isinstance(value, dict):
        return {key: _checked(float, share, f"{where}.{key}") for key, share in value.items()}
    return value


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise BadInputError(f"configuration key {where} is {value!r}, expected a list of names")
    return tuple(value)
