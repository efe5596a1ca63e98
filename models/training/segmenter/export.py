"""From fitted judge to artefact: ONNX, a parity check that must pass, manifest."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path

import numpy as np
import torch

from models.training.segmenter.network import Chance
from models.training.segmenter.questions import Questions
from penapp.errors import ModelMismatchError
from penapp.segment.artefact import JudgeManifest
from penapp.segment.judge import Judge
from penapp.segment.question import INPUTS, Question

TOLERANCE = 1e-4
"""Largest absolute difference of the probability between torch and ONNX."""


def export_judge(
    chance: Chance, folder: Path, golden: Questions, fitted_to: tuple[int, int, int], *, version: int = 1
) -> JudgeManifest:
    """Write model.onnx and manifest.json; fitted_to: versions of gaps, simulator and features.

    Raises:
        ModelMismatchError: ONNX and torch disagree on `golden`; what was in the folder stays
    """
    trial = folder.with_name(folder.name + ".part")
    trial.mkdir(parents=True, exist_ok=True)
    chance.eval()
    example = tuple(torch.zeros(1, *shape) for shape in INPUTS.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecation
        torch.onnx.export(
            chance, example, str(trial / "model.onnx"), dynamo=False, opset_version=17,
            input_names=list(INPUTS), output_names=["chance"],
        )  # fmt: skip
    gaps, simulator, features = fitted_to
    manifest = JudgeManifest(
        "segmenter",
        version,
        INPUTS,
        hashlib.sha256((trial / "model.onnx").read_bytes()).hexdigest(),
        sum(p.numel() for p in chance.parameters()),
        gaps,
        str(simulator),
        features,
    )
    manifest.write(trial)
    check_judge_parity(chance, trial, golden)
    folder.mkdir(exist_ok=True)
    for made in ("model.onnx", "manifest.json"):
        os.replace(trial / made, folder / made)  # noqa: PTH105 - one atomic call each
    trial.rmdir()
    return manifest


@torch.no_grad()
def check_judge_parity(chance: Chance, folder: Path, golden: Questions) -> None:
    """The shipped file must answer as the fitted network does."""
    judge = Judge(folder)
    for i in range(min(len(golden), 200)):
        one = golden.batch(np.array([i]))
        ours = float(chance(one.motion, one.numbers, one.past)[0])
        asked = Question(one.motion[0].numpy(), one.numbers[0].numpy(), one.past[0].numpy())
        if abs(judge.chance(asked) - ours) > TOLERANCE:
            raise ModelMismatchError(f"torch says {ours:.5f} to question {i}, ONNX {judge.chance(asked):.5f}")
