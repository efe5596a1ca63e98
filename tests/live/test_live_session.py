"""A pen on a real pseudo-terminal, through the whole session, to text."""

import asyncio
import threading
import time

import pytest

from firmware_protocol.virtual_pen import Faults, PenFirmware
from penapp.device.errors import PenLostError, PenSilentError, PortAbsentError
from penapp.device.far_end import VirtualPen
from penapp.device.recording import Recording
from penapp.device.replay import ReplaySource
from penapp.device.serial_source import SerialSource
from penapp.device.virtual import VirtualPenSource
from penapp.errors import BadInputError, ModelMismatchError
from penapp.live import Failed, LinkChanged, LinkState, LiveSession, TextCommitted, TextTentative
from penapp.live_intake import FULL_QUEUE_PAUSE_S
from penapp.live_rate import RateMeter
from penapp.stream.queue import BlockQueue
from tests.device.toy_pens import IMPATIENT, EventLog, ToyInk, ToyPipeline


def begin(source, *, make_pipeline=ToyPipeline, record_to=None):
    seen = EventLog()
    session = LiveSession(source, make_pipeline, record_to=record_to, on_event=seen)
    session.start()
    return session, seen


def play(source, **options):
    session, seen = begin(source, **options)
    assert session.wait(20.0)
    session.stop()
    return session, seen


def text(seen):
    return "".join(e.hypothesis.text for e in seen.of(TextCommitted))


def penapp_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith(("penapp", "asyncio"))]


@pytest.fixture(autouse=True)
def _no_thread_stays_behind():
    yield
    assert penapp_threads() == []


def test_words_written_with_the_virtual_pen_come_out_as_text():
    session, seen = play(VirtualPenSource(ToyInk("hallowelt"), speed=None))
    assert text(seen) == "hallowelt"
    status = session.status()
    assert (status.link, status.samples, status.lost) == (LinkState.ENDED, 900, 0)
    assert (session.error, status.message) == (None, "")


def test_the_link_goes_through_its_states_in_order():
    _, seen = play(VirtualPenSource(ToyInk("a"), speed=None))
    states = [e.status.link for e in seen.of(LinkChanged)]
    assert states == [LinkState.OPENING, LinkState.STREAMING, LinkState.ENDED]


def test_five_percent_lost_frames_words_still_decode_and_the_loss_is_shown():
    ink = ToyInk("thequickbrownfox" * 4)
    session, seen = play(VirtualPenSource(ink, speed=None, faults=Faults(drop=0.05, seed=2)))
    assert text(seen) == "thequickbrownfox" * 4
    status = session.status()
    assert 2 < status.loss_percent < 10
    assert status.samples + status.lost == pytest.approx(len(ink.counts), abs=64)


def test_damaged_frames_are_shown():
    source = VirtualPenSource(ToyInk("abcd" * 4), speed=None, faults=Faults(corrupt=0.05, seed=2))
    session, seen = play(source)
    assert text(seen) == "abcd" * 4
    assert session.status().damaged_frames > 0


def test_tentative_text_comes_while_the_word_is_being_written_and_goes_when_it_is_committed():
    ink = ToyInk("xy", hold_at=48)
    session, seen = begin(VirtualPenSource(ink, speed=None))
    seen.wait_for(lambda e: isinstance(e, TextTentative) and e.hypothesis and e.hypothesis.text == "x")
    seen.wait_for(lambda _: session.status().contact)
    assert session.status().force_n == pytest.approx(800 * 5.32 / 4096, rel=1e-3)
    ink.hold.set()
    assert session.wait(10.0)
    assert text(seen) == "xy"
    assert seen.of(TextTentative)[-1].hypothesis is None


def test_tentative_text_comes_at_least_five_times_a_second():
    session, seen = begin(VirtualPenSource(ToyInk("abcdef"), speed=1.0))
    seen.wait_for(lambda e: isinstance(e, TextCommitted))
    session.stop()
    made = [e.made_ns for e in seen.of(TextTentative) if e.hypothesis is not None]
    assert len(made) >= 3  # 0.6 s of writing
    assert sorted(made) == made


def test_a_pen_unplugged_in_mid_word_keeps_text_and_recording(tmp_path):
    ink = ToyInk("abc", hold_at=248)
    pen = VirtualPen(ink, speed=None)
    session, seen = begin(SerialSource(pen.address, timing=IMPATIENT), record_to=tmp_path / "s.pen")
    assert ink.held.wait(10.0)
    seen.wait_for(lambda e: isinstance(e, TextCommitted) and e.hypothesis.text == "b")
    pen.unplug()
    assert session.wait(10.0)
    assert isinstance(session.error, PenLostError)
    assert session.status().link is LinkState.FAILED
    assert "is gone" in session.status().message
    assert [e.message for e in seen.of(Failed)] == [session.error.args[0]]
    assert text(seen).startswith("ab")
    assert session.status().samples == 248
    _, again = play(ReplaySource(tmp_path / "s.pen", None))
    assert text(again) == text(seen)


