"""From checkpoint to artefact: ONNX, a parity check that must pass, manifest."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.checkpoint import load_checkpoint, load_weights, save_checkpoint
from models.training.config import config_from_dump
from models.training.encoders.contract import PenEncoder
from models.training.material import PENAPP_TARGETS, Targets, feature_params
from models.training.run import start_run
from models.training.shards import Shard
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.dsp.features import Features
from penapp.dsp.params import FeatureParams
from penapp.errors import BadInputError, ModelMismatchError
from penapp.recognise.artefact import Manifest, file_hash
from penapp.recognise.session import OnnxRecogniser

TOLERANCE = 1e-4
"""Largest absolute difference of log-probabilities between torch and ONNX."""


def load_network(checkpoint: Path) -> PenEncoder:
    """The smoothed network of a run, ready for inference."""
    tensors, state = load_checkpoint(checkpoint)
    run = start_run(config_from_dump(state["config"]), Targets.of(state.get("targets", {})))
    load_weights(run.smooth, tensors, "smooth.", checkpoint)
    return run.smooth.eval().fused()


def export(
    checkpoint: Path, folder: Path, golden: Shard, *, name: str = "recogniser", version: int = 1
) -> Manifest:
    """Write model.onnx, manifest.json and weights.safetensors (to go on training from, or to adapt).

    Raises:
        ModelMismatchError: ONNX and torch disagree on `golden`; what was in the folder stays
    """
    tensors, state = load_checkpoint(checkpoint)
    config = config_from_dump(state["config"])
    params = feature_params(config)
    if Targets.of(state.get("targets", {})) != PENAPP_TARGETS or config.data.task != "words":
        raise BadInputError(
            f"{checkpoint} was trained on raw channels, tokens, single labels or other letters.",
            advice="The app reads penapp's features and letters: train with the defaults of `data`.",
        )
    network = load_network(checkpoint)
    trial = folder.with_name(folder.name + ".part")
    trial.mkdir(parents=True, exist_ok=True)
    path = trial / "model.onnx"
    _write_onnx(network, path, params)
    manifest = Manifest(
        name,
        version,
        PENAPP_ALPHABET,
        params,
        params.fingerprint(),
        network.stride,
        file_hash(path),
        sum(p.numel() for p in network.parameters()),
    )
    manifest.write(trial)
    smooth = {key: value for key, value in tensors.items() if key.startswith("smooth.")}
    save_checkpoint(trial / "weights.safetensors", smooth, state)
    check_parity(network, trial, golden.normalised(params))
    folder.mkdir(exist_ok=True)
    for made in ("model.onnx", "manifest.json", "weights.safetensors"):
        os.replace(trial / made, folder / made)  # noqa: PTH105 - one atomic call each
    trial.rmdir()
    return manifest


def check_parity(network: PenEncoder, folder: Path, golden: Shard) -> float:
    """Largest difference on real words, torch in padded batches and ONNX alone; greedy texts must agree."""
    if not len(golden):
        raise BadInputError("the golden shard holds no word.", advice="Name a shard with real words.")
    recogniser = OnnxRecogniser(folder)
    worst = 0.0
    for i, ours in enumerate(_torch_log_probs(network, golden)):
        rows = golden.word(i)
        theirs = recogniser(Features(np.arange(len(rows)) / 100.0, rows, golden.fingerprint)).values
        worst = max(worst, float(np.abs(ours - theirs).max()))
        if PENAPP_ALPHABET.collapse(ours.argmax(1).tolist()) != PENAPP_ALPHABET.collapse(
            theirs.argmax(1).tolist()
        ):
            raise ModelMismatchError(f"torch and ONNX read word {i} of the golden shard differently")
    if worst > TOLERANCE:
        raise ModelMismatchError(f"torch and ONNX differ by {worst:.2g}, allowed is {TOLERANCE:.0e}")
    return worst


@torch.no_grad()
def _torch_log_probs(network: PenEncoder, golden: Shard, batch: int = 8) -> Iterator[NDArray[np.float32]]:
    """The network's output for every word, in order, the padding cut off."""
    for start in range(0, len(golden), batch):
        words = [torch.from_numpy(golden.word(i)) for i in range(start, min(start + batch, len(golden)))]
        lengths = torch.tensor([len(rows) for rows in words])
        log_probs: Tensor = network(nn.utils.rnn.pad_sequence(words, batch_first=True), lengths)
        for values, frames in zip(log_probs, network.output_length(lengths), strict=True):
            yield values[: int(frames)].numpy()


def _write_onnx(network: PenEncoder, path: Path, params: FeatureParams) -> None:
    example = (torch.zeros(2, 64, params.size), torch.tensor([64, 40]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecation and of batch sizes
        torch.onnx.export(
            network,
            example,
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=["features", "lengths"],
            output_names=["log_probs"],
            dynamic_axes={
                "features": {0: "batch", 1: "rows"},
                "lengths": {0: "batch"},
                "log_probs": {0: "batch", 1: "frames"},
            },
        )
    _embed_metadata(path, network.stride, params)


def _embed_metadata(path: Path, stride: int, params: FeatureParams) -> None:
    import onnx

    model = onnx.load(str(path))
    onnx.helper.set_model_props(
        model,
        {
            "alphabet": PENAPP_ALPHABET.letters,
            "blank": str(PENAPP_ALPHABET.blank),
            "fingerprint": params.fingerprint(),
            "rate_hz": str(params.rate_hz),
            "normalisation": params.normalisation,
            "stride": str(stride),
        },
    )
    onnx.save(model, str(path))
