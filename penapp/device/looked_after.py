"""Real pens as sources that look after their link."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from penapp.device.radio import Radio
from penapp.device.requests import LinkTiming
from penapp.device.same_port import SamePort
from penapp.device.serial_source import SerialSource
from penapp.device.source import PenSource
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
    """The Bluetooth pen with this address. radio: the system's unless given.

    "" = the only one near; once it was reached it is looked for by its address, however many are near then
    """
    made: BleSource | None = None

    def link(on_stage: Callable[[LinkStage], None]) -> PenSource:
        from penapp.device.ble_source import BleSource

        nonlocal address, made
        address = address or (made.address if made is not None else "")
        made = BleSource(address, radio=radio, on_stage=on_stage)
        return made

    return SupervisedSource(link, name=address or "the pen nearby", wait=wait)
