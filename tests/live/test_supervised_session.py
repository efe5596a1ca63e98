"""A pen that comes and goes under a running session: real pseudo-terminals, real threads, toy words."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from firmware_protocol.fault_plan import FaultKind, FaultPlan, PenFault
from firmware_protocol.framing import FrameType
from penapp.device.arrivals import hello_descriptor, is_hello
from penapp.device.errors import PortAbsentError
from penapp.device.faulty_far_end import FaultyVirtualPen
from penapp.device.looked_after import serial_pen
from penapp.device.outlet import TcpOutlet, new_outlet
from penapp.device.patience import Patience
from penapp.device.recording import Recording
from penapp.device.replay import ReplaySource
from penapp.device.serial_source import SerialSource
from penapp.device.supervise import SupervisedSource
from penapp.live import Failed, GapSeen, LinkChanged, LinkState, LiveSession, TextCommitted
from penapp.live_gaps import GapCause
from penapp.record.reader import RecordedFrame, SessionReader
from tests.device.toy_pens import EventLog, GapToyPipeline, NumberedInk, numbers_of

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
QUICK = Patience(silence_s=0.4)
WORD_AND_PAUSE = 100


@pytest.fixture(autouse=True)
def _no_thread_stays_behind():
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith(("penapp", "asyncio"))] == []


class Use:
    """A faulty pen, and a session on it."""

    def __init__(self, *faults, words=ALPHABET, speed=10.0, outlet=None, record_to=None, patience=None):
        self.ink = NumberedInk(words)
        self.pen = FaultyVirtualPen(self.ink, FaultPlan(faults), speed=speed, outlet=outlet)
        source = SupervisedSource(
            lambda on_stage: SerialSource(self.pen.address, on_stage=on_stage), name="toy", patience=patience
        )
        self.seen = EventLog()
        self.session = LiveSession(source, GapToyPipeline, record_to=record_to, on_event=self.seen)
        self.session.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.stop()
        self.pen.unplug()

    def wait_for_word(self, letter, timeout=15.0):
        self.seen.wait_for(lambda e: isinstance(e, TextCommitted) and e.hypothesis.text == letter, timeout)

    def wait_for_return(self):
        """The pen is back, and some more words have been read, besides the one that was broken off."""
        self.seen.wait_for(lambda e: isinstance(e, GapSeen), 15.0)
        read = len(self.text)
        until(lambda: len(self.text) >= read + 3)

    @property
    def text(self):
        return "".join(e.hypothesis.text for e in self.seen.of(TextCommitted))

    @property
    def gaps(self):
        return [e.gap for e in self.seen.of(GapSeen)]

    @property
    def missing(self):
        """First and last number of the samples that never came, as the samples themselves tell."""
        numbers = numbers_of(self.session.ring.latest()[1])
        (at,) = np.nonzero(np.diff(numbers) != 1)[0]
        return int(numbers[at]) + 1, int(numbers[at + 1]) - 1

    @property
    def states(self):
        return [e.status.link for e in self.seen.of(LinkChanged)]


def untouched(gap, words=ALPHABET):
    """The letters whose samples do not meet the gap (first and last missing sample)."""
    first, last = gap
    spans = ((k * WORD_AND_PAUSE, k * WORD_AND_PAUSE + 60) for k in range(len(words)))
    return [w for w, (a, b) in zip(words, spans, strict=True) if b <= first or a > last]


def test_a_pen_unplugged_in_mid_word_comes_back_and_the_session_goes_on(tmp_path):
    """One file, one text; the gap exact; the words outside as if nothing had been."""
    with Use(PenFault(FaultKind.UNPLUG, 230, 0.3), record_to=tmp_path / "s.pen") as use:
        use.wait_for_return()
        status = use.session.status()
    (gap,) = use.gaps
    first_missing, last_missing = use.missing
    assert (gap.cause, gap.lost) == (GapCause.LINK, last_missing - first_missing + 1)
    assert (gap.after_sample, gap.uncertainty_s) == (first_missing, 0.0)
    assert gap.duration_s == pytest.approx(gap.lost / 100.0)
    whole = [w for w in untouched((first_missing, last_missing)) if w <= use.text[-1]]
    assert whole[:2] == ["a", "b"]
    assert len(whole) >= 4
    assert [w for w in use.text if w in whole] == whole
    assert (status.gaps.links, status.gaps.last_link, status.lost) == (1, gap, gap.lost)
    assert use.session.error is None
    back = [e.status for e in use.seen.of(LinkChanged) if e.status.link is LinkState.STREAMING]
    assert [(s.message, s.silent_s < 0.1) for s in back] == 2 * [("", True)]
    assert replayed(tmp_path / "s.pen") == use.text


def replayed(path):
    seen = EventLog()
    session = LiveSession(ReplaySource(path, None), GapToyPipeline, on_event=seen)
    session.start()
    assert session.wait(20.0)
    session.stop()
    return "".join(e.hypothesis.text for e in seen.of(TextCommitted))


def test_the_word_that_was_broken_off_is_said_while_the_pen_is_still_away():
    with Use(PenFault(FaultKind.UNPLUG, 230, 60.0)) as use:
        use.wait_for_word("c")
        status = use.session.status()
        assert use.text == "abc"
        assert (status.contact, status.link in {LinkState.STREAMING, LinkState.FAILED}) == (False, False)


def test_the_status_says_since_when_and_which_try_and_when_the_next_one_is():
    with Use(PenFault(FaultKind.UNPLUG, 130, 60.0)) as use:
        use.wait_for_word("b")
        until(lambda: (s := use.session.status().search) is not None and s.attempt >= 1 and s.next_try_s)
        status = use.session.status()
        assert "there is no pen at" in status.message
        assert 0.2 < status.search.out_s < 10.0
        assert 0.0 <= status.search.next_try_s <= 1.0
        assert status.rate_hz == 0.0


def until(condition, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def test_a_restart_begins_a_segment_and_its_gap_is_a_duration_with_its_uncertainty(tmp_path):
    with Use(
        PenFault(FaultKind.REBOOT, 230, 0.3), speed=2.0, words="abcdef", record_to=tmp_path / "s.pen"
    ) as use:
        use.wait_for_word("f")
    (gap,) = use.gaps
    first_missing, last_missing = use.missing
    assert (gap.cause, gap.lost) == (GapCause.RESTART, None)
    true_s = (last_missing - first_missing + 2) / 200.0
    assert abs(gap.duration_s - true_s) <= gap.uncertainty_s
    recording = Recording(tmp_path / "s.pen")
    later = [f for batch in recording.frames() for f in batch if is_hello(f)]
    assert [hello_descriptor(f).boot_id == recording.descriptor.boot_id for f in later] == [False]
    recording.close()


def test_a_session_file_across_a_restart_knows_both_boots_and_decodes_to_the_same_text(tmp_path):
    with Use(PenFault(FaultKind.REBOOT, 230, 0.2), record_to=tmp_path / "s.mcap") as use:
        use.wait_for_return()
    with SessionReader(tmp_path / "s.mcap") as reader:
        frames = [item.frame for item in reader.items() if isinstance(item, RecordedFrame)]
        first_boot = reader.head.descriptor.boot_id
    boots = [hello_descriptor(frame).boot_id for frame in frames if is_hello(frame)]
    assert len(boots) == 1
    assert boots != [first_boot]
    at = next(k for k, frame in enumerate(frames) if is_hello(frame))
    behind = next(frame for frame in frames[at:] if frame.type is FrameType.DATA)
    assert behind.index < 230, "its index counts from nothing"
    assert replayed(tmp_path / "s.mcap") == use.text


def test_another_pen_in_its_place_is_said_and_its_samples_are_not_taken():
    with Use(PenFault(FaultKind.REPLACED, 130, 0.4), speed=8.0) as use:
        until(lambda: "another pen answers" in use.session.status().message)
        use.wait_for_return()
    (gap,) = use.gaps
    first_missing, last_missing = use.missing
    assert gap.lost == last_missing - first_missing + 1


@pytest.mark.parametrize("kind", [FaultKind.STALL, FaultKind.SILENCE])
def test_a_pen_that_falls_silent_is_a_loss_and_the_link_is_made_anew(kind):
    with Use(PenFault(kind, 130, 0.8), patience=QUICK) as use:
        use.seen.wait_for(lambda e: isinstance(e, LinkChanged) and e.status.link is LinkState.LOST)
        use.wait_for_return()
    (gap,) = use.gaps
    first_missing, last_missing = use.missing
    assert (gap.cause, gap.lost) == (GapCause.LINK, last_missing - first_missing + 1)


def test_a_host_that_stands_still_for_two_seconds_loses_nothing():
    """The device thread itself does nothing for two seconds; neither the pen nor the user notices."""
    with Use(words="abcd", speed=4.0) as use:
        use.wait_for_word("b")
        use.session._loop.call_soon_threadsafe(time.sleep, 2.0)
        use.wait_for_word("d")
    assert use.text == "abcd"
    assert use.gaps == []
    assert LinkState.LOST not in use.states


def test_first_connect_without_wait_fails_once_and_clearly():
    outlet = new_outlet()
    source = SupervisedSource(lambda on_stage: SerialSource(outlet.address, on_stage=on_stage), name="toy")
    seen = EventLog()
    session = LiveSession(source, GapToyPipeline, on_event=seen)
    session.start()
    assert session.wait(10.0)
    session.stop()
    outlet.close()
    assert isinstance(session.error, PortAbsentError)
    assert [e.message for e in seen.of(Failed)] == [session.error.args[0]]
    assert session.status().link is LinkState.FAILED


def test_with_wait_a_pen_that_is_plugged_in_later_is_found():
    outlet = new_outlet()
    seen = EventLog()
    session = LiveSession(serial_pen(outlet.address, wait=True), GapToyPipeline, on_event=seen)
    session.start()
    until(lambda: (s := session.status().search) is not None and s.attempt >= 2)
    assert session.status().search.out_s is None
    assert "there is no pen at" in session.status().message
    pen = FaultyVirtualPen(NumberedInk("ab"), FaultPlan(), speed=20.0, outlet=outlet)
    seen.wait_for(lambda e: isinstance(e, TextCommitted))
    session.stop()
    pen.unplug()
    assert session.error is None
    assert session.status().gaps.count == 0


@pytest.mark.parametrize("stop_at", ["at once", "lost", "connecting"])
def test_stopping_while_the_pen_is_looked_for_is_quick_and_leaves_nothing(stop_at):
    with Use(PenFault(FaultKind.STALL, 130, 60.0), patience=QUICK) as use:
        if stop_at == "lost":
            use.seen.wait_for(lambda e: isinstance(e, LinkChanged) and e.status.link is LinkState.LOST)
        elif stop_at == "connecting":
            until(lambda: (s := use.session.status().search) is not None and s.attempt == 1)
        before_s = time.monotonic()
        use.session.stop()
        assert time.monotonic() - before_s < 3.0
        assert use.session.status().link is LinkState.CLOSED


def test_a_pen_behind_a_socket_comes_back_too():
    with Use(PenFault(FaultKind.UNPLUG, 230, 0.2), outlet=TcpOutlet()) as use:
        use.wait_for_return()
    (gap,) = use.gaps
    first_missing, last_missing = use.missing
    assert gap.lost == last_missing - first_missing + 1


def test_two_pens_at_once_have_each_their_own_text():
    with Use(words="thequickbrownfox", speed=20.0) as one, Use(words="jumpsoverlazydog", speed=20.0) as two:
        for use in (one, two):
            until(lambda use=use: len(use.text) == 16)
    assert (one.text, two.text) == ("thequickbrownfox", "jumpsoverlazydog")
    np.testing.assert_array_equal([one.session.status().lost, two.session.status().lost], 0)


def test_one_pen_of_two_is_lost_and_the_other_does_not_notice():
    with (
        Use(PenFault(FaultKind.UNPLUG, 330, 60.0), speed=20.0) as one,
        Use(words="jumpsoverlazydog", speed=20.0) as two,
    ):
        one.wait_for_word("d")
        until(lambda: len(two.text) == 16)
    assert two.text == "jumpsoverlazydog"
    assert two.gaps == []
    assert LinkState.LOST not in two.states
