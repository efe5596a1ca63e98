"""Strokes to words: where a word ends, and why."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from penapp.dsp.motion import MotionBlock
from penapp.segment.contact import ContactDetector
from penapp.segment.habits import Habits
from penapp.segment.history import POSITION, History, rows_of
from penapp.segment.judge import Judge, shipped_judge
from penapp.segment.params import READ_ALONG, SegmentParams
from penapp.segment.past import PastPenUp, empty_past
from penapp.segment.pen_up import PenUp, View, move_of
from penapp.segment.question import Question, question
from penapp.segment.types import CloseReason, OpenWord, Stroke, WordSegment
from penapp.segment.vote import StretchReader, Vote

_RECENT_STROKES = 40
_LOOKED_BEHIND_S = 0.5
_REMEMBERED_S = 4.5
"""The history reaches a second further back."""


class WordSegmenter:
    """MotionBlocks in, WordSegments out, however the stream was cut.

    Every pen-up longer than a moment is judged by its length in this writer's tempo and by what the tip did:
    in the air again and again (a sure end is announced early), and once more when the tip has landed and
    written a little (then the word before it is closed in hindsight). A reader, if there is one, has a vote
    where the pen-up is doubtful; it must have seen every row that is pushed here.
    """

    _strokes: list[Stroke]
    _recent: deque[Stroke]
    _pen_ups: list[PenUp]
    _doubts: list[PenUp]
    _last_lift_t: float | None
    _past: deque[PastPenUp]
    _now: float

    def __init__(
        self,
        params: SegmentParams | None = None,
        judge: Judge | None = None,
        reader: StretchReader | None = None,
    ) -> None:
        self._params = params or (SegmentParams() if reader is None else READ_ALONG)
        self._judge_of_pen_ups = judge or shipped_judge()
        self._vote = Vote(self._params.vote, reader) if reader else None
        self._contact = ContactDetector(self._params.contact)
        self._history = History()
        self.reset()

    def reset(self) -> None:
        """Forgets the stream and the writer."""
        self._contact.reset()
        self._habits = Habits()
        self._done: list[WordSegment] = []
        self._forget_stream()

    def push(self, block: MotionBlock) -> list[WordSegment]:
        rows = rows_of(block)
        for i, (t, force_n) in enumerate(zip(block.t.tolist(), block.force_n.tolist(), strict=True)):
            self._row(t, force_n, rows[i])
        return self._taken()

    def finish(self, reason: CloseReason = CloseReason.END) -> list[WordSegment]:
        """Closes the open word; what was learned of the writer is kept."""
        self._end_stream(reason)
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

    def _row(self, t: float, force_n: float, row: NDArray[np.float64]) -> None:
        if t - self._now > self._params.gap_s:
            self._end_stream(CloseReason.GAP)
        self._now = t
        self._history.append(t, row)
        was_down = self._contact.down
        stroke = self._contact.step(t, force_n)
        if stroke is not None:
            self._lifted(stroke)
        elif self._contact.down and not was_down:
            self._landed()
        elif was_down and not self._contact.down:
            self._landed_not()
        if self._doubts and t >= self._doubts[0].look_t:
            self._judge(self._doubts[0])
        self._limit_length()

    def _lifted(self, stroke: Stroke) -> None:
        self._strokes.append(stroke)
        self._recent.append(stroke)
        pen_up = PenUp(stroke.end_t, len(self._strokes), stroke.end_t + self._params.first_look_s)
        self._pen_ups.append(pen_up)
        self._doubts.append(pen_up)
        _, rows = self._history.window(stroke.start_t, stroke.end_t)
        self._habits.wrote(rows[:, POSITION][:, :2])
        self._remember_move()

    def _remember_move(self) -> None:
        """The stroke behind a pen-up is finished: now its move is known best."""
        last = self._past[-1] if self._past else None
        if last is not None and last.move is None and self._now - last.lift_t < _REMEMBERED_S:
            view = View(min(self._now, last.land_t + _LOOKED_BEHIND_S), self._history, [*self._recent])
            last.move = move_of(last.lift_t, last.land_t, view)
            if last.land_t - last.lift_t < self._params.surely_inside_s:
                self._habits.hopped(last.move.forward_m, last.move.side_m)

    def _landed(self) -> None:
        since = self._contact.down_since
        if since is None:
            return
        if self._recent:
            last = self._recent[-1]
            self._past.append(PastPenUp(last.end_t, since, last.end_t - last.start_t))
        if not self._doubts or self._doubts[-1].land_t is not None:
            self._paused(since)
            return
        p, pen_up = self._params, self._doubts[-1]
        pen_up.land_t = since
        pause = since - pen_up.lift_t
        if pause < p.surely_inside_s:
            self._settle(pen_up, between=False)
            return
        latest = max(pen_up.lift_t + p.commit_delay_s, since + p.least_look_s)
        pen_up.look_t = min(since + p.look_s, latest)

    def _landed_not(self) -> None:
        """What looked like a landing was the sensor."""
        if self._past:
            self._past.pop()
        if not self._pen_ups:
            return
        pen_up = self._pen_ups[-1]
        pen_up.land_t, pen_up.look_t = None, self._now
        if pen_up not in self._doubts:
            self._doubts.append(pen_up)

    def _judge(self, pen_up: PenUp) -> None:
        p, calm = self._params, self._calm()
        patient = calm or self._habits.between.seen < p.patient_words
        pen_up.chance = self._opinion(pen_up)
        commit_t = pen_up.lift_t + p.commit_delay_s
        if pen_up.land_t is not None:
            self._settle(pen_up, between=pen_up.chance > (p.calm_chance if calm else p.landed_chance))
            return
        hasty = p.late_chance if self._now >= commit_t else p.early_chance
        last_t = pen_up.lift_t + (p.calm_longest_s if patient else p.longest_pause_s)
        if pen_up.chance > (p.calm_chance if patient else hasty) or self._now >= last_t:
            self._settle(pen_up, between=True)
            return
        next_t = last_t if patient or self._now >= commit_t else commit_t
        pen_up.look_t = min(self._now + p.look_again_s, next_t)

    def _calm(self) -> bool:
        """This writer leaves so much time between words that one can wait to be sure."""
        p, between = self._params, self._habits.between
        return between.seen >= p.calm_after and between.mean - between.sd > math.log(p.calm_pause_s)

    def _opinion(self, pen_up: PenUp) -> float:
        """Probability that the pen-up lies between words."""
        judged = self._judge_of_pen_ups.chance(self._question(pen_up))
        if self._vote is None:
            return judged
        return self._vote.chance(judged, pen_up, self._strokes[0].start_t, self._now)

    def _question(self, pen_up: PenUp) -> Question:
        return question(pen_up, self._view(), self._habits, self._strokes, self._past)

    def _view(self) -> View:
        since = self._contact.down_since
        late = [*self._recent] if since is None else [*self._recent, Stroke(since, self._now)]
        return View(self._now, self._history, late)

    def _settle(self, pen_up: PenUp, *, between: bool) -> None:
        """The first doubt is decided."""
        self._doubts.remove(pen_up)
        self._decided(pen_up.lift_t, between=between)
        if not between:
            self._habits.paused(pen_up.pause_s(self._now), between=False)
            return
        self._last_lift_t = pen_up.lift_t
        if pen_up.land_t is not None:
            self._paused(pen_up.land_t)
        late = pen_up.pause_s(self._now) >= self._params.commit_delay_s - 1e-6
        self._close(CloseReason.PAUSE if late else CloseReason.MOVED, pen_up.before)

    def _decided(self, lift_t: float, *, between: bool) -> None:
        for one in reversed(self._past):
            if one.lift_t == lift_t:
                one.between = between
                return

    def _paused(self, land_t: float) -> None:
        """A new word has begun."""
        if self._last_lift_t is not None:
            self._habits.paused(land_t - self._last_lift_t, between=True)
            self._decided(self._last_lift_t, between=True)
        self._last_lift_t = None

    def _limit_length(self) -> None:
        since = self._contact.down_since
        start_t = self._strokes[0].start_t if self._strokes else since
        if start_t is None or self._now - start_t < self._params.max_word_s:
            return
        if self._pen_ups:
            best = max(self._pen_ups, key=lambda pen_up: (pen_up.chance, pen_up.pause_s(self._now)))
            self._close(CloseReason.TOO_LONG, best.before)
        elif since is not None:
            self._strokes.append(self._contact.split())
            self._close(CloseReason.TOO_LONG, 1)

    def _close(self, reason: CloseReason, count: int) -> None:
        """The first `count` strokes are a word; the others stay open."""
        self._done.append(WordSegment(tuple(self._strokes[:count]), reason, self._now))
        self._strokes = self._strokes[count:]
        self._pen_ups = [p for p in self._pen_ups if p.before > count]
        self._doubts = [p for p in self._doubts if p.before > count]
        for pen_up in self._pen_ups:
            pen_up.before -= count

    def _end_stream(self, reason: CloseReason) -> None:
        self._strokes += self._contact.finish()
        if self._strokes:
            self._close(reason, len(self._strokes))
        self._forget_stream()

    def _forget_stream(self) -> None:
        self._history.clear()
        if self._vote is not None:
            self._vote.reset()
        self._strokes = []
        self._recent = deque(maxlen=_RECENT_STROKES)
        self._pen_ups = []
        self._doubts = []
        self._last_lift_t = None
        self._past = empty_past()
        self._now = -math.inf

    def _taken(self) -> list[WordSegment]:
        done, self._done = self._done, []
        return done
