"""Answered questions on disk, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from penapp.errors import BadInputError
from penapp.segment.question import INPUTS

TIP_SCALE_MM = 5.0
TIP_MOST_MM = 20.0


@dataclass(frozen=True, slots=True)
class Batch:
    """motion, numbers, past as the judge takes them; between (B,) 0 or 1; tip (B, TIP) in units of 5 mm."""

    motion: Tensor
    numbers: Tensor
    past: Tensor
    between: Tensor
    tip: Tensor


@dataclass(frozen=True)
class Questions:
    """n answered questions.

    motion, past float16; numbers float32; between (n,) 0 or 1; landed (n,) bool; tip (n, 4) mm
    versions: of gaps, simulator, features
    """

    motion: NDArray[np.float16]
    numbers: NDArray[np.float32]
    past: NDArray[np.float16]
    between: NDArray[np.float32]
    landed: NDArray[np.bool_]
    tip: NDArray[np.float32]
    versions: tuple[int, int, int]

    def __len__(self) -> int:
        return len(self.between)

    def batch(self, rows: NDArray[np.int64] | slice) -> Batch:
        tip = np.clip(self.tip[rows], -TIP_MOST_MM, TIP_MOST_MM) / TIP_SCALE_MM
        parts = self.motion[rows], self.numbers[rows], self.past[rows], self.between[rows], tip
        return Batch(*(torch.from_numpy(np.asarray(part, dtype=np.float32)) for part in parts))

    def batches(self, size: int) -> Iterator[Batch]:
        for start in range(0, len(self), size):
            yield self.batch(slice(start, start + size))


def load_questions(paths: Sequence[Path]) -> Questions:
    """Every file's questions, one after the other.

    Raises:
        BadInputError: a file is no such file, was asked by another build, or versions differ
    """
    tables = [_table(path) for path in paths]
    if not tables or any(not np.array_equal(t["versions"], tables[0]["versions"]) for t in tables):
        raise BadInputError(
            "the question files belong to different versions, or there is none.",
            advice="Make all of them with the same tests/benchmarks/segmentation_questions.py.",
        )
    gaps, simulator, features = (int(v) for v in tables[0]["versions"])
    return Questions(
        _joined(tables, "motion"),
        _joined(tables, "numbers"),
        _joined(tables, "past"),
        _joined(tables, "between"),
        _joined(tables, "landed"),
        _joined(tables, "tip"),
        (gaps, simulator, features),
    )


def _joined(tables: list[dict[str, NDArray[Any]]], name: str) -> NDArray[Any]:
    """Takes the column out of the tables, so that it is held only once."""
    return np.concatenate([table.pop(name) for table in tables])


def _table(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path) as file:
            table: dict[str, NDArray[Any]] = dict(file)
        shapes = {name: list(table[name].shape[1:]) for name in INPUTS}
    except (OSError, ValueError, KeyError) as error:
        raise BadInputError(f"{path} holds no answered questions ({error}).") from error
    if shapes != INPUTS:
        raise BadInputError(f"{path} holds questions of {shapes}, this build asks {INPUTS}.")
    return table
