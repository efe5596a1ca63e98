"""Strokes to words: where a word ends, and why."""

from __future__ import annotations

import math

from penapp.dsp.motion import MotionBlock
from penapp.segment.contact import ContactDetector
from penapp.segment.params import SegmentParams
from penapp.segment.types import CloseReason, OpenWord, Stroke, WordSegment


class WordSegmenter:
    """MotionBlocks in, WordSegments out, however the stream was cut."""

    def __init__(self, params: SegmentParams | None = None) -> None:
        self._params = params or SegmentParams()
        self._contact = ContactDetector(self._params.contact)
        self.reset()

    def reset(self) -> None:
        """Forgets the stream and the writer."""
        self._contact.reset()
        self._strokes: list[Stroke] = []
        self._now = -math.inf
        self._done: list[WordSegment] = []

    def push(self, block: MotionBlock) -> list[WordSegment]:
        for t, force_n in zip(block.t.tolist(), block.force_n.tolist(), strict=True):
            self._row(t, force_n)
        return self._taken()

    def finish(self, reason: CloseReason = CloseReason.END) -> list[WordSegment]:
        """Closes the open word; what was learned of the writer is kept."""
        self._strokes += self._contact.finish()
        self._close(reason, self._now)
        return self._taken()

    @property
    def contact(self) -> bool:
        """The tip is on paper now."""
        return self._contact.down

    @property
    def open_word(self) -> OpenWord | None:
        """The word being written, for tentative reading."""
        since = self._contact.down_since
        starts = [stroke.start_t for stroke in self._strokes] + ([] if since is None else [since])
        return OpenWord(starts[0], tuple(self._strokes), self._now) if starts else None

    def _row(self, t: float, force_n: float) -> None:
        if t - self._now > self._params.gap_s:
            self._strokes += self._contact.finish()
            self._close(CloseReason.GAP, t)
        self._now = t
        stroke = self._contact.step(t, force_n)
        if stroke is not None:
            self._strokes.append(stroke)
        in_air = self._strokes and not self._contact.down
        if in_air and t - self._strokes[-1].end_t >= self._params.commit_delay_s:
            self._close(CloseReason.PAUSE, t)

    def _close(self, reason: CloseReason, t: float) -> None:
        if self._strokes:
            self._done.append(WordSegment(tuple(self._strokes), reason, t))
        self._strokes = []

    def _taken(self) -> list[WordSegment]:
        done, self._done = self._done, []
        return done
