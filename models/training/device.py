"""Where a run computes and how finely: chosen from what the machine has, printed, never assumed."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from penapp.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Device:
    """A place to compute: `cpu`, `cuda:0` …, in float32 or with bfloat16 where that is faster."""

    place: torch.device
    bfloat16: bool

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which forward passes run."""
        if not self.bfloat16:
            return nullcontext()
        return torch.autocast(self.place.type, dtype=torch.bfloat16)

    def __str__(self) -> str:
        where = "the CPU" if self.place.type == "cpu" else torch.cuda.get_device_name(self.place)
        return f"{where} in {'bfloat16' if self.bfloat16 else 'float32'}"


def choose_device(wanted: str = "auto", precision: str = "auto", local_rank: int = 0) -> Device:
    """The GPU of this process when there is one, else the CPU; BadInputError when the wanted one is absent.

    With `auto` precision bfloat16 is taken where the hardware multiplies it faster than float32.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise BadInputError(
            "device = cuda, but torch sees no GPU.",
            advice="Set device to auto or cpu, or install a CUDA torch.",
        )
    gpu = torch.cuda.is_available() and wanted != "cpu"
    place = torch.device("cuda", local_rank % torch.cuda.device_count()) if gpu else torch.device("cpu")
    fast = torch.cuda.is_bf16_supported() if gpu else cpu_multiplies_bfloat16()
    if precision == "bfloat16" and not gpu and not cpu_runs_bfloat16():
        raise BadInputError(
            "precision = bfloat16, but this processor cannot run recurrent layers in it.",
            advice="Set precision to auto or float32.",
        )
    return Device(place, precision == "bfloat16" or (precision == "auto" and fast))


@cache
def cpu_runs_bfloat16() -> bool:
    """Whether torch finds a recurrent layer in bfloat16 for this processor (it needs AVX-512 at least)."""
    try:
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            torch.nn.LSTM(4, 4)(torch.zeros(1, 1, 4))
    except RuntimeError:
        return False
    return True


def cpu_multiplies_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor has bfloat16 instructions (AVX-512, AMX or Arm); unknown counts as no."""
    try:
        flags = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", " bf16"))
