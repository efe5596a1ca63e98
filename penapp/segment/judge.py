"""The learned part of the decision: is this pen-up inside a word or between two?"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from penapp.segment.artefact import SHIPPED, read_judge_manifest
from penapp.segment.question import INPUTS, Question


class Judge:
    """A network in ONNX Runtime, one thread.

    Raises:
        BadInputError: unreadable artefact
        ModelMismatchError: the file does not fit its manifest or this build
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.manifest = read_judge_manifest(folder, INPUTS)
        self._session = _open(folder / "model.onnx")

    def chance(self, question: Question) -> float:
        """Probability that the pen-up lies between words."""
        feeds = {"motion": question.motion, "numbers": question.numbers, "past": question.past}
        (answer,) = self._session.run(None, {name: values[None] for name, values in feeds.items()})
        return float(answer[0])


@lru_cache(maxsize=1)
def shipped_judge() -> Judge:
    """Loaded once; it keeps no state."""
    return Judge()


def _open(path: Path) -> Any:
    import onnxruntime  # half a second; only when a judge is really opened

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # kept per input length for good: words have hundreds of lengths
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
