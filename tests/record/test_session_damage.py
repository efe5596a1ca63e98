"""Sessions cut short at any byte, damaged, filled with zeros: never an exception, nothing whole is lost.

Every record boundary and 100 random offsets here, 1,000 and every one with PENAPP_SOAK=1.
"""

import os
import random
import shutil

import pytest
from mcap.opcode import Opcode
from mcap.reader import make_reader

from firmware_protocol.framing import encode_frame
from penapp.errors import BadInputError
from penapp.record.check import check_session
from penapp.record.container import MAGIC
from penapp.record.layout import RAW
from penapp.record.listing import Quality, SessionState, list_sessions, session_entry
from penapp.record.reader import SessionReader, read_session
from penapp.record.salvage import PARTIAL, UNREADABLE, is_closed, repair, salvage
from penapp.record.scan import Scan
from penapp.record.writer import SessionWriter
from tests.record.session_toys import EDIT, HEAD, arrived, is_prefix, pen_frames, raw_frames, write_session

SOAK = os.environ.get("PENAPP_SOAK") == "1"
OFFSETS = 1_000 if SOAK else 100
FRAMES = pen_frames(150)
PER_CHUNK = 10


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("whole") / "s.mcap", FRAMES, per_chunk=PER_CHUNK)


@pytest.fixture
def broken(whole, tmp_path):
    """A copy to be damaged."""
    return shutil.copy(whole, tmp_path / "s.mcap")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """No test here pulls the plug: what it simulates is the bytes that are left."""
    monkeypatch.setattr("penapp.record.out_file.os.fsync", lambda _: None)


def records(path):
    """(offset, opcode, length) of every record of the data section."""
    with path.open("rb") as file:
        return [(found.offset, found.opcode, len(found.raw)) for found in Scan(file)]


def chunk_ends(path):
    return [at + size for at, opcode, size in records(path) if opcode == Opcode.CHUNK]


def check_cut(path, size, ends):
    """What was whole before the cut is read, in order, byte for byte."""
    os.truncate(path, size)
    found = raw_frames(path)
    assert is_prefix(found, FRAMES)
    complete = sum(end <= size for end in ends)
    assert len(found) == min(complete * PER_CHUNK, len(FRAMES))
    with SessionReader(path) as reader:
        assert sum(1 for _ in reader.items()) >= len(found)
        assert reader.report.torn
    session_entry(path)
    read_session(path)


def test_cut_at_every_record_boundary(whole, broken, report):
    boundaries = sorted({at for at, _, size in records(whole)} | {whole.stat().st_size})
    ends = chunk_ends(whole)
    assert len(ends) == 15
    for size in reversed(boundaries):
        check_cut(broken, size, ends)
    report(f"sessions cut at all {len(boundaries)} record boundaries: 0 exceptions, 0 whole chunks lost")


def test_cut_at_random_offsets(whole, broken, report):
    rng = random.Random(5)
    size = whole.stat().st_size
    ends = chunk_ends(whole)
    for at in sorted((rng.randrange(size) for _ in range(OFFSETS)), reverse=True):
        check_cut(broken, at, ends)
    report(f"sessions cut at {OFFSETS} random offsets: 0 exceptions, 0 whole chunks lost")


