"""What is recorded is what is read: by our reader and by the plain `mcap` library."""

import json
import threading
import time

import pytest
from mcap.reader import make_reader

from firmware_protocol.framing import Flag, encode_frame
from firmware_protocol.messages import Op, Response, Status, response_frame
from penapp.device.errors import RecordingError
from penapp.device.source import ArrivedFrame
from penapp.errors import BadInputError
from penapp.record.edit import add_to_session
from penapp.record.head import checked, verified
from penapp.record.json_form import MalformedError, from_json, schema_of, to_json
from penapp.record.labels import Label, fold_labels
from penapp.record.layout import CHANNELS, CLOCK, EVENTS, LABELS, PROMPTS, RAW, RECORD_TYPES
from penapp.record.listing import Quality, SessionState, session_entry
from penapp.record.reader import Logged, RecordedFrame, SessionReader, read_session
from penapp.record.session_file import SessionFile
from penapp.record.types import ClockSegment, EventKind, LabelEdit, SessionEvent
from penapp.record.writer import SessionWriter, WriterParams
from penapp.stream.assemble import StreamAssembler
from tests.device.toy_pens import ToyInk
from tests.record.session_toys import (
    CONSENT,
    DESCRIPTOR,
    EDIT,
    HEAD,
    MARK,
    PROMPT,
    START_NS,
    STEP_NS,
    WRITER,
    arrived,
    pen_frames,
    raw_frames,
    write_session,
)

FRAMES = pen_frames(60)


@pytest.fixture
def path(tmp_path):
    return write_session(tmp_path / "s.mcap", FRAMES)


def items(path):
    with SessionReader(path) as reader:
        return list(reader.items()), reader


def test_frames_come_back_byte_for_byte_with_their_times(path):
    found, reader = items(path)
    frames = [item for item in found if isinstance(item, RecordedFrame)]
    assert [f.raw for f in frames] == [encode_frame(frame) for frame in FRAMES]
    assert [f.frame for f in frames] == FRAMES
    assert [f.arrival_ns for f in frames] == [START_NS + k * STEP_NS for k in range(60)]
    assert all(f.mapped_ns is None for f in frames)
    assert (reader.report.closed, reader.report.damaged, reader.malformed) == (True, [], 0)


def test_the_time_a_frame_was_taken_is_kept_where_the_clock_knows_it(tmp_path):
    writer = SessionWriter(tmp_path / "s.mcap", HEAD)
    now_ns = time.perf_counter_ns()
    batch = [ArrivedFrame(f, now_ns - 5 + k) for k, f in enumerate(FRAMES[:3])]
    writer.append(batch, [START_NS - 7, None, START_NS + 9])
    writer.append([ArrivedFrame(FRAMES[3], now_ns + 3_600_000_000_000)])  # by the clock of another day
    writer.close()
    frames, _ = items(tmp_path / "s.mcap")
    assert [f.mapped_ns for f in frames] == [START_NS - 7, None, START_NS + 9, None]
    assert [f.arrival_ns for f in frames[:3]] == [START_NS + now_ns - 5 + k for k in range(3)]
    assert abs(frames[3].arrival_ns - time.time_ns()) < 60e9


def test_an_arrival_that_is_not_known_is_not_the_start_of_the_computer(tmp_path, monkeypatch):
    """What a supervised pen says when it is back has none, and the computer may be young."""
    monkeypatch.setattr("penapp.record.writer.FRESH_NS", 1 << 62)
    writer = SessionWriter(tmp_path / "s.mcap", HEAD)
    before_ns = time.time_ns()
    writer.append([ArrivedFrame(FRAMES[0], 0)])
    writer.close()
    (frame,), _ = items(tmp_path / "s.mcap")
    assert before_ns <= frame.arrival_ns <= time.time_ns()


def test_the_head_comes_back(path):
    with SessionReader(path) as reader:
        head = reader.head
    assert head.descriptor == DESCRIPTOR
    assert (head.consent, head.writer, head.title) == (CONSENT, WRITER, "a test")
    assert (head.session_id, head.created_ns, head.calibration) == ("5e55", START_NS, HEAD.calibration)
    assert head.software == {"penapp": "0.1.0"}


