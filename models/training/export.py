"""From checkpoint to artefact: ONNX, a parity check that must pass, manifest."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.training.checkpoint import load_checkpoint
from models.training.config import config_from_dump
from models.training.loop import start_run
from models.training.network import Recogniser
from models.training.shards import Shard
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.dsp.features import Features
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.errors import ModelMismatchError
from penapp.recognise.artefact import Manifest, file_hash
from penapp.recognise.session import OnnxRecogniser

TOLERANCE = 1e-4
"""Largest absolute difference of log-probabilities between torch and ONNX."""


def load_network(checkpoint: Path) -> Recogniser:
    """The smoothed network of a run, ready for inference."""
    tensors, state = load_checkpoint(checkpoint)
    run = start_run(config_from_dump(state["config"]), DEFAULT_PARAMS.size)
    run.smooth.load_state_dict(
        {k.removeprefix("smooth."): v for k, v in tensors.items() if k.startswith("smooth.")}
    )
    return run.smooth.eval()


def export(
    checkpoint: Path, folder: Path, golden: Shard, *, name: str = "recogniser", version: int = 1
) -> Manifest:
    """Write model.onnx and manifest.json; ModelMismatchError when ONNX and torch disagree on `golden`."""
    network = load_network(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    _write_onnx(network, path)
    manifest = Manifest(
        name,
        version,
        PENAPP_ALPHABET,
        DEFAULT_PARAMS,
        DEFAULT_PARAMS.fingerprint(),
        network.stride,
        file_hash(path),
        sum(p.numel() for p in network.parameters()),
    )
    manifest.write(folder)
    check_parity(network, folder, golden)
    return manifest


def check_parity(network: Recogniser, folder: Path, golden: Shard) -> float:
    """Largest difference on real words, each alone and within a padded batch; greedy texts must agree."""
    recogniser = OnnxRecogniser(folder)
    worst = 0.0
    for i in range(len(golden)):
        rows = golden.word(i)
        ours = _torch_log_probs(network, rows)
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
def _torch_log_probs(network: Recogniser, rows: np.ndarray) -> np.ndarray:
    log_probs: Tensor = network(torch.from_numpy(rows)[None], torch.tensor([len(rows)]))
    return np.asarray(log_probs[0].numpy())


def _write_onnx(network: Recogniser, path: Path) -> None:
    example = (torch.zeros(2, 64, DEFAULT_PARAMS.size), torch.tensor([64, 40]))
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
    _embed_metadata(path, network.stride)


def _embed_metadata(path: Path, stride: int) -> None:
    import onnx

    model = onnx.load(str(path))
    onnx.helper.set_model_props(
        model,
        {
            "alphabet": PENAPP_ALPHABET.letters,
            "blank": str(PENAPP_ALPHABET.blank),
            "fingerprint": DEFAULT_PARAMS.fingerprint(),
            "rate_hz": str(DEFAULT_PARAMS.rate_hz),
            "normalisation": DEFAULT_PARAMS.normalisation,
            "stride": str(stride),
        },
    )
    onnx.save(model, str(path))
