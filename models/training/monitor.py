"""What a run tells while it goes: metrics.jsonl, TensorBoard, a line with the time left."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from penapp.errors import BadInputError
from penapp.scores import ErrorRates

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Monitor:
    """Collects the losses of a run's steps and reports them at every validation.

    A run that goes on writes behind its earlier lines; lines of steps that a killed run had gone beyond its
    last checkpoint are taken back first, so that every step stands there once. `seconds` go on from the
    last line kept, in proportion to the steps between it and the checkpoint.
    Steps whose loss or gradient was not finite are counted as `skipped`; the means are of the others.
    """

    def __init__(self, folder: Path, step: int, end: int, *, tensorboard: bool = False) -> None:
        self._path = folder / "metrics.jsonl"
        self._first, self._end = step, end
        self._words = self._skipped = 0
        self._parts: dict[str, list[float]] = {}
        self._earlier_s = _take_back(self._path, step)
        self._began = time.monotonic()
        self._board: SummaryWriter | None = _board(folder, step) if tensorboard else None

    def step(self, parts: dict[str, float], words: int) -> None:
        """Losses of one step by name, and the words it saw."""
        self._words += words
        if not all(math.isfinite(value) for value in parts.values()):
            self._skipped += 1
            return
        for name, value in parts.items():
            self._parts.setdefault(name, []).append(value)

    def report(self, step: int, rates: ErrorRates, lr: float) -> None:
        """Write and print the means since the last report."""
        spent_s = max(time.monotonic() - self._began, 1e-9)
        line: dict[str, float] = {"step": step}
        line |= {name: round(sum(v) / len(v), 4) for name, v in self._parts.items()}
        line |= {"val_cer": round(rates.cer, 2), "val_wer": round(rates.wer, 2), "lr": float(f"{lr:.3g}")}
        line |= {"words_per_s": round(self._words / spent_s, 1)}
        line |= {"seconds": round(self._earlier_s + spent_s, 1)}
        line |= {"skipped": self._skipped} if self._skipped else {}
        self._parts.clear()
        self._skipped = 0
        left_s = (self._end - step) * spent_s / max(step - self._first, 1)
        print(json.dumps(line), f"about {left_s / 60.0:.0f} min left", flush=True)
        with self._path.open("a", encoding="utf-8") as metrics:
            metrics.write(json.dumps(line) + "\n")
        if self._board is not None:
            for name, value in line.items():
                if name != "step":
                    self._board.add_scalar(name, value, step)
            self._board.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()


def _take_back(path: Path, step: int) -> float:
    """Drop lines beyond `step`, and a last line that was cut off by a kill; seconds spent up to `step`."""
    if not path.exists():
        return 0.0
    kept, spent_s = [], 0.0
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
            if line["step"] <= step:
                kept.append(text)
                spent_s = float(line.get("seconds", 0.0)) * step / max(line["step"], 1)
        except (ValueError, KeyError, TypeError):
            continue
    part = path.with_suffix(".part")
    part.write_text("".join(f"{text}\n" for text in kept), encoding="utf-8")
    part.replace(path)
    return spent_s


def _board(folder: Path, step: int) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise BadInputError(
            "tensorboard = true, but TensorBoard is not installed.",
            advice="pip install tensorboard, or leave it out: metrics.jsonl holds the same figures.",
        ) from error
    return SummaryWriter(str(folder), purge_step=step + 1)