def test_salvage_after_a_cut_loses_no_whole_chunk_and_any_mcap_reader_opens_it(whole, tmp_path, report):
    rng = random.Random(6)
    raw, ends = whole.read_bytes(), chunk_ends(whole)
    cuts = [rng.randrange(len(raw)) for _ in range(OFFSETS // 5)]
    cuts += [at for at, _, _ in records(whole)][:: 1 if SOAK else 4]
    for number, at in enumerate(cuts):
        (tmp_path / f"{number:04}.mcap").write_bytes(raw[:at])
    salvaged = {done.path: done for done in salvage(tmp_path)}
    assert not list(tmp_path.glob(f"*{PARTIAL}"))
    for number, at in enumerate(cuts):
        path = tmp_path / f"{number:04}.mcap"
        done = salvaged[path]
        complete = min(sum(end <= at for end in ends) * PER_CHUNK, len(FRAMES))
        assert len(raw_frames(path)) == complete
        if not done.recovered:
            assert path.read_bytes() == raw[:at]
            assert complete == 0
            continue
        with path.open("rb") as file:
            assert sum(1 for _ in make_reader(file, validate_crcs=True).iter_messages()) == done.messages
        assert is_closed(path)
        assert session_entry(path).state in {SessionState.RECOVERED, SessionState.UNREADABLE}
    recovered = sum(done.recovered for done in salvaged.values())
    report(f"salvage of {len(cuts)} cut sessions: {recovered} repaired, the others hold no whole record")


def test_what_cannot_be_read_is_kept_in_the_repaired_file(broken):
    ends = chunk_ends(broken)
    raw = broken.read_bytes()[: ends[8] - 20]
    broken.write_bytes(raw)
    (done,) = salvage(broken.parent)
    assert (done.recovered, done.damaged_chunks) == (True, 1)
    with broken.open("rb") as file:
        (kept,) = make_reader(file).iter_attachments()
    assert kept.name.startswith(UNREADABLE)
    assert kept.data == raw[-len(kept.data) :]
    assert len(kept.data) == done.unreadable_bytes > 0
    assert repair_leaves_alone(broken)


def repair_leaves_alone(path):
    before = path.read_bytes()
    return salvage(path.parent) == [] and path.read_bytes() == before


def test_a_repaired_session_is_listed_as_recovered_and_has_its_counts(broken):
    os.truncate(broken, chunk_ends(broken)[9] + 30)
    assert list_sessions(broken.parent)[0].state is SessionState.UNCLOSED
    salvage(broken.parent)
    (entry,) = list_sessions(broken.parent)
    assert (entry.state, entry.quality) == (SessionState.RECOVERED, Quality.GOOD)
    assert (entry.counts.frames, entry.counts.samples) == (100, 800)
    assert entry.head == HEAD
    assert [e.value for e in read_session(broken).edits] == [EDIT]


@pytest.mark.parametrize("seed", range(40 if SOAK else 8))
def test_a_damaged_chunk_costs_itself_alone_and_is_counted(broken, seed):
    rng = random.Random(seed)
    chunks = [(at, size) for at, opcode, size in records(broken) if opcode == Opcode.CHUNK]
    number = rng.randrange(1, len(chunks) - 1)
    at, size = chunks[number]
    raw = bytearray(broken.read_bytes())
    raw[at + 60 + rng.randrange(size - 60)] ^= 1 << rng.randrange(8)
    broken.write_bytes(raw)
    found = raw_frames(broken)
    expected = [encode_frame(f) for k, f in enumerate(FRAMES) if k // PER_CHUNK != number]
    assert found == expected
    with SessionReader(broken) as reader:
        list(reader.items())
        assert reader.report.damaged_chunks == 1
        assert not reader.report.torn


def test_a_damaged_length_costs_no_chunk_behind_it(broken):
    """The length says where the next record is: when it lies, the next chunk is found by its looks."""
    chunks = [at for at, opcode, _ in records(broken) if opcode == Opcode.CHUNK]
    for bit in (3, 12, 20, 40):
        raw = bytearray(broken.read_bytes())
        raw[chunks[4] + 1 + bit // 8] ^= 1 << bit % 8
        broken.with_name("b.mcap").write_bytes(raw[: records(broken)[-1][0]])
        (done,) = salvage(broken.parent)
        assert done.recovered
        found = raw_frames(broken.with_name("b.mcap"))
        others = [encode_frame(f) for k, f in enumerate(FRAMES) if k // PER_CHUNK != 4]
        assert found in (others, [encode_frame(f) for f in FRAMES])
        with broken.with_name("b.mcap").open("rb") as file:
            messages = make_reader(file, validate_crcs=True).iter_messages(topics=[RAW])
            assert [message.data for _, _, message in messages] == found


def test_a_damaged_first_chunk_does_not_cost_the_meaning_of_the_others(broken):
    chunks = [at for at, opcode, _ in records(broken) if opcode == Opcode.CHUNK]
    raw = bytearray(broken.read_bytes())
    raw[chunks[0] + 80] ^= 0xFF
    broken.write_bytes(raw)
    assert raw_frames(broken) == [encode_frame(f) for f in FRAMES[PER_CHUNK:]]


def test_random_damage_never_raises(whole, broken, report):
    rng = random.Random(8)
    raw = whole.read_bytes()
    rounds = 2_000 if SOAK else 80
    for _ in range(rounds):
        damaged = bytearray(raw)
        for _ in range(rng.choice((1, 1, 3, 20))):
            start = rng.randrange(len(MAGIC), len(damaged))
            size = rng.choice((1, 1, 8, 400))
            damaged[start : start + size] = rng.randbytes(min(size, len(damaged) - start))
        broken.write_bytes(damaged)
        sent = {encode_frame(f) for f in FRAMES}
        assert set(raw_frames(broken)) <= sent
        session_entry(broken)
        read_session(broken)
    report(f"sessions damaged at random {rounds} times: 0 exceptions, 0 frames that the pen never sent")


def test_a_changed_byte_is_found_by_the_check_wherever_it_stands(tmp_path, report):
    """But for the names in the header, and bits of a packed chunk that do not change what is in it."""
    path = write_session(tmp_path / "s.mcap", FRAMES[:12], per_chunk=4)
    raw = path.read_bytes()
    places = [(at, opcode, size) for at, opcode, size in records(path)]
    header = range(places[0][0], sum(places[0][::2]))
    chunks = [range(at, at + size) for at, opcode, size in places if opcode == Opcode.CHUNK]
    offsets = [at for at in range(len(MAGIC), len(raw)) if at not in header]
    if not SOAK:
        offsets = random.Random(3).sample(offsets, 250)
    missed = []
    for at in offsets:
        damaged = bytearray(raw)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        if not check_session(path).findings:
            missed.append(at)
            assert raw_frames(path) == [encode_frame(f) for f in FRAMES[:12]]
    assert all(any(at in chunk for chunk in chunks) for at in missed)
    assert len(missed) <= len(offsets) // 20
    report(
        f"one changed byte at {len(offsets)} places of a session: {len(offsets) - len(missed)} found, "
        f"{len(missed)} change nothing that is read"
    )


def test_a_tail_of_zeros_as_a_power_loss_leaves_it(broken):
    end = chunk_ends(broken)[5]
    with broken.open("r+b") as file:
        file.truncate(end)
        file.truncate(end + 4096)
    assert len(raw_frames(broken)) == 60
    (done,) = salvage(broken.parent)
    assert done.recovered
    assert len(raw_frames(broken)) == 60
    with broken.open("rb") as file:
        assert list(make_reader(file).iter_attachments()) == []


@pytest.mark.parametrize("content", [b"", b"\x89MC", MAGIC, MAGIC + b"\x01"])
def test_a_file_cut_at_once_is_left_alone_and_listed(tmp_path, content):
    (tmp_path / "s.mcap").write_bytes(content)
    (done,) = salvage(tmp_path)
    assert (done.recovered, done.reason) == (False, "nothing in it can be read")
    assert (tmp_path / "s.mcap").read_bytes() == content
    (entry,) = list_sessions(tmp_path)
    assert entry.state is SessionState.UNREADABLE


def test_a_file_that_is_no_session_is_refused_listed_and_left_alone(tmp_path):
    path = tmp_path / "s.mcap"
    path.write_text("Dear diary,\nnothing happened today.\n")
    with pytest.raises(BadInputError, match=r"no session file: it starts with 44 65 61"):
        SessionReader(path)
    assert not repair(path).recovered
    assert list_sessions(tmp_path)[0].state is SessionState.UNREADABLE
    assert path.read_text().startswith("Dear")


def test_a_session_that_is_being_recorded_is_not_repaired(tmp_path):
    writer = SessionWriter(tmp_path / "s.mcap", HEAD)
    writer.append(arrived(FRAMES[:20]))
    assert writer.flush()
    (done,) = salvage(tmp_path)
    assert (done.recovered, done.reason) == (False, "it is being recorded just now")
    writer.append(arrived(FRAMES[20:40]))
    writer.close()
    assert len(raw_frames(tmp_path / "s.mcap")) == 40


def test_a_repair_that_fails_leaves_the_original(broken, monkeypatch):
    os.truncate(broken, chunk_ends(broken)[9])
    before = broken.read_bytes()
    real = os.write
    monkeypatch.setattr("penapp.record.out_file.os.write", lambda fd, raw: real(fd, bytes(raw)[:-1] + b"!"))
    (done,) = salvage(broken.parent)
    assert not done.recovered
    assert "is not what was read" in done.reason
    assert broken.read_bytes() == before
    assert [p.name for p in broken.parent.iterdir()] == ["s.mcap"]
