"""What the virtual pen's sensors read: words, sessions and demos as raw counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.channels import Descriptor, si_to_counts, standard_descriptor
from penapp.simulation.demo_ink import demo_corpus, demo_sentences
from penapp.simulation.ink import WordInk
from penapp.simulation.parameters import Pace
from penapp.simulation.pen import SimulatedSession, VirtualWriter


class SessionSource:
    """A CountSource that plays simulated sessions one after the other and then ends."""

    def __init__(self, sessions: Iterable[SimulatedSession], rate_hz: float = 100.0) -> None:
        self._descriptor = standard_descriptor(rate_hz)
        self._sessions = iter(sessions)
        self._counts: NDArray[np.int16] = np.empty((0, 13), dtype=np.int16)

    @property
    def descriptor(self) -> Descriptor:
        return self._descriptor

    def read(self, n: int) -> NDArray[np.int16] | None:
        while len(self._counts) == 0:
            session = next(self._sessions, None)
            if session is None:
                return None
            self._counts = si_to_counts(session.values, self._descriptor.streams[0])[0]
        taken, self._counts = self._counts[:n], self._counts[n:]
        return taken


class DemoSource(SessionSource):
    """The shipped test writers write their sentences, over and over unless `once`."""

    def __init__(self, rate_hz: float = 100.0, *, seed: int = 1, once: bool = False) -> None:
        super().__init__(_demo(rate_hz, seed, once), rate_hz)


def write_ink(
    words: Sequence[WordInk], seed: int, *, rate_hz: float = 100.0, gap_s: tuple[float, float] = (1.0, 1.6)
) -> SimulatedSession:
    """These words by one freshly drawn grip, touch and pen at the donor's own size and speed."""
    writer = VirtualWriter.draw(seed, hand=words[0].hand, pace=Pace(gap_s=gap_s))
    return writer.write(words, seed, rate_hz=rate_hz)


def _demo(rate_hz: float, seed: int, once: bool) -> Iterator[SimulatedSession]:
    corpus = demo_corpus()
    while True:
        for k, sentence in enumerate(demo_sentences()):
            words = [corpus.word(i) for i in sentence.words]
            yield write_ink(words, seed + 7 * k, rate_hz=rate_hz, gap_s=(0.8, 1.1))
        if once:
            return
        seed += 1000
