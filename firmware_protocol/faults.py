"""A wire that damages what passes over it: seeded, so that every test sees the same damage."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong between pen and host; numbers are probabilities for each frame.

    drop:       the frame never arrives
    corrupt:    one bit is flipped (never in the delimiter)
    duplicate:  the frame arrives twice
    reorder:    the frame arrives after the next one
    truncate:   the end of the frame is missing, its delimiter is there
    rubbish:    1-40 random bytes arrive in front of the frame, glued to it (on a serial line it is lost)
    overrun:    the pen's own queue was full: the frame is dropped inside the pen, the next one says so
    responses:  damage answers to commands too, not only samples
    version:    protocol version written into every frame (check sum right)
    silent:     the pen says nothing at all, not even to HELLO
    no_samples: the pen answers, but never sends a sample
    """

    drop: float = 0.0
    corrupt: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    truncate: float = 0.0
    rubbish: float = 0.0
    overrun: float = 0.0
    responses: bool = False
    version: int = 1
    silent: bool = False
    no_samples: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, float) and not 0 <= value <= 1:
                raise ValueError(f"fault {f.name} is {value}, expected a probability from 0 to 1.")

    @property
    def any_on_wire(self) -> bool:
        return any((self.drop, self.corrupt, self.duplicate, self.reorder, self.truncate, self.rubbish))


class FaultyWire:
    """push(wire bytes of one frame) -> what arrives; finish() -> what is still held back."""

    def __init__(self, faults: Faults, *, delimiter: bytes = b"\x00") -> None:
        self._faults = faults
        self._delimiter = delimiter
        self._rng = random.Random(faults.seed)
        self._held: list[bytes] = []

    def push(self, wire: bytes) -> list[bytes]:
        if not self._faults.any_on_wire:
            return [wire]
        arrived = self._damage(wire)
        if self._held:
            arrived, self._held = arrived + self._held, []
        elif arrived and self._happens(self._faults.reorder):
            arrived, self._held = [], arrived
        return arrived

    def finish(self) -> list[bytes]:
        held, self._held = self._held, []
        return held

    def reset(self) -> None:
        self._held = []
        self._rng = random.Random(self._faults.seed)

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._rng.random() < probability

    def _damage(self, wire: bytes) -> list[bytes]:
        faults = self._faults
        if self._happens(faults.drop):
            return []
        body = wire.removesuffix(self._delimiter)
        if self._happens(faults.corrupt):
            body = self._flip(body)
        if self._happens(faults.truncate):
            body = body[: self._rng.randrange(1, len(body))]
        if self._happens(faults.rubbish):
            body = self._rng.randbytes(self._rng.randint(1, 40)) + body
        return [body + self._delimiter] * (2 if self._happens(faults.duplicate) else 1)

    def _flip(self, body: bytes) -> bytes:
        bit = self._rng.randrange(len(body) * 8)
        damaged = bytearray(body)
        damaged[bit // 8] ^= 1 << (bit % 8)
        return bytes(damaged)