def test_records_come_back_in_order_with_their_times(path):
    found, _ = items(path)
    records = [(k, item) for k, item in enumerate(found) if isinstance(item, Logged)]
    assert [(k, item.value) for k, item in records] == [(3, MARK), (4, PROMPT), (5, EDIT)]
    assert {item.log_ns for _, item in records} == {START_NS + 2 * STEP_NS}


def test_the_plain_mcap_library_reads_every_message_with_check_sums(path):
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert reader.get_header().profile == "penapp"
        statistics = reader.get_summary().statistics
        assert statistics.channel_message_counts == {1: 60, 2: 1, 3: 1, 4: 1}
        assert statistics.message_start_time == START_NS
        assert statistics.message_end_time == START_NS + 59 * STEP_NS
        raw = [(m.data, m.sequence, m.log_time) for _, _, m in reader.iter_messages(topics=[RAW])]
        assert raw == [(encode_frame(f), f.seq, START_NS + k * STEP_NS) for k, f in enumerate(FRAMES)]
        assert {m.name for m in reader.iter_metadata()} >= {"penapp.descriptor", "penapp.consent"}


def test_messages_fit_the_schema_that_stands_in_the_file(path):
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
    with path.open("rb") as file:
        seen = set()
        for schema, channel, message in make_reader(file).iter_messages(topics=[EVENTS, PROMPTS, LABELS]):
            assert (schema.encoding, channel.message_encoding) == ("jsonschema", "json")
            wanted, found = json.loads(schema.data), json.loads(message.data)
            assert set(wanted["required"]) <= set(found) == set(wanted["properties"])
            for name, value in found.items():
                stated = wanted["properties"][name]["type"]
                options = stated if isinstance(stated, list) else [stated]
                assert any(isinstance(value, kinds.get(o, list)) for o in options), (name, value)
            seen.add(channel.topic)
    assert seen == {EVENTS, PROMPTS, LABELS}


def test_messages_of_a_time_are_found_by_the_index_alone(path):
    """Seeking readers (Foxglove) use the message indexes: a slice of time gives exactly its messages."""
    with path.open("rb") as file:
        start, end = START_NS + 30 * STEP_NS, START_NS + 40 * STEP_NS
        found = list(make_reader(file).iter_messages(topics=[RAW], starting_at=start, ending_before=end))
    assert [m.sequence for _, _, m in found] == list(range(30, 40))


def test_a_gap_is_an_event_and_counted_as_the_stream_counts_it(tmp_path):
    frames = [*FRAMES[:10], *FRAMES[13:40], *FRAMES[41:]]
    path = write_session(tmp_path / "s.mcap", frames, records=())
    gaps = [item.value for item in items(path)[0] if isinstance(item, Logged)]
    assert gaps == [
        SessionEvent(EventKind.GAP, sample=104, lost=24),
        SessionEvent(EventKind.GAP, sample=328, lost=8),
    ]
    assembler = StreamAssembler(DESCRIPTOR)
    for frame in frames:
        assembler.push(frame)
    entry = session_entry(path)
    counted = assembler.counters
    assert (entry.counts.samples, entry.counts.lost) == (counted.samples, counted.lost)
    assert (entry.counts.gaps, entry.quality) == (2, Quality.POOR)
    assert "6.7 % of the samples lost in 2 gaps" in entry.reason


def test_a_pen_that_starts_again_is_a_new_segment(tmp_path):
    other = ToyInk(rate_hz=400.0).descriptor
    hello = response_frame(Response(Op.HELLO, 0, Status.OK, other.with_rate(0, 200.0).encode()))
    frames = [*FRAMES[:10], hello, *FRAMES[:5]]
    path = write_session(tmp_path / "s.mcap", frames, records=())
    assert session_entry(path).counts.segments == 2
    assert raw_frames(path)[10] == encode_frame(hello)


def test_unknown_bits_of_a_frame_survive(tmp_path):
    from dataclasses import replace

    strange = replace(FRAMES[0], flags=Flag(0x8040))
    path = write_session(tmp_path / "s.mcap", [strange], records=())
    assert raw_frames(path) == [encode_frame(strange)]


# The writer's thread.


