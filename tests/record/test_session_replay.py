"""A session is a pen: it replays through the ordinary path and gives the same text, bit for bit."""

import asyncio
import json
import threading
from pathlib import Path

import pytest

from firmware_protocol.messages import Op, Response, Status, response_frame
from firmware_protocol.virtual_pen import Faults
from penapp.cli.run_cli import run_cli
from penapp.device.errors import RecordingError
from penapp.device.recorded import open_recorded
from penapp.device.recording import StreamWriter
from penapp.device.replay import ReplaySource
from penapp.device.virtual import VirtualPenSource
from penapp.errors import BadInputError
from penapp.live import LinkState, LiveSession, TextCommitted, TextTentative
from penapp.live_recorder import SessionPlan, recording_path
from penapp.offline import decode_recording
from penapp.record.listing import session_entry
from penapp.record.out_file import OutFile
from penapp.record.reader import read_session
from penapp.record.types import Consent, EventKind, SessionEvent, WriterNote
from penapp.record.writer import SessionWriter
from tests.device.test_recording_and_replay import data_frames
from tests.device.toy_pens import EventLog, ToyInk, ToyPipeline
from tests.record.session_toys import HEAD, pen_frames, write_session


def play(source, *, record_to=None, make_pipeline=ToyPipeline):
    seen = EventLog()
    session = LiveSession(source, make_pipeline, record_to=record_to, on_event=seen)
    session.start()
    assert session.wait(60.0)
    session.stop()
    return session, [e.hypothesis for e in seen.of(TextCommitted)]


def text(words):
    return "".join(word.text for word in words)


async def replayed(source):
    await source.open()
    await source.start()
    frames = [a.frame async for batch in source.frames() for a in batch]
    await source.stop()
    await source.close()
    return frames, source


@pytest.fixture
def path(tmp_path):
    head = type(HEAD)(ToyInk().descriptor, session_id="abc")
    return write_session(tmp_path / "abc.mcap", data_frames("abc"), head=head, records=(), per_chunk=7)


@pytest.mark.parametrize("speed", [None, 30.0])
def test_replay_gives_the_recorded_frames_at_any_speed(path, speed):
    frames, source = asyncio.run(replayed(ReplaySource(path, speed)))
    assert frames == data_frames("abc")
    assert (source.progress, source.counters.frames, source.counters.damaged_frames) == (1.0, len(frames), 0)


def test_a_session_recorded_live_replays_to_the_same_words(tmp_path):
    """Words with their times and scores, not the text alone; frames were lost and damaged on the way."""
    faults = Faults(drop=0.03, corrupt=0.02, seed=3)
    path = tmp_path / "s.mcap"
    session, words = play(VirtualPenSource(ToyInk("sitzung" * 3), speed=None, faults=faults), record_to=path)
    assert text(words) == "sitzung" * 3
    again_session, again = play(ReplaySource(path, None))
    assert again == words
    status, again_status = session.status(), again_session.status()
    assert (again_status.samples, again_status.lost) == (status.samples, status.lost)
    assert status.recorded_bytes == path.stat().st_size
    assert decode_recording(path, ToyPipeline).words == tuple(words)


def test_the_real_recogniser_reads_the_same_from_the_pen_and_from_its_session(tmp_path):
    from itertools import islice

    from penapp.pipeline import default_pipeline
    from penapp.simulation.demo_ink import demo_sentences, sentence_ink
    from penapp.simulation.sources import SessionSource as InkSource
    from penapp.simulation.sources import write_ink

    made = []

    def make(descriptor):
        if not made:
            made.append(default_pipeline(descriptor))
        made[0].reset()
        return made[0]

    ink = list(islice((word for s in demo_sentences() for word in sentence_ink(s)), 3))
    written = VirtualPenSource(InkSource([write_ink(ink, 1, rate_hz=100.0)], 100.0), speed=None)
    path = tmp_path / "s.mcap"
    _, words = play(written, record_to=path, make_pipeline=make)
    assert len(words) >= 2
    assert decode_recording(path, make).words == tuple(words)


