"""What each of several training processes runs in the test; a module of its own because it is spawned."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from models.training.config import RunConfig
from models.training.loop import train
from models.training.run import start_run


def train_and_tell(rank: int, world: int, config: RunConfig, steps: int, folder: Path) -> None:
    """Train `steps` steps as one of `world` processes and write the weights to rank<k>.npy."""
    torch.set_num_threads(1)
    meet = {"init_method": f"file://{folder}/meet", "timeout": timedelta(minutes=3)}
    dist.init_process_group("gloo", rank=rank, world_size=world, **meet)
    run = train(start_run(config), folder, until=steps)
    weights = torch.cat([p.detach().reshape(-1) for p in run.network.parameters()])
    np.save(folder / f"rank{rank}.npy", weights.numpy())
    dist.destroy_process_group()
