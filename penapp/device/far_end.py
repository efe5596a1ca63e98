"""The virtual pen's side: a thread that plays the firmware on the far end of a real byte stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.virtual_pen import PenFirmware
from penapp.device.carrier import Carrier, new_carrier
from penapp.device.source import CountSource

TICK_S = 0.005
"""How often a pen in real time looks at its sensors; also how fast it notices that it was unplugged."""
UNPACED_SAMPLES = 64
MAX_CATCH_UP_S = 0.5


class Firmware(Protocol):
    """What answers the host; `PenFirmware`, or a broken one in a test."""

    @property
    def streaming(self) -> bool: ...

    def receive(self, raw: bytes) -> list[bytes]: ...

    def take(self, counts: NDArray[np.int16], t_us_first: int) -> list[bytes]: ...


class VirtualPen:
    """A pen plugged into this machine as soon as it is made; `address` is the port to open.

    speed: 1.0 = real time, 2.0 = twice as fast, None = as fast as the host reads (back-pressure)
    on_ink_over: called once from the pen's thread when the count source has nothing more
    """

    def __init__(
        self,
        ink: CountSource,
        *,
        speed: float | None = 1.0,
        firmware: Firmware | None = None,
        carrier: Carrier | None = None,
        on_ink_over: Callable[[], None] | None = None,
    ) -> None:
        self._ink = ink
        self._speed = speed
        self._rate_hz = ink.descriptor.streams[0].rate_hz
        self._firmware: Firmware = firmware or PenFirmware(ink.descriptor)
        self._carrier = carrier or new_carrier()
        self._on_ink_over = on_ink_over
        self._taken = 0
        self._clock = _SampleClock(self._rate_hz, speed)
        self._ink_over = False
        self._unplugged = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penapp-virtual-pen", daemon=True)
        self.address = self._carrier.address
        self._thread.start()

    def unplug(self) -> None:
        """Pull the plug, in mid-frame if need be; returns when the pen's thread has ended. Idempotent."""
        self._unplugged.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._unplugged.is_set():
                busy = self._turn()
                self._carrier.wait(0.0 if busy and self._speed is None else TICK_S)
        except ConnectionError:
            return
        finally:
            self._carrier.close()

    def _turn(self) -> bool:
        """One look at the host and at the sensors; True if there may be more at once."""
        return self._listen() | self._write_samples()

    def _listen(self) -> bool:
        raw = self._carrier.read()
        if raw:
            self._send(self._firmware.receive(raw))
        return bool(raw)

    def _write_samples(self) -> bool:
        """Let the sensors measure what is due; True if there may be more at once."""
        if not self._firmware.streaming or self._ink_over:
            self._clock.pause()
            return False
        due = self._clock.due()
        counts = self._ink.read(due) if due else _NOTHING
        if counts is None:
            self._end_ink()
            return False
        if len(counts):
            t_us = round(self._taken * 1e6 / self._rate_hz)
            self._taken += len(counts)
            self._send(self._firmware.take(counts, t_us))
        self._clock.took(len(counts))
        return len(counts) > 0

    def _end_ink(self) -> None:
        self._ink_over = True
        if self._on_ink_over is not None:
            self._on_ink_over()

    def _send(self, items: list[bytes]) -> None:
        left = b"".join(items)
        while left and not self._unplugged.is_set():
            left = left[self._carrier.write(left) :]
            if left:
                self._wait_for_room()

    def _wait_for_room(self) -> None:
        self._carrier.wait(TICK_S, for_room=True)


_NOTHING: NDArray[np.int16] = np.empty((0, 0), dtype=np.int16)


class _SampleClock:
    """How many samples are due at a rate (Hz) and a speed; None = always some."""

    def __init__(self, rate_hz: float, speed: float | None) -> None:
        self._samples_per_s = None if speed is None else rate_hz * speed
        self._origin_s: float | None = None
        self._taken = 0

    def due(self) -> int:
        if self._samples_per_s is None:
            return UNPACED_SAMPLES
        now = time.monotonic()
        if self._origin_s is None:
            self._origin_s, self._taken = now, 0
        due = int((now - self._origin_s) * self._samples_per_s) - self._taken
        limit = max(1, int(MAX_CATCH_UP_S * self._samples_per_s))
        if due > limit:
            self._taken += due - limit
            due = limit
        return due

    def took(self, n: int) -> None:
        self._taken += n

    def pause(self) -> None:
        self._origin_s = None
