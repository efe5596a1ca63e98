"""A run in progress and its checkpoints: network, smoothed twin, optimiser, step."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch

from models.training.auxiliary.branch import Auxiliary, build_auxiliary
from models.training.checkpoint import (
    load_checkpoint,
    load_weights,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
)
from models.training.config import RunConfig, dump_config
from models.training.device import Device, choose_device
from models.training.easing import Dropouts
from models.training.encoders.contract import PenEncoder
from models.training.encoders.factory import build_encoder
from models.training.encoders.settings import EncoderConfig
from models.training.material import PENAPP_TARGETS, Targets
from models.training.objectives.weights import DynamicWeights
from penapp.errors import BadInputError


@dataclass
class Run:
    """A run in progress: network, smoothed twin, the branch that helps in training, optimiser and step."""

    config: RunConfig
    targets: Targets
    network: PenEncoder
    smooth: PenEncoder
    optimiser: torch.optim.Optimizer
    auxiliary: Auxiliary | None = None
    weights: DynamicWeights | None = None
    step: int = 0
    best_cer: float = math.inf
    device: Device = field(default_factory=lambda: choose_device("cpu"))
    dropouts: Dropouts = field(init=False)

    def __post_init__(self) -> None:
        self.dropouts = Dropouts(self.network)


def start_run(config: RunConfig, targets: Targets = PENAPP_TARGETS, device: Device | None = None) -> Run:
    """A run at step 0; its first weights depend on the seed alone, whatever the device."""
    device = device or choose_device(config.device, config.precision)
    torch.manual_seed(config.seed)
    network = encoder_of(config, targets.features, targets.alphabet.size).to(device.place)
    smooth = copy.deepcopy(network)
    auxiliary = build_auxiliary(config.auxiliary, network.tap_widths, targets.letters)
    groups: list[dict[str, object]] = [{"params": list(network.parameters()), "scale": 1.0}]
    if auxiliary is not None:
        auxiliary.to(device.place)
        learning = [p for p in auxiliary.parameters() if p.requires_grad]
        groups.append({"params": learning, "scale": config.auxiliary.lr_scale})
    optimiser = torch.optim.AdamW(
        groups, lr=config.optim.lr, weight_decay=config.optim.weight_decay, betas=(0.9, 0.98)
    )
    weights = None
    if config.auxiliary.schedule == "dwa" and auxiliary is not None:
        weights = DynamicWeights(("ctc", *config.auxiliary.terms))
    return Run(config, targets, network, smooth, optimiser, auxiliary, weights, device=device)


def encoder_of(config: RunConfig, features: int, classes: int) -> PenEncoder:
    """The configured encoder with fresh weights; BadInputError when sizes are set that it does not have."""
    sizes: dict[str, EncoderConfig] = {"penapp": config.network, "streaming": config.streaming}
    for kind, section in sizes.items():
        if kind != config.encoder and section != type(section)():
            name = "network" if kind == "penapp" else kind
            raise BadInputError(
                f"the section {name} has sizes of the encoder {kind}, but encoder = {config.encoder!r}.",
                advice=f"Leave the section out, or set encoder to {kind!r}.",
            )
    return build_encoder(config.encoder, features, classes, sizes.get(config.encoder))


def save_run(run: Run, path: Path) -> None:
    """Write everything the next step needs, atomically."""
    tensors = {f"network.{k}": v for k, v in run.network.state_dict().items()}
    tensors |= {f"smooth.{k}": v for k, v in run.smooth.state_dict().items()}
    if run.auxiliary is not None:
        tensors |= {f"auxiliary.{k}": v for k, v in run.auxiliary.state_dict().items()}
    tensors |= optimiser_tensors(run.optimiser)
    state = {"step": run.step, "best_cer": run.best_cer, "config": dump_config(run.config)} | {
        "targets": run.targets.state()
    }
    if run.weights is not None:
        state["weights"] = run.weights.state()
    save_checkpoint(path, tensors, state)


def load_run(path: Path, run: Run) -> Run:
    """Put a checkpoint into a freshly started run; BadInputError when it is not one of this network.

    Targets of the same number with another meaning are refused too: tokens are built anew from the labels of
    the training shards, and those may have changed.
    """
    tensors, state = load_checkpoint(path)
    if "targets" in state and Targets.of(state["targets"]) != run.targets:
        raise BadInputError(
            f"{path} was trained on other features, letters or tokens than the data gives now.",
            advice="Put back the shards that the run began with, or begin a new run.",
        )
    load_weights(run.network, tensors, "network.", path)
    load_weights(run.smooth, tensors, "smooth.", path)
    if run.auxiliary is not None:
        load_weights(run.auxiliary, tensors, "auxiliary.", path)
    restore_optimiser(run.optimiser, tensors)
    if run.weights is not None and "weights" in state:
        run.weights = DynamicWeights.of(state["weights"])
    run.step, run.best_cer = int(state["step"]), float(state["best_cer"])
    return run


def begin_with(path: Path, run: Run) -> Run:
    """Take the smoothed weights of a checkpoint as the start of a fresh run.

    Residual blocks that the checkpoint lacks keep their start: they add nothing yet.
    """
    tensors, _ = load_checkpoint(path)
    grown = ("smooth.fine.", "smooth.deep.")
    fresh = {f"smooth.{k}": v for k, v in run.network.state_dict().items()}
    tensors |= {k: v for k, v in fresh.items() if k.startswith(grown) and k not in tensors}
    load_weights(run.network, tensors, "smooth.", path)
    load_weights(run.smooth, tensors, "smooth.", path)
    return run
