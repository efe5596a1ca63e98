"""A pen on a byte stream: serial port, pseudo-terminal or socket."""

from __future__ import annotations

from collections.abc import Callable

from penapp.device.link import PenLink
from penapp.device.requests import LinkTiming
from penapp.device.serial_transport import SerialTransport
from penapp.device.transport import LinkStage


class SerialSource(PenLink):
    """`PenSource` over a serial device name or a `socket://host:port` address."""

    def __init__(
        self,
        port: str,
        *,
        timing: LinkTiming | None = None,
        on_stage: Callable[[LinkStage], None] | None = None,
    ) -> None:
        super().__init__(SerialTransport(port), timing=timing, on_stage=on_stage)
