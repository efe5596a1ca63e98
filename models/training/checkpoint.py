"""Run state on disk: tensors as safetensors, the rest as JSON, renamed into place together."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from penapp.errors import BadInputError


def save_checkpoint(path: Path, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
    """Write PATH.safetensors with `state` as JSON in its metadata, atomically.

    Raises:
        BadInputError: it could not be written (a full disk); the file that was there stays
    """
    temporary = path.with_suffix(".part")
    contiguous = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        save_file(contiguous, temporary, metadata={"state": json.dumps(state)})
        os.replace(temporary, path)  # noqa: PTH105 - one atomic call
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        raise BadInputError(
            f"{path} could not be written ({error}).",
            advice="The checkpoint before it is whole: make room and resume the run.",
        ) from error


def load_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and state; BadInputError for a missing or damaged file."""
    try:
        with safe_open(path, framework="pt") as handle:
            metadata = handle.metadata() or {}
        state = json.loads(metadata["state"])
        missing = {"step", "best_cer", "config"} - set(state)
        if missing:
            raise ValueError(f"its state lacks {', '.join(sorted(missing))}")
        return load_file(path), state
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise BadInputError(
            f"{path} is not a checkpoint ({error}).", advice="Expected a .safetensors file of a training run."
        ) from error


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """AdamW moments by parameter number."""
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{number}.{key}": value if value.ndim else value.reshape(1)
        for number, values in state.items()
        for key, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put the moments back; those of a weight without dimensions were stored with one."""
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".")
            state.setdefault(int(number), {})[key] = value.reshape(
                () if key == "step" else weights[int(number)].shape
            )
    table = optimiser.state_dict()
    table["state"] = state
    optimiser.load_state_dict(table)


def load_weights(network: nn.Module, tensors: dict[str, Tensor], prefix: str, path: Path) -> None:
    """The tensors named with the prefix, into the network; `path` is for the error."""
    own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise BadInputError(
            f"{path} holds no weights of this network ({reason}).",
            advice="Use the configuration that the checkpoint was made with.",
        ) from error