def test_append_never_waits_and_flush_waits_for_the_file(tmp_path):
    writer = SessionWriter(tmp_path / "s.mcap", HEAD, params=WriterParams(flush_s=3600.0))
    writer.append(arrived(FRAMES[:30]))
    assert writer.waiting == 1
    assert writer.flush()
    assert writer.waiting == 0
    assert raw_frames(tmp_path / "s.mcap") == [encode_frame(f) for f in FRAMES[:30]]
    writer.close()
    assert session_entry(tmp_path / "s.mcap").state is SessionState.CLOSED


def test_everything_handed_over_before_close_is_in_the_file(tmp_path):
    writer = SessionWriter(tmp_path / "s.mcap", HEAD, params=WriterParams(flush_s=3600.0))
    writer.append(arrived(FRAMES))
    writer.add(MARK)
    writer.note("somebody.else", {"a": "b"})
    writer.close()
    writer.close()
    session = read_session(tmp_path / "s.mcap")
    assert [e.value for e in session.events] == [MARK]
    assert session.metadata["somebody.else"] == {"a": "b"}
    assert session.stated_counts["frames"] == "60"
    assert not [t for t in threading.enumerate() if t.name == "penapp-recorder"]


def test_records_come_from_any_thread(tmp_path):
    writer = SessionWriter(tmp_path / "s.mcap", HEAD)
    threads = [
        threading.Thread(
            target=lambda n=n: [writer.add(SessionEvent("marker", f"{n}.{k}")) for k in range(50)]
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    names = {e.value.text for e in read_session(tmp_path / "s.mcap").events}
    assert names == {f"{n}.{k}" for n in range(4) for k in range(50)}


def test_a_slow_disk_is_said_once_and_nothing_is_lost(tmp_path):
    told = []
    writer = SessionWriter(
        tmp_path / "s.mcap", HEAD, params=WriterParams(flush_s=3600.0, slow_s=-1.0), on_slow=told.append
    )
    for frame in arrived(FRAMES):
        writer.append([frame])
        assert writer.flush()
    writer.close()
    assert len(told) == 1
    session = read_session(tmp_path / "s.mcap")
    assert [e.value.kind for e in session.events] == [EventKind.RECORDER]
    assert raw_frames(tmp_path / "s.mcap") == [encode_frame(f) for f in FRAMES]


def test_a_session_is_never_overwritten(path):
    before = path.read_bytes()
    with pytest.raises(BadInputError, match="already there"):
        SessionWriter(path, HEAD)
    assert path.read_bytes() == before


def test_a_session_that_cannot_be_created_says_so(tmp_path):
    with pytest.raises(RecordingError, match=r"cannot be created: .*another folder"):
        SessionWriter(tmp_path / "nowhere" / "s.mcap", HEAD)


# Labels: edits are only ever added.


def test_edits_are_added_to_a_closed_session_and_the_frames_stay_as_they_were(path):
    before = path.read_bytes()
    frames = raw_frames(path)
    with SessionReader(path) as reader:
        list(reader.items())
        end = reader.report.records_end
    add_to_session(path, [LabelEdit("relabel", "e2", "l1", "Worte")], at_ns=START_NS + 1)
    add_to_session(path, [SessionEvent(EventKind.NOTE, "looked at")])
    assert path.read_bytes()[:end] == before[:end]
    session = read_session(path)
    assert session.labels == (Label("l1", "Worte", 0.5, 1.0, prompt="p1", edits=2),)
    assert [e.value.text for e in session.edits] == ["Wort", "Worte"]
    assert raw_frames(path) == frames
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert reader.get_summary().statistics.channel_message_counts == {1: 60, 2: 2, 3: 1, 4: 2}
        assert len(list(reader.iter_messages())) == 65
        assert "penapp.consent" in {m.name for m in reader.iter_metadata()}


def test_only_closed_sessions_are_edited(tmp_path):
    path = write_session(tmp_path / "s.mcap", FRAMES, finish=False)
    with pytest.raises(BadInputError, match="no closed session file"):
        add_to_session(path, [EDIT])
    writer = SessionWriter(tmp_path / "live.mcap", HEAD)
    with pytest.raises(BadInputError, match="being recorded or edited just now"):
        add_to_session(tmp_path / "live.mcap", [EDIT])
    writer.close()


def add(label, start=0.0, end=1.0, text="a", edit="e"):
    return LabelEdit("add", edit, label, text, start, end)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([add("x"), LabelEdit("relabel", "f", "x", "b")], [("b", 0.0, 1.0)]),
        ([add("x"), LabelEdit("move", "f", "x", start_s=0.5)], [("a", 0.5, 1.0)]),
        ([add("x"), LabelEdit("remove", "f", "x")], []),
        # split: one edit of three steps, and its undo brings the whole back
        (
            [
                add("x"),
                LabelEdit("remove", "s", "x"),
                add("y", 0.0, 0.4, "l", "s"),
                add("z", 0.4, 1.0, "r", "s"),
            ],
            [("l", 0.0, 0.4), ("r", 0.4, 1.0)],
        ),
        (
            [
                add("x"),
                LabelEdit("remove", "s", "x"),
                add("y", 0.0, 0.4, "l", "s"),
                LabelEdit("undo", "u", undoes="s"),
            ],
            [("a", 0.0, 1.0)],
        ),
        # redo: the undo itself is undone
        (
            [
                add("x"),
                LabelEdit("relabel", "f", "x", "b"),
                LabelEdit("undo", "u", undoes="f"),
                LabelEdit("undo", "v", undoes="u"),
            ],
            [("b", 0.0, 1.0)],
        ),
        ([LabelEdit("relabel", "f", "nobody", "b")], []),
        ([add("x"), LabelEdit("a later version's", "f", "x")], [("a", 0.0, 1.0)]),
    ],
)
def test_labels_are_what_their_edits_made_of_them(edits, expected):
    assert [(label.text, label.start_s, label.end_s) for label in fold_labels(edits)] == expected


