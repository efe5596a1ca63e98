"""The virtual pen over Bluetooth as a `PenSource`: the ordinary BLE link, on a simulated radio of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from firmware_protocol.descriptor import Descriptor
from penapp.device.ble_source import BleSource
from penapp.device.own_pen import OwnPenSource
from penapp.device.requests import LinkTiming
from penapp.device.source import CountSource
from penapp.device.transport import LinkStage
from penapp.device.virtual_ble.faults import BleFaults
from penapp.device.virtual_ble.pen import VirtualBlePen
from penapp.device.virtual_ble.radio import SimulatedRadio

MAX_WAITING = 64
"""Notifications that the program has not taken yet; beyond it a pen without a pace waits."""


class VirtualBlePenSource(OwnPenSource):
    """A pen that writes what `ink` holds; scan, connection, discovery and notifications are real.

    Radio and pen exist from open() to close(). When the ink is over, frames() ends after the last sample. An
    ink source may have nothing to say for a while, so silence is no error here. `pen` is there while it is
    open, to let things happen to it.
    """

    def __init__(
        self,
        ink: CountSource,
        *,
        speed: float | None = 1.0,
        faults: BleFaults | None = None,
        timing: LinkTiming | None = None,
        on_stage: Callable[[LinkStage], None] | None = None,
    ) -> None:
        self.name = ink.descriptor.name or "virtual pen"
        self.pen: VirtualBlePen | None = None
        self._ink = ink
        self._speed = speed
        self._faults = faults
        self._timing = replace(timing or LinkTiming(), silence_s=None)
        self._on_stage = on_stage
        self._radio: SimulatedRadio | None = None

    async def open(self) -> Descriptor:
        """Switch radio and pen on, find the pen, connect."""
        self._radio = radio = SimulatedRadio()
        await radio.start()
        self.pen = await radio.add_pen(
            self._ink, speed=self._speed, faults=self._faults, on_ink_over=self._drain
        )
        self._link = link = BleSource(
            self.pen.address, radio=radio.as_radio(), timing=self._timing, on_stage=self._on_stage
        )
        self.pen.host_full = lambda: link.waiting > MAX_WAITING
        return await link.open()

    async def close(self) -> None:
        await super().close()
        if self._radio is not None:
            radio, self._radio, self.pen = self._radio, None, None
            await radio.stop()
