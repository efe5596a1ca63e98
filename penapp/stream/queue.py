"""The bounded queue between the device thread and the recogniser: nothing is dropped, the sender waits."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from penapp.stream.block import SampleBlock


@dataclass(frozen=True, slots=True)
class Arrival:
    """Blocks of one segment that arrived together; none = the pen is gone, what was begun ends here.

    arrival_ns: as in `ArrivedFrame`
    """

    blocks: tuple[SampleBlock, ...]
    segment: int = 1
    arrival_ns: int = 0
    samples: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", sum(map(len, self.blocks)))


class BlockQueue:
    """offer() refuses when more than `max_samples` wait; take() returns None at the end."""

    def __init__(self, max_samples: int) -> None:
        self._max_samples = max_samples
        self._items: deque[Arrival] = deque()
        self._samples = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def samples(self) -> int:
        """Samples that wait."""
        return self._samples

    @property
    def empty(self) -> bool:
        return not self._items

    def offer(self, item: Arrival) -> bool:
        """False: full, try again later."""
        with self._changed:
            if self._samples and self._samples + item.samples > self._max_samples:
                return False
            self._items.append(item)
            self._samples += item.samples
            self._changed.notify()
            return True

    def close(self) -> None:
        """Nothing more will be offered; what waits is still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self) -> Arrival | None:
        """The oldest item, waiting for one; None once closed and empty."""
        with self._changed:
            while not self._items and not self._closed:
                self._changed.wait()
            if not self._items:
                return None
            item = self._items.popleft()
            self._samples -= item.samples
            return item
