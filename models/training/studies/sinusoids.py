"""Does an auxiliary image branch help a series classifier? `python -m models.training.studies.sinusoids`.

Five arms on the same series, start weights, order of batches and steps: none, triplet with a fixed margin,
with one that grows with the label distance, contrastive, InfoNCE. The image branch is trained first, then
frozen. Noise, number of series, steps and weight were chosen on seeds below FIRST_SEED; reports use seeds
from there on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.objectives.classification import cross_entropy
from models.training.objectives.common import Head, HeadConfig
from models.training.objectives.contrastive import contrastive
from models.training.objectives.distances import distance_named
from models.training.objectives.infonce import Temperature, infonce, same_label
from models.training.objectives.term import Term
from models.training.objectives.total import combined
from models.training.objectives.triplet import label_margin, triplet
from models.training.studies.sinusoid_task import (
    CLASSES,
    ImageNetwork,
    Labelled,
    SeriesNetwork,
    TaskConfig,
    draw_images,
    draw_series,
)

ARMS = ("none", "triplet", "triplet-dynamic", "contrastive", "infonce")
FIRST_SEED = 100
MEAN_LABEL_DISTANCE = (CLASSES + 1) / 3.0


@dataclass(frozen=True)
class StudyConfig:
    """weight: of the auxiliary term; margin: per step of label distance, the fixed one is of the same mean.

    goal: test accuracy, percent, whose first step is reported
    """

    task: TaskConfig = field(default_factory=TaskConfig)
    steps: int = 160
    image_steps: int = 100
    batch: int = 40
    lr: float = 3e-3
    weight: float = 3.0
    margin: float = 0.1
    distance: str = "cosine"
    every: int = 10
    goal: float = 45.0


@dataclass(frozen=True)
class ArmRun:
    """One arm on one seed: test accuracies (percent) at every evaluation, and the network that is kept."""

    start: dict[str, Tensor]
    network: SeriesNetwork
    curve: dict[int, float]

    @property
    def accuracy(self) -> float:
        """After the last step."""
        return self.curve[max(self.curve)]

    def steps_to(self, goal: float) -> int | None:
        """First evaluated step that reaches `goal`; None when none does."""
        return next((step for step, accuracy in self.curve.items() if accuracy >= goal), None)


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One arm over the seeds: accuracies in percent, mean, sample sd, mean difference to `none` in points."""

    accuracy: tuple[float, ...]
    mean: float
    std: float
    difference: float
    interval: tuple[float, float]
    steps_to_goal: tuple[int | None, ...]
    curves: tuple[dict[int, float], ...]


@dataclass(frozen=True, slots=True)
class StudyResult:
    """image_accuracy: of the image branch on new images, percent, by seed; arms by name."""

    config: StudyConfig
    seeds: tuple[int, ...]
    image_accuracy: tuple[float, ...]
    arms: dict[str, ArmSummary]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Triplets:
    """Labels of the series of a batch, and for each a positive and a negative image (map and label)."""

    labels: Tensor
    positive: Tensor
    negative: Tensor
    negative_labels: Tensor


class Auxiliary(nn.Module):
    """Heads of both branches and the temperature: everything of an arm that inference does without."""

    def __init__(self, config: StudyConfig) -> None:
        super().__init__()
        self.config, self.distance = config, distance_named(config.distance)
        head = HeadConfig(width=32)
        self.series, self.image = Head(SeriesNetwork.channels, head), Head(ImageNetwork.channels, head)
        self.temperature = Temperature()

    def forward(self, arm: str, features: Tensor, drawn: Triplets) -> Term:
        anchor, positive, negative = (
            head(values, torch.full((len(values),), values.shape[1]))
            for head, values in (
                (self.series, features),
                (self.image, drawn.positive),
                (self.image, drawn.negative),
            )
        )
        fixed = self.config.margin * MEAN_LABEL_DISTANCE
        if arm == "infonce":
            return infonce(anchor, positive, self.temperature(), same_label(drawn.labels.tolist()))
        if arm == "contrastive":
            same = torch.cat([torch.ones(len(anchor)), torch.zeros(len(anchor))])
            images = torch.cat([positive, negative])
            return contrastive(torch.cat([anchor, anchor]), images, same, fixed, self.distance)
        dynamic = label_margin(drawn.labels, drawn.negative_labels, self.config.margin)
        margin = dynamic if arm == "triplet-dynamic" else fixed
        return triplet(anchor, positive, negative, margin, self.distance)


def image_maps(config: StudyConfig, seed: int) -> tuple[Labelled, float]:
    """Feature maps of the images after training the image branch, and its accuracy on new images, percent."""
    rng = np.random.default_rng([seed, 1])
    torch.manual_seed(seed)
    network = ImageNetwork()
    optimiser = torch.optim.Adam(network.parameters(), lr=config.lr)
    for _ in range(config.image_steps):
        drawn = draw_images(config.task, 4 * CLASSES, rng)
        optimiser.zero_grad()
        cross_entropy(network(drawn.values), drawn.labels).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    kept, fresh = (draw_images(config.task, CLASSES * config.task.images, rng) for _ in range(2))
    with torch.no_grad():
        return Labelled(network.features(kept.values), kept.labels), accuracy(network, fresh)


