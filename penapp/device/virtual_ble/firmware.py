"""What answers the host inside a virtual BLE pen."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.descriptor import Descriptor


class BleFirmware(Protocol):
    """`PenFirmware`, or a `FaultyPen` around one; see there."""

    @property
    def streaming(self) -> bool: ...

    @property
    def batch(self) -> int: ...

    @property
    def descriptor(self) -> Descriptor: ...

    def receive(self, raw: bytes, *, now_us: int | None = None) -> list[bytes]: ...

    def take(self, counts: NDArray[np.int16], t_us_first: int) -> list[bytes]: ...

    def link_mtu(self, mtu: int) -> None: ...

    def disconnect(self) -> None: ...
