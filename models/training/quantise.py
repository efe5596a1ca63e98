"""An artefact in eight bits: weights of the recurrent and the dense layers, refused when it reads worse."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from models.training.encoders.onnx_files import STEP_FILE
from models.training.shards import Shard
from penapp.dsp.features import Features
from penapp.errors import BadInputError, ModelMismatchError
from penapp.recognise.artefact import file_hash, read_manifest
from penapp.recognise.session import OnnxRecogniser
from penapp.scores import ErrorRates, error_rates

ALLOWED_LOSS = 0.3
"""Largest rise of the greedy CER (points) that eight bits may cost."""

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Quantised:
    """What eight bits cost and save: error rates on the golden words, sizes in bytes."""

    before: ErrorRates
    after: ErrorRates
    bytes_before: int
    bytes_after: int


@click.command("quantise")
@click.argument("artefact", type=_FOLDER)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), metavar="OUT_FOLDER")
@click.option("--golden", type=_FILE, required=True, help="Shard of words that both read.")
def quantise_command(artefact: Path, out: Path, golden: Path) -> None:
    """Write an int8 twin of an artefact; refused when its CER is more than 0.3 points higher."""
    made = quantise(artefact, out, Shard.load(golden))
    print(
        f"{out}: greedy CER {made.before.cer:.2f} to {made.after.cer:.2f} % on {made.before.words} words, "
        f"{made.bytes_before / 1e6:.2f} to {made.bytes_after / 1e6:.2f} MB"
    )


def quantise(artefact: Path, out: Path, golden: Shard) -> Quantised:
    """LSTM and MatMul weights of `artefact` as int8 per channel, activations scaled as they come.

    Raises:
        ModelMismatchError: the int8 network reads the golden words worse than ALLOWED_LOSS; `out` stays
        BadInputError: no golden word
    """
    if not len(golden):
        raise BadInputError("the golden shard holds no word.", advice="Name a shard with real words.")
    manifest = read_manifest(artefact)
    if (artefact / STEP_FILE).exists():
        raise BadInputError(
            f"{artefact} is a streaming artefact; its {STEP_FILE} cannot be quantised yet.",
            advice="Ship it in float32, or quantise a whole-word artefact.",
        )
    trial = out.with_name(out.name + ".part")
    trial.mkdir(parents=True, exist_ok=True)
    _write_int8(artefact / "model.onnx", trial / "model.onnx")
    replace(manifest, sha256=file_hash(trial / "model.onnx"), precision="int8").write(trial)
    before, after = (_read(folder, golden) for folder in (artefact, trial))
    if after.cer > before.cer + ALLOWED_LOSS:
        raise ModelMismatchError(
            f"in eight bits {manifest.name} reads {after.cer:.2f} % of the letters of {before.words} words "
            f"wrong, before {before.cer:.2f} %; allowed are {ALLOWED_LOSS} points more.",
            advice="Ship the float32 artefact.",
        )
    sizes = [(folder / "model.onnx").stat().st_size for folder in (artefact, trial)]
    out.mkdir(exist_ok=True)
    for name in ("model.onnx", "manifest.json"):
        os.replace(trial / name, out / name)  # noqa: PTH105 - one atomic call each
    trial.rmdir()
    return Quantised(before, after, *sizes)


def _write_int8(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    log, level = logging.getLogger(), logging.getLogger().level
    log.setLevel(logging.ERROR)  # it advises a pre-processing that LSTMs do not need
    try:
        quantize_dynamic(
            str(source),
            str(target),
            op_types_to_quantize=["MatMul", "LSTM"],
            weight_type=QuantType.QInt8,
            per_channel=True,
        )
    finally:
        log.setLevel(level)


def _read(folder: Path, golden: Shard) -> ErrorRates:
    """Greedy error rates through the recogniser that the app uses."""
    recogniser = OnnxRecogniser(folder)
    alphabet, params = recogniser.manifest.alphabet, recogniser.manifest.params
    words = golden.normalised(params)
    texts = []
    for i in range(len(words)):
        rows = words.word(i)
        values = recogniser(Features(np.arange(len(rows)) / params.rate_hz, rows, words.fingerprint)).values
        texts.append(alphabet.collapse(values.argmax(1).tolist()))
    return error_rates([str(label) for label in words.label], texts)
