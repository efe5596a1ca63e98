"""Fit what the segmenter has learned: `python tests/benchmarks/fit_segmentation.py INK.npz` (needs torch).

The segmenter runs over lines of the ink file's train writers (segmentation_gaps.toml: running lines, a third
as many with pauses untied from the tempo, half as many single words) with the truth in place of its own
opinion; every pen-up it asked about is kept. Two small networks, one for the pen in the air and one for the
landed pen, are fitted to them; the size was chosen on val. Writes penapp/segment/judge_weights.py and prints
the val losses.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from segmentation_lines import GAPS, Lines, Setting, line_sessions
from torch.nn.functional import binary_cross_entropy_with_logits

import penapp.segment
from penapp.segment.params import SegmentParams
from penapp.segment.pen_up import FEATURE_NAMES, PenUp
from penapp.segment.words import WordSegmenter
from penapp.simulation.ink import InkCorpus
from penapp.simulation.path import WordTruth

HIDDEN, STEPS, BATCH, RATE, DECAY = 12, 2000, 1024, 5e-3, 1e-3
WHEN_TAUGHT = SegmentParams(longest_pause_s=5.0, early_chance=0.5, calm_after=1_000_000)
LONGEST_TAUGHT_S = 1.6


@dataclass(frozen=True, slots=True)
class Asked:
    """One question the segmenter had: the description, the truth, and whether the pen had landed."""

    numbers: NDArray[np.float64]
    between: bool
    landed: bool


class TaughtSegmenter(WordSegmenter):
    """Knows the truth; keeps what it was asked."""

    def __init__(self, words: Sequence[WordTruth]) -> None:
        super().__init__(WHEN_TAUGHT)
        self._starts = np.array([word.start_t for word in words])
        self._ends = np.array([word.end_t for word in words])
        self.asked: list[Asked] = []

    def _opinion(self, pen_up: PenUp) -> float:
        word = int(np.searchsorted(self._starts - 0.03, pen_up.lift_t, side="right")) - 1
        between = pen_up.lift_t > self._ends[word] - 0.035
        landed = pen_up.land_t is not None
        self.asked.append(Asked(self._description(pen_up), between, landed))
        if landed:
            return float(between)
        return float(between and self._now - pen_up.lift_t > LONGEST_TAUGHT_S)


class Network(torch.nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.direct = torch.nn.Linear(features, 1)
        self.inner = torch.nn.Linear(features, HIDDEN)
        self.outer = torch.nn.Linear(HIDDEN, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logit: torch.Tensor = self.direct(x) + self.outer(torch.tanh(self.inner(x)))
        return logit[:, 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("ink", type=Path)
    corpus = InkCorpus.load(parser.parse_args().ink)
    torch.set_num_threads(1)
    train = list(questions(train_lines(corpus)))
    val = list(questions(line_sessions(corpus, "val")))
    fits = {name: fit(train, val, landed=name == "LANDED") for name in ("AIR", "LANDED")}
    target = Path(str(penapp.segment.__file__)).parent / "judge_weights.py"
    target.write_text(as_module(fits, len(train)), encoding="utf-8")


def train_lines(corpus: InkCorpus) -> Iterator[Lines]:
    yield from line_sessions(corpus, "train")
    yield from line_sessions(corpus, "train", setting=Setting.UNTIED, every=3, repeat=1)
    yield from line_sessions(corpus, "train", setting=Setting.ISOLATED, every=2, repeat=2)


def questions(sessions: Iterator[Lines]) -> Iterator[Asked]:
    for session in sessions:
        segmenter = TaughtSegmenter(session.words)
        for block in session.motion:
            segmenter.push(block)
        yield from segmenter.asked


def fit(train: list[Asked], val: list[Asked], *, landed: bool) -> Network:
    torch.manual_seed(0)
    x, y = _tensors(train, landed=landed)
    network = Network(x.shape[1])
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        some = torch.randint(0, len(x), (BATCH,))
        loss = binary_cross_entropy_with_logits(network(x[some]), y[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        vx, vy = _tensors(val, landed=landed)
        logit = network(vx)
        held_out = float(binary_cross_entropy_with_logits(logit, vy))
        wrong = float(((logit > 0) != (vy > 0)).float().mean())
    print(
        f"landed {landed}: {len(x)} train, {len(vx)} val; val loss {held_out:.4f}, wrong {100 * wrong:.1f} %"
    )
    return network


def _tensors(asked: list[Asked], *, landed: bool) -> tuple[torch.Tensor, torch.Tensor]:
    kept = [a for a in asked if a.landed == landed]
    x = torch.tensor(np.array([a.numbers for a in kept]), dtype=torch.float32)
    return x, torch.tensor([float(a.between) for a in kept])


def as_module(fits: dict[str, Network], questions_asked: int) -> str:
    lines = [
        '"""What the segmenter has learned; written by tests/benchmarks/fit_segmentation.py, not by hand.',
        "",
        f"Fitted to {questions_asked} pen-ups of the train writers of unipen-words (CC BY 4.0,",
        "Guyon et al. 1994, doi 10.1109/ICPR.1994.576870)",
        f"played through the virtual pen, gaps version {GAPS['version']}, seed {GAPS['train']['seed']}.",
        '"""',
        "",
        "import numpy as np",
        "",
        "from penapp.segment.judge import Judge",
        "",
        "# fmt: off",
        f"FEATURES = {len(FEATURE_NAMES)}",
        "",
    ]
    for name, network in fits.items():
        lines += [
            f"{name} = Judge(",
            f"    inner=np.array({_numbers(network.inner.weight)}).reshape({HIDDEN}, FEATURES).T,",
            f"    inner_bias=np.array({_numbers(network.inner.bias)}),",
            f"    outer=np.array({_numbers(network.outer.weight)}),",
            f"    direct=np.array({_numbers(network.direct.weight)}),",
            f"    bias={network.direct.bias.item():.4g},",
            ")",
        ]
    return "\n".join([*lines, ""])


def _numbers(values: torch.Tensor) -> str:
    text = [f"{v:.4g}" for v in values.detach().flatten().tolist()]
    rows = [", ".join(text[i : i + 10]) for i in range(0, len(text), 10)]
    return "[\n        " + ",\n        ".join(rows) + ",\n    ]"


if __name__ == "__main__":
    main()
