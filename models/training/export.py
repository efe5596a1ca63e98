"""From checkpoint to artefact: ONNX, a parity check that must pass, manifest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.checkpoint import load_checkpoint, load_weights, save_checkpoint
from models.training.config import config_from_dump
from models.training.encoders.contract import PenEncoder
from models.training.encoders.onnx_files import STATE_INPUTS, STEP_FILE, export_step, export_whole_word
from models.training.encoders.streaming import StreamingEncoder
from models.training.material import PENAPP_TARGETS, Targets, feature_params
from models.training.run import encoder_of
from models.training.shards import Shard
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.dsp.features import Features
from penapp.dsp.params import FEATURE_NAMES, FeatureParams
from penapp.errors import BadInputError, ModelMismatchError
from penapp.recognise.artefact import Manifest, file_hash
from penapp.recognise.session import OnnxRecogniser

STEP_WORDS = 8
"""Golden words that are read step by step."""

TOLERANCE = 1e-4
"""Largest absolute difference of log-probabilities between torch and ONNX."""


def load_network(checkpoint: Path) -> PenEncoder:
    """The smoothed network of a run on the CPU, ready for inference.

    The branch that helped in training is not made: neither its files nor the GPU of the run need be there.
    """
    tensors, state = load_checkpoint(checkpoint)
    targets = Targets.of(state.get("targets", {}))
    network = encoder_of(config_from_dump(state["config"]), targets.features, targets.alphabet.size)
    load_weights(network, tensors, "smooth.", checkpoint)
    return network.eval().fused()


def export(
    checkpoint: Path, folder: Path, golden: Shard, *, name: str = "recogniser", version: int = 1
) -> Manifest:
    """Write model.onnx, manifest.json and weights.safetensors (to go on training from, or to adapt).

    A streaming encoder also gets step.onnx, which reads on from a state that goes in and comes out.

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
    shutil.rmtree(trial, ignore_errors=True)  # of an export that was refused
    trial.mkdir(parents=True)
    path = trial / "model.onnx"
    export_whole_word(network, path)
    _embed_metadata(path, network.stride, params)
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
    made = ["model.onnx", "manifest.json", "weights.safetensors"]
    if isinstance(network, StreamingEncoder):
        export_step(network, trial / STEP_FILE)
        check_steps(network, trial / STEP_FILE, golden.normalised(params))
        made.append(STEP_FILE)
    folder.mkdir(exist_ok=True)
    (folder / STEP_FILE).unlink(missing_ok=True)  # never beside the weights of another network
    for file in made:
        os.replace(trial / file, folder / file)  # noqa: PTH105 - one atomic call each
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
def check_steps(network: StreamingEncoder, path: Path, golden: Shard) -> float:
    """Largest difference between golden words read frame by frame through ONNX and whole by torch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    late, stride, worst = network.config.lookahead_frames, network.stride, 0.0
    for i in range(min(STEP_WORDS, len(golden))):
        word = golden.word(i)
        whole = network(torch.from_numpy(word)[None], torch.tensor([len(word)]))[0].numpy()
        rows = np.zeros(((len(whole) + late) * stride, word.shape[1]), np.float32)
        rows[: len(word)] = word
        state = [part.numpy() for part in network.initial_state(1)]
        steps = []
        for start in range(0, len(rows), stride):
            feeds = {
                "rows": rows[None, start : start + stride],
                **dict(zip(STATE_INPUTS, state, strict=True)),
            }
            log_probs, *state = session.run(None, feeds)
            steps.append(log_probs[0])
        worst = max(worst, float(np.abs(np.concatenate(steps)[late:] - whole).max()))
    if worst > TOLERANCE:
        raise ModelMismatchError(
            f"step by step, ONNX differs from torch by {worst:.2g}, allowed is {TOLERANCE:.0e}"
        )
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


def _embed_metadata(path: Path, stride: int, params: FeatureParams) -> None:
    import onnx

    model = onnx.load(str(path))
    onnx.helper.set_model_props(
        model,
        {
            "alphabet": PENAPP_ALPHABET.letters,
            "blank": str(PENAPP_ALPHABET.blank),
            "fingerprint": params.fingerprint(),
            "features": ",".join(FEATURE_NAMES),
            "rate_hz": str(params.rate_hz),
            "normalisation": params.normalisation,
            "stride": str(stride),
        },
    )
    onnx.save(model, str(path))