def train_arm(config: StudyConfig, arm: str, seed: int, images: Labelled) -> ArmRun:
    """One arm on one seed; series, start and order of the batches are the seed's, whatever the arm."""
    rng = np.random.default_rng([seed, 2])
    train = draw_series(config.task, CLASSES * config.task.per_class, rng)
    test = draw_series(config.task, config.task.tested, rng)
    torch.manual_seed(seed)
    network, auxiliary = SeriesNetwork(), Auxiliary(config)
    start = {name: value.clone() for name, value in network.state_dict().items()}
    parameters = [*network.parameters(), *auxiliary.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=config.lr)
    weights = {"class": 1.0} | ({} if arm == "none" else {arm: config.weight})
    curve: dict[int, float] = {}
    for step in range(1, config.steps + 1):
        chosen = torch.from_numpy(rng.permutation(len(train.labels))[: config.batch])
        drawn = draw_triplets(train.labels[chosen], images, rng)
        optimiser.zero_grad()
        features = network.features(train.values[chosen])
        terms = {"class": cross_entropy(network.classify(features), drawn.labels)}
        if arm != "none":
            terms[arm] = auxiliary(arm, features, drawn)
        combined(terms, weights).total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if step % config.every == 0 or step == config.steps:
            curve[step] = accuracy(network, test)
    return ArmRun(start, network, curve)


def draw_triplets(labels: Tensor, images: Labelled, rng: np.random.Generator) -> Triplets:
    """A random image of the same class and one of a random other class for each label."""
    others = (labels + torch.from_numpy(rng.integers(1, CLASSES, len(labels)))) % CLASSES
    rounds = len(images.labels) // CLASSES  # image k is of class k % CLASSES
    positive, negative = (
        images.values[torch.from_numpy(rng.integers(rounds, size=len(labels))) * CLASSES + wanted]
        for wanted in (labels, others)
    )
    return Triplets(labels, positive, negative, others)


@torch.no_grad()
def accuracy(network: nn.Module, examples: Labelled) -> float:
    """Percent of the examples that are classified rightly."""
    return 100.0 * float((network(examples.values).argmax(1) == examples.labels).float().mean())


def study(config: StudyConfig, seeds: Sequence[int], arms: Sequence[str] = ARMS) -> StudyResult:
    """All arms (`none` is needed) on all seeds."""
    began = time.process_time()
    runs: dict[str, list[ArmRun]] = {arm: [] for arm in arms}
    read = []
    for seed in seeds:
        images, image_accuracy = image_maps(config, seed)
        read.append(image_accuracy)
        for arm in arms:
            runs[arm].append(train_arm(config, arm, seed, images))
    base = [run.accuracy for run in runs["none"]]
    summaries = {arm: summary(runs[arm], base, config.goal) for arm in arms}
    return StudyResult(config, tuple(seeds), tuple(read), summaries, time.process_time() - began)


def summary(runs: Sequence[ArmRun], base: Sequence[float], goal: float) -> ArmSummary:
    """The runs of one arm against the accuracies of arm `none` on the same seeds."""
    found = np.array([run.accuracy for run in runs])
    differences = found - np.array(base)
    return ArmSummary(
        accuracy=tuple(found.tolist()),
        mean=float(found.mean()),
        std=float(found.std(ddof=1)) if len(found) > 1 else 0.0,
        difference=float(differences.mean()),
        interval=bootstrap_interval(differences),
        steps_to_goal=tuple(run.steps_to(goal) for run in runs),
        curves=tuple(run.curve for run in runs),
    )


def bootstrap_interval(differences: NDArray[np.float64], rounds: int = 10_000) -> tuple[float, float]:
    """95 % interval of the mean over the seeds: percentiles of means of seeds drawn again."""
    rng = np.random.default_rng(0)
    means = differences[rng.integers(len(differences), size=(rounds, len(differences)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def table(result: StudyResult) -> str:
    """One line per arm."""
    goal = f"steps to {result.config.goal:.0f} %"
    lines = [f"{'arm':16} {'accuracy %':>13}  {'minus none, points [95 %]':>26}  {goal}, median (seeds)"]
    for arm, row in result.arms.items():
        reached = [step for step in row.steps_to_goal if step is not None]
        median = f"{np.median(reached):.0f}" if reached else "-"
        spread = f"{row.mean:.1f} +- {row.std:.1f}"
        against = f"{row.difference:+.1f} [{row.interval[0]:+.1f}, {row.interval[1]:+.1f}]"
        lines.append(
            f"{arm:16} {spread:>13}  {against:>26}  {median} ({len(reached)} of {len(result.seeds)})"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the study, print a table, write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = study(StudyConfig(), range(options.first_seed, options.first_seed + options.seeds))
    options.out.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
    print(table(result))
    print(
        f"images read rightly: {np.mean(result.image_accuracy):.1f} %; {result.cpu_s:.0f} s of processor time"
    )


if __name__ == "__main__":
    main()
