"""A pen lost in mid-word under the shipped recogniser: the words outside the gap are read as without it."""

from __future__ import annotations

import time

import pytest

from firmware_protocol.fault_plan import FaultKind, FaultPlan, PenFault
from penapp.device.faulty_far_end import FaultyVirtualPen
from penapp.device.looked_after import serial_pen
from penapp.device.replay import ReplaySource
from penapp.live import GapSeen, LiveSession, TextCommitted
from penapp.pipeline import default_pipeline
from penapp.simulation.demo_ink import demo_corpus, demo_sentences
from penapp.simulation.sources import SessionSource, write_ink
from tests.device.toy_pens import EventLog

SPEED = 6.0
FRAME = 8


@pytest.fixture(scope="module")
def written():
    words = demo_sentences()[0].words
    return write_ink([demo_corpus().word(i) for i in words], 4, gap_s=(0.8, 1.1))


def words_of(written, *faults, record_to=None):
    """Committed words and gaps of a whole session over a serial line."""
    pen = FaultyVirtualPen(SessionSource([written]), FaultPlan(faults), speed=SPEED)
    seen = EventLog()
    session = LiveSession(serial_pen(pen.address), default_pipeline, record_to=record_to, on_event=seen)
    session.start()
    end = time.monotonic() + 30.0
    while (s := session.status()).samples + s.lost <= len(written.t) - FRAME:
        assert time.monotonic() < end, s
        time.sleep(0.01)
    session.stop()
    pen.unplug()
    return [e.hypothesis for e in seen.of(TextCommitted)], [e.gap for e in seen.of(GapSeen)]


def test_words_outside_the_gap_are_read_as_if_the_pen_had_never_been_away(written, tmp_path):
    whole, no_gaps = words_of(written)
    assert no_gaps == []
    assert len(whole) == 6
    second = written.words[1]
    mid = int((second.start_t + second.end_t) / 2 * 100)
    broken, (gap,) = words_of(written, PenFault(FaultKind.UNPLUG, mid, 0.1), record_to=tmp_path / "s.pen")
    gone_t, back_t = gap.after_sample / 100, (gap.after_sample + gap.lost) / 100
    outside = [word for word in whole if word.end_t < gone_t or word.start_t > back_t]
    assert len(outside) >= 3
    for word in outside:
        same = [
            b for b in broken if abs(b.start_t - word.start_t) < 0.05 and abs(b.end_t - word.end_t) < 0.05
        ]
        assert [b.text for b in same] == [word.text]
    inside = [b for b in broken if b.start_t < back_t and b.end_t > gone_t]
    assert inside == [], "a word was written across the gap"
    assert replayed(tmp_path / "s.pen") == [b.text for b in broken]


def replayed(path):
    """The texts of a recording: gaps cost the same there."""
    seen = EventLog()
    session = LiveSession(ReplaySource(path, None), default_pipeline, on_event=seen)
    session.start()
    assert session.wait(30.0)
    session.stop()
    return [e.hypothesis.text for e in seen.of(TextCommitted)]
