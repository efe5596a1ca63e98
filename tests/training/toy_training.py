"""A corpus, a run and an artefact small enough for tests, all made from the shipped demo ink.

Importing this module needs torch: test files say `pytest.importorskip("torch")` first.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import torch

from models.training.config import AugmentConfig, RunConfig, config_from_dump, dump_config
from models.training.corpus import cut_words, shard_of, simulate, training_mask
from models.training.export import export
from models.training.prepare import covered
from models.training.run import save_run, start_run
from models.training.shards import Shard
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.simulation.demo_ink import demo_corpus

PLAIN = dict.fromkeys(AugmentConfig.__dataclass_fields__, 0.0)
"""No variation at all."""


@cache
def demo_shard(split: str = "train", sessions: int = 5) -> Shard:
    """Sixty words of one split of the demo ink, through the virtual pen and the live stages."""
    ink = demo_corpus()
    mask = training_mask(ink) if split == "train" else ink.split == split
    chosen = np.flatnonzero(mask & covered(ink))[: 12 * sessions]
    words = []
    for number in range(sessions):
        session = [ink.word(int(i)) for i in chosen[12 * number : 12 * number + 12]]
        words += cut_words(*simulate(session, [5, number], 100.0), number, DEFAULT_PARAMS)
    return shard_of(words, DEFAULT_PARAMS)


def toy_config(corpus: Path, **sections) -> RunConfig:
    """A network of a few thousand weights on the shards in a folder; sections override keys."""
    table = {
        "name": "toy",
        "seed": 3,
        "evaluate_every": 1000,
        "checkpoint_every": 5,
        "network": {"stride": 4, "stem": 16, "width": 16, "blocks": 1, "hidden": 16, "layers": 1},
        "augment": {},
        "optim": {"steps": 30, "batch_rows": 1500, "lr": 0.01, "warmup": 0.1, "short_first": 0.0},
        "data": {"corpus": str(corpus), "train": {"train.npz": 1.0}, "val": "val.npz", "val_words": 12},
    }
    if sections.get("encoder", "penapp") != "penapp":
        table["network"] = {}
    for name, values in sections.items():
        table[name] = {**table.get(name, {}), **values} if isinstance(values, dict) else values
    return config_from_dump(table)


def write_corpus(folder: Path) -> Path:
    """train.npz and val.npz in a folder."""
    demo_shard().save(folder / "train.npz")
    demo_shard("val", 1).save(folder / "val.npz")
    return folder


def talkative_checkpoint(path: Path, **sections) -> Path:
    """Random weights that always say something: every word reads as letters that depend on its signal."""
    config = toy_config(Path("unused"), **sections)
    run = start_run(config)
    with torch.no_grad():
        for network in (run.network, run.smooth):
            network.load_state_dict(run.network.state_dict())
            network.output.weight *= 3.0
            network.output.bias[0] = 0.5
    save_run(run, path)
    return path


def toy_artefact(folder: Path, **sections) -> Path:
    """A whole artefact in `folder`."""
    checkpoint = talkative_checkpoint(folder.parent / f"{folder.name}.safetensors", **sections)
    export(checkpoint, folder, demo_shard("val", 1), name="toy")
    return folder


def stored(folder: Path, config: RunConfig) -> Path:
    """A run folder that holds its configuration, as `train` makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dump_config(config)), encoding="utf-8")
    return folder