def test_a_recording_replayed_gives_the_same_text(tmp_path):
    session, seen = play(VirtualPenSource(ToyInk("aufzeichnung"), speed=None), record_to=tmp_path / "s.pen")
    assert (tmp_path / "s.pen").stat().st_size == session.status().recorded_bytes
    again_session, again = play(ReplaySource(tmp_path / "s.pen", None))
    assert text(again) == text(seen) == "aufzeichnung"
    assert again_session.status().samples == session.status().samples


def test_stop_in_the_middle_keeps_every_recorded_sample(tmp_path):
    ink = ToyInk("abcdefgh", hold_at=400)
    session, seen = begin(VirtualPenSource(ink, speed=None), record_to=tmp_path / "s.pen")
    seen.wait_for(lambda e: isinstance(e, TextCommitted))
    session.stop()
    recording = Recording(tmp_path / "s.pen")
    recorded = sum(f.n for batch in recording.frames() for f in batch)
    recording.close()
    assert recorded == session.status().samples > 0
    assert session.status().link is LinkState.CLOSED


def test_stop_commits_the_word_being_written():
    ink = ToyInk("q", hold_at=48)
    session, seen = begin(VirtualPenSource(ink, speed=None))
    seen.wait_for(lambda e: isinstance(e, TextTentative))
    session.stop()
    session.stop()
    assert text(seen) == "q"


def test_stop_right_after_start_and_without_start():
    session, _ = begin(VirtualPenSource(ToyInk(endless=True)))
    session.stop()
    LiveSession(VirtualPenSource(ToyInk()), ToyPipeline, on_event=EventLog()).stop()


def test_a_pen_that_sends_nothing_is_shown():
    ink = ToyInk()
    pen = VirtualPen(ink, firmware=PenFirmware(ink.descriptor, faults=Faults(no_samples=True)))
    session, seen = play(SerialSource(pen.address, timing=IMPATIENT))
    pen.unplug()
    assert isinstance(session.error, PenSilentError)
    assert seen.of(LinkChanged)[-1].status.link is LinkState.FAILED
    assert "answers but has sent no samples" in seen.of(LinkChanged)[-1].status.message


def test_a_pen_that_falls_silent_is_shown_while_the_session_goes_on(monkeypatch):
    monkeypatch.setattr("penapp.live.SILENT_S", 0.0)
    ink = ToyInk("ab", hold_at=104)
    session, seen = begin(VirtualPenSource(ink, speed=None))
    seen.wait_for(lambda e: isinstance(e, TextCommitted))
    assert "has sent no samples" in session.status().message
    ink.hold.set()
    assert session.wait(10.0)
    assert (text(seen), session.status().message) == ("ab", "")


def test_a_port_that_is_not_there_is_shown(tmp_path):
    session, seen = play(SerialSource(str(tmp_path / "nothing")))
    assert isinstance(session.error, PortAbsentError)
    assert len(seen.of(Failed)) == 1


def test_a_model_that_does_not_fit_ends_the_session_with_its_own_words():
    def unfit(_):
        raise ModelMismatchError("model a was trained with features b.", advice="Install c.")

    session, seen = play(VirtualPenSource(ToyInk(endless=True)), make_pipeline=unfit)
    assert [(e.message, e.advice) for e in seen.of(Failed)] == [
        ("model a was trained with features b.", "Install c.")
    ]
    assert isinstance(session.error, ModelMismatchError)


def test_an_error_inside_the_pipeline_is_never_swallowed():
    class Broken(ToyPipeline):
        def push(self, block):
            raise ZeroDivisionError("nought")

    session, seen = play(VirtualPenSource(ToyInk(endless=True)), make_pipeline=Broken)
    assert "ZeroDivisionError: nought" in seen.of(Failed)[0].message
    assert session.status().link is not LinkState.STREAMING


def test_an_existing_recording_is_not_overwritten(tmp_path):
    (tmp_path / "s.pen").write_bytes(b"precious")
    session, _ = play(VirtualPenSource(ToyInk(endless=True)), record_to=tmp_path / "s.pen")
    assert isinstance(session.error, BadInputError)
    assert (tmp_path / "s.pen").read_bytes() == b"precious"


def test_a_recording_that_fails_is_said_once_and_the_text_goes_on(tmp_path, monkeypatch):
    from penapp.device.errors import RecordingError
    from penapp.device.recording import StreamWriter

    real = StreamWriter.append

    def full(self, frames):
        if self.written_bytes > 2000:
            raise RecordingError("the disk is full.", advice="Free some space.")
        real(self, frames)

    monkeypatch.setattr(StreamWriter, "append", full)
    session, seen = play(VirtualPenSource(ToyInk("weiter"), speed=None), record_to=tmp_path / "s.pen")
    assert text(seen) == "weiter"
    assert [e.message for e in seen.of(Failed)] == ["the disk is full."]
    assert session.status().message == "the disk is full."


