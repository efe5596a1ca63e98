"""The contract between a pen's link and what carries it: serial bytes, notifications, a simulated radio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from firmware_protocol.descriptor import Descriptor
from firmware_protocol.framing import Frame
from penapp.device.errors import PenLostError
from penapp.device.source import LinkCounters
from penapp.errors import DeviceError


class LinkStage(Enum):
    """Where a link stands, as the window shows it.

    SCANNING:    looking for the pen (BLE: its advertisement; serial: its port)
    CONNECTING:  found; the carrier is being opened
    DISCOVERING: open; asking who is there (services, descriptor)
    STREAMING:   samples may arrive
    LOST:        the carrier broke while it was in use
    """

    SCANNING = "scanning"
    CONNECTING = "connecting"
    DISCOVERING = "discovering"
    STREAMING = "streaming"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Sink:
    """Where a transport puts what happens. All three are called on the loop that called open().

    deliver: undamaged frames that arrived together, and when (`time.perf_counter_ns`); each call is answered
             by one `release()` when its frames have been consumed (back-pressure where the carrier knows it)
    gone:    the carrier broke; called at most once, with what was found
    stage:   SCANNING, CONNECTING, DISCOVERING as they begin
    """

    deliver: Callable[[list[Frame], int], None]
    gone: Callable[[Exception], None]
    stage: Callable[[LinkStage], None]


class Transport(Protocol):
    """Carries frames to and from one pen. All calls come from one asyncio loop.

    open:       until commands can be sent; a `DeviceError` subclass names what is wrong
    descriptor: what the carrier itself knows of the pen (a BLE characteristic); None = ask with HELLO
    send:       one CMD frame; OSError when the carrier is gone
    release:    one delivery has been consumed
    close:      give everything back; at any time, more than once, also while open() runs
    no_answer:  the error that fits a pen that never answered HELLO, from what did arrive
    lost:       the error that fits a carrier that broke in use
    """

    @property
    def name(self) -> str: ...

    @property
    def counters(self) -> LinkCounters: ...

    async def open(self, sink: Sink) -> None: ...

    async def descriptor(self) -> Descriptor | None: ...

    async def send(self, frame: Frame) -> None: ...

    def release(self) -> None: ...

    async def close(self) -> None: ...

    def no_answer(self) -> DeviceError: ...

    def lost(self) -> PenLostError: ...
