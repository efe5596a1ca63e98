"""A recogniser on disk: model.onnx, manifest.json, CARD.md in one folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from penapp.decode.alphabet import Alphabet
from penapp.dsp.params import DEFAULT_PARAMS, FeatureParams
from penapp.errors import BadInputError, ModelMismatchError

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "recogniser-v3"
"""The recogniser that comes with this version."""


@dataclass(frozen=True)
class Manifest:
    """What a recogniser needs to know about itself.

    name, version:  of the artefact
    alphabet:       letters in column order; column 0 is the CTC blank
    params:         the feature parameters it was trained with; fingerprint: theirs
    stride:         feature rows per output frame
    sha256:         of model.onnx
    parameters:     number of weights; precision: of the weights, float32 or int8
    """

    name: str
    version: int
    alphabet: Alphabet
    params: FeatureParams
    fingerprint: str
    stride: int
    sha256: str
    parameters: int
    precision: str = "float32"

    def write(self, folder: Path) -> None:
        table = {**asdict(self), "alphabet": self.alphabet.letters}
        text = json.dumps(table, indent=1, ensure_ascii=False)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read and check manifest and model file.

    Raises:
        BadInputError: there is no readable manifest or model
        ModelMismatchError: the model file is not the one described, or its features are not this build's
    """
    path = folder / "manifest.json"
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        params = FeatureParams(**{**table["params"], "scales": tuple(table["params"]["scales"])})
        manifest = Manifest(**{**table, "alphabet": Alphabet(table["alphabet"]), "params": params})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"{path} is not a recogniser manifest ({error}).",
            advice="Name a folder with manifest.json and model.onnx, or reinstall penapp.",
        ) from error
    _check_features(manifest)
    _check_file(manifest, folder / "model.onnx")
    return manifest


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_features(manifest: Manifest) -> None:
    ours = replace(manifest.params, version=DEFAULT_PARAMS.version).fingerprint()
    if ours != manifest.fingerprint:
        raise ModelMismatchError(
            f"model {manifest.name} v{manifest.version} was trained with features {manifest.fingerprint}, "
            f"this build produces {ours} from the same parameters.",
            advice="Install the model that came with this version, or export it again.",
        )


def _check_file(manifest: Manifest, path: Path) -> None:
    if not path.exists():
        raise BadInputError(f"{path} is missing.", advice="Reinstall penapp, or export the model again.")
    found = file_hash(path)
    if found != manifest.sha256:
        raise ModelMismatchError(
            f"{path} has the hash {found[:12]}…, its manifest expects {manifest.sha256[:12]}….",
            advice="The file was changed or damaged: reinstall penapp, or export the model again.",
        )
