"""What segmentation says: strokes, words, and why a word was closed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CloseReason(Enum):
    """Why a word was closed."""

    PAUSE = "pause"
    """the pen stayed away from the paper for longer than this writer pauses inside a word"""
    MOVED = "moved"
    """the pen travelled on in the air as writers do between words, before the full pause was over"""
    TOO_LONG = "too long"
    """the word outgrew what the recogniser takes"""
    GAP = "gap"
    """samples were lost for too long to bridge"""
    END = "end"
    """the stream ended"""


@dataclass(frozen=True, slots=True)
class Stroke:
    """Pen down to pen up, seconds on the pen's clock."""

    start_t: float
    end_t: float


@dataclass(frozen=True, slots=True)
class WordSegment:
    """The strokes of one word.

    strokes:    in time order, at least one
    closed:     why the word was closed
    decided_t:  stream time at which the decision fell; decided_t - end_t is the added delay
    """

    strokes: tuple[Stroke, ...]
    closed: CloseReason
    decided_t: float

    @property
    def start_t(self) -> float:
        return self.strokes[0].start_t

    @property
    def end_t(self) -> float:
        return self.strokes[-1].end_t


@dataclass(frozen=True, slots=True)
class OpenWord:
    """The word being written.

    start_t:  first touchdown
    strokes:  the finished ones, in time order, possibly none
    now_t:    stream time of this view
    """

    start_t: float
    strokes: tuple[Stroke, ...]
    now_t: float
