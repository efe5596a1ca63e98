"""A pen on Bluetooth LE."""

from __future__ import annotations

from collections.abc import Callable

from penapp.device.ble_connect import BleTiming
from penapp.device.ble_scan import Sighting
from penapp.device.ble_transport import BleTransport
from penapp.device.link import PenLink
from penapp.device.radio import Radio
from penapp.device.requests import LinkTiming
from penapp.device.transport import LinkStage


class BleSource(PenLink):
    """`PenSource` over Bluetooth.

    pen:   an address (`AA:BB:CC:DD:EE:FF`; on macOS the system's own identifier), a sighting from a scan,
           or "" for the only pen that is near
    radio: the system's Bluetooth unless another one is given (simulated, tests)
    """

    def __init__(
        self,
        pen: str | Sighting = "",
        *,
        radio: Radio | None = None,
        ble_timing: BleTiming | None = None,
        timing: LinkTiming | None = None,
        on_stage: Callable[[LinkStage], None] | None = None,
    ) -> None:
        self._ble = BleTransport(pen, radio=radio, timing=ble_timing)
        super().__init__(self._ble, timing=timing, on_stage=on_stage)

    @property
    def address(self) -> str:
        """Of the pen that has said who it is; "" before."""
        return self._ble.address if self.described else ""