def test_a_slow_recogniser_gets_every_block(monkeypatch):
    """The queue is full all the time; nothing is dropped and memory stays bounded."""
    monkeypatch.setattr("penapp.live.QUEUE_S", 0.1)
    full = threading.Event()
    real = BlockQueue.offer

    def offer(self, arrival):
        taken = real(self, arrival)
        if not taken:
            full.set()
        return taken

    class Slow(ToyPipeline):
        def push(self, block):
            assert full.wait(10.0)
            return super().push(block)

    monkeypatch.setattr(BlockQueue, "offer", offer)
    session, seen = play(VirtualPenSource(ToyInk("langsam" * 10), speed=None), make_pipeline=Slow)
    assert text(seen) == "langsam" * 10
    assert session.status().samples == 7000


def test_a_pen_is_not_called_silent_while_its_samples_wait_for_the_recogniser(monkeypatch):
    monkeypatch.setattr("penapp.live.QUEUE_S", 0.1)
    monkeypatch.setattr("penapp.live.SILENT_S", 0.0)
    full, go_on = threading.Event(), threading.Event()
    pause = asyncio.sleep

    async def paused(seconds, *rest):
        if seconds == FULL_QUEUE_PAUSE_S:
            full.set()
        return await pause(seconds, *rest)

    class Stuck(ToyPipeline):
        def push(self, block):
            assert go_on.wait(10.0)
            return super().push(block)

    monkeypatch.setattr("penapp.live_intake.asyncio.sleep", paused)
    session, _ = begin(VirtualPenSource(ToyInk("ab" * 40), speed=None), make_pipeline=Stuck)
    assert full.wait(10.0)
    status = session.status()
    go_on.set()
    assert session.wait(10.0)
    assert (status.link, status.message, status.silent_s) == (LinkState.STREAMING, "", 0.0)


@pytest.mark.parametrize("kind", [TextCommitted, LinkChanged])
def test_a_session_can_be_stopped_from_its_own_events(tmp_path, kind):
    """Neither thread waits for the other for ever."""
    asked = []

    def stop_at(event):
        if isinstance(event, kind):
            asked.append(event)
            session.stop()

    session = LiveSession(
        VirtualPenSource(ToyInk(endless=True), speed=None),
        ToyPipeline,
        record_to=tmp_path / "s.pen",
        on_event=stop_at,
    )
    session.start()
    assert session.wait(10.0)
    assert asked
    assert session.status().link is LinkState.CLOSED


def test_the_pen_starting_again_separates_words(tmp_path):
    """A reboot in the middle of a word: what was written before and after are two words."""
    from penapp.device.recording import StreamWriter
    from tests.device.toy_pens import toy_counts

    ink = ToyInk()
    firmware = PenFirmware(ink.descriptor)
    from firmware_protocol.commands import start
    from firmware_protocol.framing import FrameDecoder, encode_frame, to_serial
    from firmware_protocol.messages import command_frame

    def write(counts):
        firmware.receive(to_serial(encode_frame(command_frame(start(1, ink.descriptor.schema_hash)))))
        return [f for item in firmware.take(counts, 0) for f in FrameDecoder().feed(item)]

    writer = StreamWriter(tmp_path / "s.pen", ink.descriptor)
    writer.append(write(toy_counts("aab")[:248]))
    firmware.reboot(8)
    writer.append(write(toy_counts("c")))
    writer.close()
    _, seen = play(ReplaySource(tmp_path / "s.pen", None))
    assert text(seen) == "aabc"


def test_committed_text_says_when_it_was_decided_and_when_its_samples_came():
    before = time.perf_counter_ns()
    _, seen = play(VirtualPenSource(ToyInk("ab"), speed=None))
    first, *_ = seen.of(TextCommitted)
    assert before < first.arrival_ns <= first.decided_ns < time.perf_counter_ns()
    assert first.block_t > first.hypothesis.end_t


def test_no_rate_is_stated_before_it_can_be_known():
    """What waited in a buffer arrives at once when a pen starts: that is no rate."""
    meter = RateMeter()
    for now_s, n in ((0.0, 1), (0.01, 20), (0.2, 19)):
        meter.push(n, now_s)
    assert meter.rate_hz(0.2) == 0.0
    for k in range(1, 20):
        meter.push(10, 0.2 + 0.1 * k)
    assert meter.rate_hz(2.1) == pytest.approx(100.0, rel=0.1)
    assert meter.rate_hz(4.2) == 0.0