def test_a_stream_and_a_session_of_the_same_pen_decode_alike(tmp_path):
    descriptor = ToyInk().descriptor
    hello = response_frame(Response(Op.HELLO, 0, Status.OK, descriptor.with_rate(0, 50.0).encode()))
    frames = [*data_frames("aab")[:31], hello, *data_frames("c", rate_hz=50.0)]
    head = type(HEAD)(descriptor)
    write_session(tmp_path / "s.mcap", frames, head=head, per_chunk=11)
    writer = StreamWriter(tmp_path / "s.pen", descriptor)
    writer.append(frames)
    writer.close()
    session = decode_recording(tmp_path / "s.mcap", ToyPipeline)
    stream = decode_recording(tmp_path / "s.pen", ToyPipeline)
    assert session.words == stream.words
    assert session.counters == stream.counters
    assert session.text == "a a b c"


def test_the_session_of_a_killed_program_replays_without_being_repaired(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    decoded = decode_recording(path, ToyPipeline)
    assert decoded.text.startswith("a")
    assert decoded.damaged_frames <= 1


def test_a_session_cut_before_it_says_which_pen_it_was(path):
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BadInputError, match="before it says which pen"):
        open_recorded(path)


def test_the_kind_of_a_recording_is_seen_from_its_content(path, tmp_path):
    renamed = path.rename(tmp_path / "no-ending")
    frames, _ = asyncio.run(replayed(ReplaySource(renamed, None)))
    assert frames == data_frames("abc")


# What a live session writes beside the frames.


def test_words_link_and_plan_are_in_the_session(tmp_path):
    path = tmp_path / "s.mcap"
    plan = SessionPlan(path, title="t", consent=Consent("1", "yes", "en", 5), writer=WriterNote("w-1"))
    _, words = play(VirtualPenSource(ToyInk("wort"), speed=None), record_to=plan)
    session = read_session(path)
    told = [e.value for e in session.events if e.value.kind == EventKind.TEXT]
    assert [(e.text, e.start_s, e.end_s) for e in told] == [(w.text, w.start_t, w.end_t) for w in words]
    assert text(words) == "wort"  # the last one is committed when the pen has gone: it is in the file as well
    states = [e.value.state for e in session.events if e.value.kind == EventKind.LINK]
    assert states == ["streaming", "ended"]
    assert (session.head.title, session.head.writer.pseudonym, session.head.consent.version) == (
        "t",
        "w-1",
        "1",
    )
    entry = session_entry(path)
    assert (entry.counts.words, entry.counts.samples) == (4, 400)


def test_the_calibration_of_the_pen_is_in_the_session(tmp_path, monkeypatch):
    from dataclasses import replace

    from calibration.sensor import identity
    from calibration.store import CalibrationStore

    monkeypatch.setattr("penapp.calibrate.user_data_path", lambda _: tmp_path)
    known = replace(identity(ToyInk().descriptor.device_id.hex()), force_scale=1.25)
    CalibrationStore(tmp_path / "calibration").save(known)
    play(VirtualPenSource(ToyInk("a"), speed=None), record_to=tmp_path / "s.mcap")
    kept = json.loads(read_session(tmp_path / "s.mcap").head.calibration)
    assert (kept["pen_id"], kept["force_scale"]) == (known.pen_id, 1.25)


