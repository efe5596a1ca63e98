"""Asking a pen for its time while it streams: over a real pty, and what a session makes of the answers."""

from __future__ import annotations

import asyncio
import time

from firmware_protocol.commands import TimeSyncReading
from firmware_protocol.messages import parse_response
from penapp.device.errors import PenLostError
from penapp.device.far_end import VirtualPen
from penapp.device.keep_time import UNANSWERED, TimeSource, keeping_time
from penapp.device.recording import Recording
from penapp.device.replay import ReplaySource
from penapp.device.requests import NoAnswerError
from penapp.device.serial_source import SerialSource
from penapp.device.virtual import VirtualPenSource
from penapp.live import LinkState, LiveSession
from tests.device.toy_pens import IMPATIENT, EventLog, ToyInk, ToyPipeline


async def one_answer(pen):
    source = SerialSource(pen.address, timing=IMPATIENT)
    await source.open()
    await source.start()
    before_us = time.perf_counter_ns() // 1000
    answer = await source.time_sync()
    after_ns = time.perf_counter_ns()
    await source.stop()
    await source.close()
    return before_us, answer, after_ns


def test_the_answer_comes_with_the_question_and_the_moment_it_arrived():
    pen = VirtualPen(ToyInk(endless=True), speed=1.0)
    before_us, answer, after_ns = asyncio.run(one_answer(pen))
    pen.unplug()
    reading = TimeSyncReading.decode(parse_response(answer.frame).data)
    assert before_us <= reading.host_us <= answer.arrival_ns // 1000
    assert answer.arrival_ns <= after_ns


class Clock:
    """A source that says what `answers` hold; an error is raised."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    async def time_sync(self):
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else NoAnswerError("TIME_SYNC")
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(source, monkeypatch):
    """What is taken until nothing more is asked."""
    monkeypatch.setattr("penapp.device.keep_time.FIRST_EVERY_S", 0.0)
    taken = []

    async def run():
        async with keeping_time(source, taken.append):
            await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})

    asyncio.run(run())
    return taken


def test_a_pen_that_does_not_know_time_sync_is_left_alone(monkeypatch):
    source = Clock()
    assert ask(source, monkeypatch) == []
    assert source.asked == UNANSWERED


def test_an_answer_that_is_lost_is_no_reason_to_stop(monkeypatch):
    lost = [NoAnswerError("TIME_SYNC")] * (UNANSWERED - 1)
    source = Clock(*lost, "a", *lost, "b")
    assert ask(source, monkeypatch) == ["a", "b"]


def test_a_pen_that_is_gone_is_not_asked_again(monkeypatch):
    source = Clock("a", PenLostError("it is gone."), "b")
    assert ask(source, monkeypatch) == ["a"]


def test_a_virtual_pen_of_this_program_has_no_clock_of_its_own():
    assert isinstance(SerialSource("x"), TimeSource)
    assert not isinstance(VirtualPenSource(ToyInk()), TimeSource)


def played(source, **options):
    session = LiveSession(source, ToyPipeline, on_event=EventLog(), **options)
    session.start()
    assert session.wait(20.0)
    session.stop()
    return session


def test_a_session_keeps_arrivals_and_answers_and_a_replay_knows_the_same_clock(tmp_path, monkeypatch):
    monkeypatch.setattr("penapp.device.keep_time.FIRST_EVERY_S", 0.0)

    class Held(VirtualPenSource):
        """A virtual pen that is asked, and whose ink goes on after the first answer."""

        async def time_sync(self):
            answer = await self._opened().time_sync()
            self._ink.hold.set()
            return answer

    session = played(Held(ToyInk("abc", hold_at=96), speed=None), record_to=tmp_path / "s.pen")
    recording = Recording(tmp_path / "s.pen")
    kept = [a for batch in recording.arrivals() for a in batch]
    recording.close()
    assert all(a.arrival_ns for a in kept)
    assert sum(a.frame.n for a in kept) == 300
    assert any(not a.frame.n for a in kept)
    again = played(ReplaySource(tmp_path / "s.pen", None))
    ours, theirs = session.status(), again.status()
    assert (ours.link, ours.samples) == (LinkState.ENDED, theirs.samples)
    assert (ours.skew_ppm, ours.clock_uncertainty_s) == (theirs.skew_ppm, theirs.clock_uncertainty_s)
    assert ours.clock_uncertainty_s < 10.0
