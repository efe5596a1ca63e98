"""Real pens as sources that look after their link."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from penapp.device.radio import Radio
from penapp.device.requests import LinkTiming
from penapp.device.same_port import SamePort
from penapp.device.serial_source import SerialSource
from penapp.device.supervise import SupervisedSource
from penapp.device.transport import LinkStage

if TYPE_CHECKING:
    from penapp.device.ble_source import BleSource

PROMPT = LinkTiming(answer_s=0.5, retries=7)
"""As patient as the protocol says, but asking twice as often: a pen that has just come back may miss the
first question, and a cable answers within milliseconds."""


def serial_pen(port: str, *, wait: bool = False) -> SupervisedSource:
    """The pen on a serial port or at a `socket://` address. wait: it may come later."""
    same = SamePort(port)

    def link(on_stage: Callable[[LinkStage], None]) -> SerialSource:
        return SerialSource(same(), timing=PROMPT, on_stage=on_stage)

    return SupervisedSource(link, name=port, wait=wait)


def ble_pen(address: str = "", *, wait: bool = False, radio: Radio | None = None) -> SupervisedSource:
    """The Bluetooth pen with this address, "" = the only one near, and that one from then on.

    radio: the system's unless given
    """
    same = address
    last: BleSource | None = None

    def link(on_stage: Callable[[LinkStage], None]) -> BleSource:
        from penapp.device.ble_source import BleSource

        nonlocal same, last
        if last is not None:  # the only pen near is not the only one for ever
            same = last.address or same
        last = BleSource(same, radio=radio, on_stage=on_stage)
        return last

    return SupervisedSource(link, name=address or "the pen nearby", wait=wait)