def test_a_draft_is_confirmed_and_an_excluded_label_says_why():
    steps = [EDIT, LabelEdit("confirm", "c", "l1"), LabelEdit("exclude", "x", "l1", reason="blot")]
    drafts = [fold_labels(steps[:n])[0] for n in (1, 2, 3)]
    assert [d.draft for d in drafts] == [True, False, False]
    assert (drafts[2].excluded, drafts[2].reason) == (True, "blot")
    assert not fold_labels([*steps, LabelEdit("restore", "r", "l1")])[0].excluded


# The form of messages.


@pytest.mark.parametrize("record", [MARK, PROMPT, EDIT, ClockSegment(1, 7, 10, 20, -3.5, None, "hull")])
def test_records_survive_json(record):
    assert from_json(type(record), to_json(record)) == record


def test_later_fields_are_ignored_and_missing_ones_have_defaults():
    assert from_json(SessionEvent, b'{"kind": "marker", "colour": [1]}') == SessionEvent("marker")


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"\xff", b"{}", b'{"kind": 3}', b'{"kind": "gap", "lost": "many"}', b'{"kind": null}']
)
def test_a_message_that_does_not_fit_is_malformed(raw):
    with pytest.raises(MalformedError):
        from_json(SessionEvent, raw)


def test_every_channel_has_its_record_and_its_schema():
    assert {RAW, *RECORD_TYPES} == {plan.topic for plan in CHANNELS} == {RAW, EVENTS, PROMPTS, LABELS, CLOCK}
    assert schema_of(ClockSegment, "c")["properties"]["skew_ppm"] == {"type": "number"}


def test_damaged_metadata_is_noticed():
    values = checked({"a": "1", "b": "2"})
    assert verified("penapp.x", values) == {"a": "1", "b": "2"}
    assert verified("penapp.x", {**values, "b": "3"}) is None
    assert verified("penapp.x", {"a": "1", "b": "2"}) is None
    assert verified("y", {"of": "another program"}) == {"of": "another program"}


def test_a_session_file_without_a_recording_is_no_error(tmp_path):
    SessionFile(tmp_path / "s.mcap", HEAD).finish()
    entry = session_entry(tmp_path / "s.mcap")
    assert (entry.state, entry.quality, entry.reason) == (SessionState.CLOSED, Quality.POOR, "no samples")
