"""The segmenter's judge on disk: model.onnx, manifest.json, CARD.md in one folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from penapp.errors import BadInputError, ModelMismatchError

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "segmenter-v1"
"""The judge that comes with this version."""


@dataclass(frozen=True, slots=True)
class JudgeManifest:
    """What a judge needs to know about itself.

    name, version:  of the artefact
    inputs:         shape of each of its inputs, without the batch
    sha256:         of model.onnx
    parameters:     number of weights
    gaps, simulator, features:  versions of what it was fitted to
    """

    name: str
    version: int
    inputs: dict[str, list[int]]
    sha256: str
    parameters: int
    gaps: int
    simulator: str
    features: int

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=1)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def read_judge_manifest(folder: Path, inputs: dict[str, list[int]]) -> JudgeManifest:
    """Read and check manifest and model file.

    Raises:
        BadInputError: there is no readable manifest or model
        ModelMismatchError: the model is not the one described, or takes other inputs than this build's
    """
    path = folder / "manifest.json"
    try:
        manifest = JudgeManifest(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError(
            f"{path} is not the manifest of a segmenter ({error}).",
            advice="Name a folder with manifest.json and model.onnx, or reinstall penapp.",
        ) from error
    if manifest.inputs != inputs:
        raise ModelMismatchError(
            f"model {manifest.name} v{manifest.version} takes {manifest.inputs}, this build gives {inputs}.",
            advice="Install the model that came with this version, or fit it again.",
        )
    _check_file(manifest, folder / "model.onnx")
    return manifest


def _check_file(manifest: JudgeManifest, path: Path) -> None:
    if not path.exists():
        raise BadInputError(f"{path} is missing.", advice="Reinstall penapp, or fit the segmenter again.")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != manifest.sha256:
        raise ModelMismatchError(
            f"{path} has the hash {found[:12]}…, its manifest expects {manifest.sha256[:12]}….",
            advice="The file was changed or damaged: reinstall penapp, or fit the segmenter again.",
        )
