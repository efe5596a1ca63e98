"""The contracts: where frames come from (`PenSource`), what a virtual pen's sensors read (`CountSource`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.framing import Frame


@dataclass(frozen=True, slots=True)
class ArrivedFrame:
    """A frame and the moment it arrived: `time.perf_counter_ns` of whoever received it; 0 = not known."""

    frame: Frame
    arrival_ns: int = 0


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """What a link has delivered so far. damaged_frames: stretches of bytes that were no frame."""

    received_bytes: int = 0
    frames: int = 0
    damaged_frames: int = 0
    foreign_frames: int = 0


class PenSource(Protocol):
    """Anything that delivers a pen's frames. All calls come from one asyncio loop, in this order.

    open:   connect and ask who is there; a `DeviceError` subclass names what is wrong
    start:  ask for samples
    frames: what arrives, in batches as they arrived; ends when a replay ends, raises `PenLostError` when
            the link goes and `PenSilentError` when a pen that answered sends nothing
    stop:   ask for silence; never raises because the link is already gone
    close:  give everything back (threads, ports); may be called at any time, more than once
    """

    @property
    def name(self) -> str: ...

    @property
    def counters(self) -> LinkCounters: ...

    async def open(self) -> Descriptor: ...

    async def start(self) -> None: ...

    def frames(self) -> AsyncIterator[list[ArrivedFrame]]: ...

    async def stop(self) -> None: ...

    async def close(self) -> None: ...


class CountSource(Protocol):
    """What a virtual pen's sensors read, as raw counts.

    read(n): (m, C) int16 with m <= n, the next samples in channel order of the descriptor; m == 0 means
             "nothing yet, ask again"; None means "there is nothing more", and stays None
    """

    @property
    def descriptor(self) -> Descriptor: ...

    def read(self, n: int) -> NDArray[np.int16] | None: ...
