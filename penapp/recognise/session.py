"""ONNX Runtime behind one call, and what it really runs on."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from penapp.decode.types import LogProbs
from penapp.dsp.features import Features
from penapp.errors import BadInputError, ModelMismatchError
from penapp.recognise.artefact import SHIPPED, Manifest, read_manifest

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}

MIN_ROWS = 8
"""Shorter inputs hold no letter; they read as nothing."""


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """What was asked for, what the session really uses, and what the installed runtime knows."""

    asked: str
    used: tuple[str, ...]
    known: tuple[str, ...] = ()

    @property
    def fell_back(self) -> bool:
        """Whether something else than what was asked for is used."""
        return PROVIDERS[self.asked] not in self.used

    @property
    def advice(self) -> str:
        """What to do about a wish that was not met; empty when it was."""
        if not self.fell_back:
            return ""
        if PROVIDERS[self.asked] in self.known:
            return f"ONNX Runtime has {self.asked}, but it does not start here: look at driver and libraries."
        if _installed("onnxruntime") and _installed("onnxruntime-gpu"):
            return (
                "onnxruntime and onnxruntime-gpu are both installed and overwrite each other: "
                "`pip uninstall onnxruntime`, then `pip install --force-reinstall --no-deps onnxruntime-gpu`."
            )
        return f"The installed ONNX Runtime has no {self.asked}; the README says how to exchange it."

    def __str__(self) -> str:
        used = ", ".join(name.removesuffix("ExecutionProvider") for name in self.used)
        return f"{used} (asked for {self.asked}: not available here)" if self.fell_back else used


class OnnxRecogniser:
    """Features of one word to LogProbs. One thread: a small recurrent net runs slower on more.

    Raises:
        BadInputError: unknown provider or unreadable artefact
        ModelMismatchError: features or file do not fit the manifest
    """

    def __init__(self, folder: Path = SHIPPED, provider: str = "cpu") -> None:
        if provider not in PROVIDERS:
            raise BadInputError(f"unknown provider {provider!r}.", advice=f"Known: {', '.join(PROVIDERS)}.")
        self.manifest: Manifest = read_manifest(folder)
        known = _known_providers()
        self._session = _open(folder / "model.onnx", provider, known)
        self.report = ProviderReport(provider, tuple(self._session.get_providers()), known)
        self._fingerprint = self.manifest.fingerprint

    def __call__(self, features: Features) -> LogProbs:
        if features.fingerprint != self._fingerprint:
            raise ModelMismatchError(
                f"model {self.manifest.name} expects features {self._fingerprint}, "
                f"got {features.fingerprint}.",
                advice="Use the parameters of the manifest.",
            )
        rows = len(features.values)
        if rows < MIN_ROWS:
            return LogProbs(np.empty((0, self.manifest.alphabet.size), np.float32), np.empty(0))
        feeds = {"features": features.values[None], "lengths": np.array([rows], dtype=np.int64)}
        values = self._session.run(None, feeds)[0][0]
        stride = self.manifest.stride
        middle = np.minimum(np.arange(len(values)) * stride + stride // 2, rows - 1)
        return LogProbs(values, features.t[middle])


def _known_providers() -> tuple[str, ...]:
    import onnxruntime  # half a second; only when a model is really opened

    return tuple(onnxruntime.get_available_providers())


def _installed(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def _open(path: Path, provider: str, known: tuple[str, ...]) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # kept per input length for good: words have hundreds of lengths
    options.log_severity_level = 3
    wanted = [PROVIDERS[provider], PROVIDERS["cpu"]]
    available = [name for name in dict.fromkeys(wanted) if name in known]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=available)
    except Exception as error:  # the runtime has a class for every kind of damage and no common root
        raise BadInputError(
            f"{path} cannot be opened by ONNX Runtime ({str(error).splitlines()[0]}).",
            advice="Reinstall penapp, or export the model again.",
        ) from error