def test_the_word_being_written_at_the_end_is_in_the_session(tmp_path, monkeypatch):
    """The recogniser is still at work when the pen has gone: the file waits for it."""
    closing = threading.Event()
    real = SessionWriter.close

    def close(self):
        closing.set()
        real(self)

    class Late(ToyPipeline):
        def finish(self):
            if self.contact:
                closing.wait(0.3)
            return super().finish()

    monkeypatch.setattr(SessionWriter, "close", close)
    seen = EventLog()
    pen = VirtualPenSource(ToyInk("q", hold_at=48), speed=None)
    session = LiveSession(pen, Late, record_to=tmp_path / "s.mcap", on_event=seen)
    session.start()
    seen.wait_for(lambda e: isinstance(e, TextTentative))
    session.stop()
    assert [e.value.text for e in read_session(tmp_path / "s.mcap").events if e.value.kind == "text"] == ["q"]


def test_markers_are_set_while_the_pen_writes(tmp_path):
    ink = ToyInk("ab", hold_at=150)
    seen = EventLog()
    session = LiveSession(
        VirtualPenSource(ink, speed=None), ToyPipeline, record_to=tmp_path / "s.mcap", on_event=seen
    )
    assert session.recorder is None
    session.start()
    seen.wait_for(lambda e: isinstance(e, TextCommitted))
    session.recorder.add(SessionEvent(EventKind.MARKER, "now"))
    ink.hold.set()
    assert session.wait(20.0)
    session.stop()
    kinds = [e.value.kind for e in read_session(tmp_path / "s.mcap").events]
    assert kinds.index(EventKind.MARKER) > kinds.index(EventKind.TEXT)


def test_a_recording_that_stops_is_said_once_and_the_text_goes_on(tmp_path, monkeypatch):
    real = OutFile.write

    def full(self, raw):
        if self.size > 10_000:
            raise RecordingError("No space left.", advice="Free some.")
        real(self, raw)

    monkeypatch.setattr(OutFile, "write", full)
    session, words = play(VirtualPenSource(ToyInk("weiter" * 8), speed=None), record_to=tmp_path / "s.mcap")
    assert text(words) == "weiter" * 8
    assert session.error is None
    assert "No space left" in session.recording_error.args[0]
    assert "No space left" in session.status().message
    assert session.status().link is LinkState.ENDED


def test_an_existing_session_is_not_overwritten(path):
    before = path.read_bytes()
    session, _ = play(VirtualPenSource(ToyInk("a"), speed=None), record_to=path)
    assert isinstance(session.error, BadInputError)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("named", "path_name"), [("a", "a.mcap"), ("a.mcap", "a.mcap"), ("a.pen", "a.pen")])
def test_a_recording_without_an_ending_is_a_session(tmp_path, named, path_name):
    assert recording_path(tmp_path / named).name == path_name


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"cannot be called a\.wav.*FILE\.mcap"):
        recording_path(tmp_path / "a.wav")


def test_the_window_records_to_a_new_session_and_repairs_what_is_beside_it(tmp_path, monkeypatch):
    from penapp.ui.pens import new_recording

    monkeypatch.setattr("penapp.record.folder.user_data_path", lambda _: tmp_path / "home")
    assert new_recording(tmp_path / "a") == tmp_path / "a.mcap"
    write_session(tmp_path / "a.mcap", pen_frames(30), finish=False)
    assert new_recording(tmp_path / "a.mcap") == tmp_path / "a-2.mcap"
    assert session_entry(tmp_path / "a.mcap").state == "recovered"
    unnamed = new_recording(Path())
    assert unnamed.parent == tmp_path / "home" / "sessions"
    assert unnamed.name.startswith("session-")


# The command line.


@pytest.fixture
def penapp(monkeypatch, capsys, tmp_path):
    import sys

    from tests.cli.toy_cli import toy_modules

    for name, module in toy_modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("penapp.record.folder.user_data_path", lambda _: tmp_path / "home")

    def call(*arguments):
        code = run_cli([str(a) for a in arguments])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def test_live_records_decode_reads_and_live_replays(penapp, tmp_path):
    session = tmp_path / "s.mcap"
    penapp("live", "--speed", 0, "--record", session)
    assert penapp("decode", session) == (0, "p e n a p p\n", "")
    assert penapp("live", "--pen", session, "--speed", 0)[:2] == (0, "p e n a p p\n")


