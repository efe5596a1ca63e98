"""Many small blocks to few: what follows a stream costs less, and gives the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np

from firmware_protocol.framing import Frame
from penapp.stream.assemble import StreamAssembler
from penapp.stream.block import SampleBlock


def assembled(
    assembler: StreamAssembler, frames: Iterable[Frame]
) -> Iterator[tuple[int, tuple[SampleBlock, ...]]]:
    """Push frames; yields the number of each segment they touch and its merged blocks."""
    numbered = [(assembler.counters.segments, b) for frame in frames for b in assembler.push(frame)]
    for segment, part in groupby(numbered, key=lambda pair: pair[0]):
        yield segment, tuple(merged(block for _, block in part))


def merged(blocks: Iterable[SampleBlock]) -> list[SampleBlock]:
    """Consecutive blocks joined wherever nothing is missing between them; blocks of one segment only."""
    runs: list[list[SampleBlock]] = []
    for block in blocks:
        if runs and not block.lost:
            runs[-1].append(block)
        else:
            runs.append([block])
    return [run[0] if len(run) == 1 else _joined(run) for run in runs]


def _joined(run: list[SampleBlock]) -> SampleBlock:
    t = np.concatenate([block.t for block in run])
    values = np.concatenate([block.values for block in run])
    return SampleBlock(t, values, run[0].lost, run[0].valid)
