"""`python -m models.training.segmenter --train TRAIN-*.npz --val VAL-*.npz OUT_FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from models.training.segmenter.export import export_judge
from models.training.segmenter.fit import FitConfig, fit
from models.training.segmenter.network import Chance
from models.training.segmenter.questions import load_questions


def main() -> None:
    """Fit the judge and write its artefact; CARD.md is written by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--val", type=Path, nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=FitConfig().steps)
    parser.add_argument("--members", type=int, default=2, help="networks whose mean ships")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train, val = load_questions(options.train), load_questions(options.val)
    print(f"{len(train)} questions to fit, {len(val)} held out")
    members = [fit(train, val, FitConfig(steps=options.steps, seed=seed)) for seed in range(options.members)]
    manifest = export_judge(Chance(members), options.out, val, train.versions)
    print(f"{options.out}: {manifest.parameters} weights")


if __name__ == "__main__":
    main()