def test_record_without_a_name_goes_to_the_folder_of_sessions(penapp, tmp_path):
    assert penapp("live", "--speed", 0, "--record", "--json")[0] == 0
    (session,) = (tmp_path / "home" / "sessions").glob("session-*.mcap")
    _, out, err = penapp("sessions")
    line = next(line for line in out.splitlines() if session.name in line)
    assert "0:00:06" in line
    assert "600" in line
    assert line.endswith("good")
    assert err == f"penapp: these lie in {session.parent}\n"


def test_a_name_that_cannot_be_recorded_to_is_wrong_usage(penapp, tmp_path):
    code, _, err = penapp("live", "--speed", 0, "--record", tmp_path / "s.wav")
    assert code == 2
    assert "cannot be called s.wav" in err


def test_the_list_repairs_and_says_so(penapp, path):
    other = path.with_name("other.mcap")
    write_session(other, pen_frames(40)[:20] + pen_frames(40)[25:], finish=False)
    (path.parent / "notes.mcap").write_text("hello")
    code, out, err = penapp("sessions", path.parent)
    assert code == 0
    assert "other.mcap was never closed and is recovered: 39 messages" in err
    assert "notes.mcap was never closed and is left as it is" in err
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "recovered" in lines["other.mcap"]
    assert "w-7f3a" in lines["other.mcap"]
    assert "12 % of the samples lost in 1 gap" in lines["other.mcap"]
    assert "unreadable" in lines["notes.mcap"]
    assert "recovered" not in lines["abc.mcap"]


def test_the_list_as_json(penapp, path):
    write_session(path.with_name("second.mcap"), pen_frames(40))
    _, out, _ = penapp("sessions", path.parent, "--json")
    first, second = sorted(json.loads(out), key=lambda e: e["file"])
    assert (first["samples"], first["writer"], first["quality"]) == (300, None, "good")
    assert (second["samples"], second["writer"], second["title"]) == (320, "w-7f3a", "a test")
    assert second["seconds"] == pytest.approx(0.8, abs=0.01)
    assert second["started"].startswith("2026-09-2")


def test_no_repair_leaves_everything_as_it_is(penapp, path):
    write_session(path.with_name("other.mcap"), pen_frames(40), finish=False)
    before = path.with_name("other.mcap").read_bytes()
    _, out, _ = penapp("sessions", path.parent, "--no-repair")
    assert "unclosed" in out
    assert path.with_name("other.mcap").read_bytes() == before


def test_an_empty_folder_and_no_folder(penapp, tmp_path):
    assert penapp("sessions")[:2] == (0, f"no sessions in {tmp_path / 'home' / 'sessions'}\n")
    code, _, err = penapp("sessions", tmp_path / "nowhere")
    assert (code, "is no folder" in err) == (2, True)


def test_check_reads_every_byte(penapp, path):
    assert penapp("sessions", "check", path)[:2] == (
        0,
        f"{path}: closed, 38 frames, 300 samples\n  every byte can be read, every check sum is right\n",
    )
    raw = bytearray(path.read_bytes())
    raw[len(raw) * 6 // 10] ^= 0xFF
    path.write_bytes(raw)
    code, out, _ = penapp("sessions", "check", path)
    assert (code, out.splitlines()[1:]) == (1, ["  its index does not fit what is in it"])
    raw[len(raw) * 4 // 10] ^= 0xFF
    path.write_bytes(raw)
    code, out, _ = penapp("sessions", "check", path)
    assert code == 1
    assert "cannot be read" in out
    assert "it states 38 frames with 300 samples, 0 lost, it holds " in out
    assert json.loads(penapp("sessions", "check", path, "--json")[1])["findings"]
    assert penapp("sessions", "check")[0] == 2
    assert penapp("sessions", "check", path.parent / "none.mcap")[0] == 1
