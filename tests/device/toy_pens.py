"""A pen whose words are plain to see: word k holds the front accelerometer at k steps while it presses."""

from __future__ import annotations

import threading

import numpy as np

from firmware_protocol.descriptor import standard_descriptor
from penapp.decode.types import Hypothesis, TextState
from penapp.device.requests import LinkTiming

STEP_COUNTS = 500
FORCE_COUNTS = 800
WORD, PAUSE = 60, 40
IMPATIENT = LinkTiming(answer_s=0.15, retries=1, silence_s=0.2)


def toy_counts(words):
    """(n, 13) int16: each letter a-z of `words` is one word of 60 samples with a pause of 40 behind it."""
    parts = []
    for letter in words:
        part = np.zeros((WORD + PAUSE, 13), dtype=np.int16)
        part[:WORD, 0] = (ord(letter) - ord("a") + 1) * STEP_COUNTS
        part[:WORD, 12] = FORCE_COUNTS
        part[:, 8] = np.arange(WORD + PAUSE)
        parts.append(part)
    return np.concatenate(parts)


class ToyInk:
    """A CountSource. `hold` (an Event) keeps the pen silent until it is set, from sample `hold_at` on."""

    def __init__(self, words="abc", rate_hz=100.0, *, endless=False, hold_at=None):
        self.descriptor = standard_descriptor(rate_hz, boot_id=7, name="toy pen")
        self.counts = toy_counts(words)
        self.endless = endless
        self.hold_at = hold_at
        self.hold = threading.Event()
        self.held = threading.Event()
        self.at = 0

    def read(self, n):
        if self.hold_at is not None and not self.hold.is_set():
            n = min(n, self.hold_at - self.at)
            if not n:
                self.held.set()
                return self.counts[:0]
        if self.at >= len(self.counts):
            if not self.endless:
                return None
            self.at = 0
        part = self.counts[self.at : self.at + n]
        self.at += len(part)
        return part


class ToyPipeline:
    """Reads the toy words: a word is committed after 20 samples without force."""

    def __init__(self, descriptor=None):
        scale = standard_descriptor().streams[0].scale_row[0]
        self._step = STEP_COUNTS * scale
        self.reset()

    def reset(self):
        self.contact = False
        self._xs = []
        self._quiet = 0
        self._start = self._end = 0.0

    def push(self, block):
        words = []
        for t, row in zip(block.t, block.values, strict=True):
            self.contact = bool(row[12] > 0.5)
            if self.contact:
                self._start = self._start if self._xs else float(t)
                self._end, self._quiet = float(t), 0
                self._xs.append(float(row[0]))
                continue
            self._quiet += 1
            if self._quiet >= 20:
                words += self.finish()
        return words

    def tentative(self):
        return self._reading(TextState.TENTATIVE) if self._xs else None

    def finish(self):
        words = [self._reading(TextState.COMMITTED)] if self._xs else []
        self._xs = []
        return words

    def _reading(self, state):
        text = chr(ord("a") - 1 + round(float(np.median(self._xs)) / self._step))
        return Hypothesis(text, (), (), 1.0, state, self._start, self._end)


NUMBER_BASE = 1000


def write_numbers(counts, numbers):
    """Put the number of each sample into the gyroscope's counts (n, 13), as three digits of a base."""
    for column in range(3):
        counts[:, 6 + column] = numbers // NUMBER_BASE**column % NUMBER_BASE


class NumberedInk(ToyInk):
    """Every sample carries its own number, so that what is missing is known without trusting the wire.

    When the words are over the pen goes on in silence, as one that lies on the table does.
    """

    def __init__(self, words="abc", rate_hz=100.0, **options):
        super().__init__(words, rate_hz, **options)
        write_numbers(self.counts, np.arange(len(self.counts)))

    def read(self, n):
        part = super().read(n)
        return self.counts[:0] if part is None else part


def numbers_of(values):
    """The sample numbers in SI values (n, 13)."""
    scale = np.asarray(standard_descriptor().streams[0].scale_row)[6:9]
    digits = np.rint(values[:, 6:9] / scale).astype(np.int64)
    return digits @ NUMBER_BASE ** np.arange(3)


class GapToyPipeline(ToyPipeline):
    """As the real one: a gap that cannot be bridged ends the word, a short one is like its end."""

    def push(self, block):
        words = self.finish() if block.lost > 30 else []
        if block.lost and block.values[0, 12] < 0.5:
            self._quiet += block.lost
            words += self.finish() if self._quiet >= 20 else []
        return words + super().push(block)


class EventLog:
    """Collects live events; wait_for(predicate) blocks until one fits."""

    def __init__(self):
        self.events = []
        self._changed = threading.Condition()

    def __call__(self, event):
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def of(self, kind):
        with self._changed:
            return [e for e in self.events if isinstance(e, kind)]

    def wait_for(self, predicate, timeout=10.0):
        with self._changed:
            found = self._changed.wait_for(lambda: any(map(predicate, self.events)), timeout)
        assert found, f"the event did not come; these did: {self.events[-5:]}"


class RudeFirmware:
    """Whatever a thing on a port may say that is no pen: `answer` to every read."""

    streaming = False

    def __init__(self, answer):
        self.answer = answer

    def receive(self, raw):
        return [self.answer]

    def take(self, counts, t_us_first):
        return []
