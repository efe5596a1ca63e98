import asyncio
from pathlib import Path

import pytest

from firmware_protocol import framing
from firmware_protocol.commands import TimeSyncReading
from firmware_protocol.framing import Flag, Frame, FrameDecoder, FrameType, encode_frame, to_serial
from firmware_protocol.messages import Op, Response, Status, parse_arrival, response_frame
from penapp.device.discover import PenKind, list_pens
from penapp.device.errors import ProtocolVersionError, RecordingError
from penapp.device.recording import Recording, StreamWriter
from penapp.device.replay import ReplaySource
from penapp.device.source import ArrivedFrame
from penapp.errors import BadInputError
from tests.device.toy_pens import ToyInk, toy_counts

DESCRIPTOR = ToyInk().descriptor


def data_frames(words="abc", batch=8, rate_hz=100.0):
    counts = toy_counts(words)
    return [
        Frame(
            FrameType.DATA, k // batch, 0, len(part), Flag.NONE, k, round(k * 1e6 / rate_hz), part.tobytes()
        )
        for k in range(0, len(counts), batch)
        for part in [counts[k : k + batch]]
    ]


@pytest.fixture
def path(tmp_path):
    """A recording of three words."""
    writer = StreamWriter(tmp_path / "session.pen", DESCRIPTOR)
    writer.append(data_frames())
    writer.close()
    return writer.path


def read(path):
    recording = Recording(path)
    frames = [frame for batch in recording.frames() for frame in batch]
    recording.close()
    return recording, frames


def test_what_was_written_is_read_back(path):
    recording, frames = read(path)
    assert recording.descriptor == DESCRIPTOR
    assert frames == data_frames()


@pytest.mark.parametrize("read_bytes", [7, 500, 5000])
def test_what_is_read_does_not_depend_on_the_size_of_reads(path, monkeypatch, read_bytes):
    monkeypatch.setattr("penapp.device.recording.READ_BYTES", read_bytes)
    assert read(path)[1] == data_frames()


def test_the_file_is_the_serial_stream_itself(path):
    hello = response_frame(Response(Op.HELLO, 0, Status.OK, DESCRIPTOR.encode()))
    wire = b"".join(to_serial(encode_frame(f)) for f in [hello, *data_frames()])
    assert path.read_bytes() == wire


def test_nothing_waits_in_a_buffer(tmp_path):
    """A program killed after append() has lost nothing: the bytes are in the file before close()."""
    writer = StreamWriter(tmp_path / "s.pen", DESCRIPTOR)
    for count, frame in enumerate(data_frames(), 1):
        writer.append([frame])
        _, frames = read(tmp_path / "s.pen")
        assert frames == data_frames()[:count]
    writer.close()


def test_a_torn_tail_loses_only_itself(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    _, frames = read(path)
    assert frames == data_frames()[:-1]


def test_a_damaged_frame_in_the_middle_loses_only_itself(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0x55
    path.write_bytes(raw)
    recording, frames = read(path)
    assert len(frames) in {len(data_frames()) - 1, len(data_frames()) - 2}
    assert recording.decoder.counters.damaged >= 1


def test_an_empty_file(tmp_path):
    (tmp_path / "e.pen").touch()
    with pytest.raises(BadInputError, match="is empty"):
        Recording(tmp_path / "e.pen")


def test_a_file_cut_short_inside_the_descriptor(path):
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadInputError, match="no recording of a pen"):
        Recording(path)


def test_a_file_that_is_no_recording(tmp_path):
    (tmp_path / "x.pen").write_text("Dear diary,\nnothing happened today.\n")
    with pytest.raises(BadInputError, match=r"no recording of a pen.*Dear diary"):
        Recording(tmp_path / "x.pen")


def test_a_file_without_its_beginning(tmp_path):
    (tmp_path / "x.pen").write_bytes(b"".join(to_serial(encode_frame(f)) for f in data_frames()))
    with pytest.raises(BadInputError, match="no description of the pen"):
        Recording(tmp_path / "x.pen")


def test_a_file_of_another_protocol_version(tmp_path):
    (tmp_path / "x.pen").write_bytes(b"".join(to_serial(encode_frame(f, version=3)) for f in data_frames()))
    with pytest.raises(ProtocolVersionError, match="version 3, this build reads 1"):
        Recording(tmp_path / "x.pen")


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "no.pen", tmp_path):
        with pytest.raises(BadInputError, match="cannot be opened"):
            Recording(path)


def test_a_recording_is_never_overwritten(path):
    before = path.read_bytes()
    with pytest.raises(BadInputError, match="already there"):
        StreamWriter(path, DESCRIPTOR)
    assert path.read_bytes() == before


def test_a_recording_that_cannot_be_created_says_so_and_not_that_it_stops(tmp_path):
    with pytest.raises(RecordingError, match=r"cannot be created: .*another folder"):
        StreamWriter(tmp_path / "nowhere" / "s.pen", DESCRIPTOR)


def test_a_full_disk_is_said_loudly_and_what_is_there_stays(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    writer = StreamWriter(tmp_path / "s.pen", DESCRIPTOR)
    writer.close()
    with (
        Path("/dev/full").open("r+b", buffering=0) as writer._file,
        pytest.raises(RecordingError, match="No space"),
    ):
        writer.append(data_frames())
    recording, _ = read(tmp_path / "s.pen")
    assert recording.descriptor == DESCRIPTOR


async def replayed(path, speed):
    source = ReplaySource(path, speed)
    await source.open()
    await source.start()
    loop = asyncio.get_running_loop()
    started = loop.time()
    frames = [a.frame async for batch in source.frames() for a in batch]
    seconds = loop.time() - started
    await source.stop()
    await source.close()
    return frames, seconds, source


@pytest.mark.parametrize("speed", [None, 30.0])
def test_replay_gives_the_recorded_frames_at_any_speed(path, speed):
    frames, _, source = asyncio.run(replayed(path, speed))
    assert frames == data_frames()
    assert source.progress == 1.0


def test_replay_speed_is_kept(path):
    _, seconds, _ = asyncio.run(replayed(path, 10.0))
    recorded_s = (data_frames()[-1].t_us - data_frames()[0].t_us) / 1e6
    assert recorded_s / 10 * 0.95 < seconds < recorded_s / 10 + 2.0


def test_the_virtual_pen_is_always_there():
    first, *others = list_pens()
    assert (first.kind, first.address) == (PenKind.VIRTUAL, "virtual")
    assert all(p.kind is PenKind.SERIAL or p.address == "virtual-ble" for p in others)


def arrived(first_ns=5_000_000_000, step_ns=80_000_000, per_read=1):
    """Data frames that came in reads of `per_read`."""
    return [
        ArrivedFrame(frame, first_ns + (k // per_read) * step_ns) for k, frame in enumerate(data_frames())
    ]


def timed_recording(folder, **options):
    writer = StreamWriter(folder / "timed.pen", DESCRIPTOR)
    batch = arrived(**options)
    for start in range(0, len(batch), 5):
        writer.append_arrived(batch[start : start + 5])
    writer.close()
    return writer.path, batch


def read_arrivals(path):
    recording = Recording(path)
    found = [a for batch in recording.arrivals() for a in batch]
    recording.close()
    return recording, found


@pytest.mark.parametrize("per_read", [1, 3])
@pytest.mark.parametrize("read_bytes", [7, 1 << 16])
def test_arrival_times_come_back_with_their_frames(tmp_path, monkeypatch, per_read, read_bytes):
    monkeypatch.setattr("penapp.device.recording.READ_BYTES", read_bytes)
    path, batch = timed_recording(tmp_path, per_read=per_read)
    assert read_arrivals(path)[1] == batch


@pytest.mark.parametrize("speed", [None, 50.0])
def test_replay_gives_the_recorded_arrivals_at_any_speed(tmp_path, speed):
    path, batch = timed_recording(tmp_path)

    async def play():
        source = ReplaySource(path, speed)
        await source.open()
        await source.start()
        found = [a async for part in source.frames() for a in part]
        await source.close()
        return found

    assert asyncio.run(play()) == batch


def test_a_recording_made_before_there_were_arrivals_still_plays(path):
    _, found = read_arrivals(path)
    assert found == [ArrivedFrame(frame, 0) for frame in data_frames()]


def test_a_reader_that_knows_no_arrivals_still_reads_the_samples(tmp_path, monkeypatch):
    """Programs of before skip frames of a type they do not know."""
    path, _ = timed_recording(tmp_path)
    monkeypatch.delitem(framing._TYPES, int(FrameType.ARRIVAL))
    recording, found = read_arrivals(path)
    assert [a.frame for a in found] == data_frames()
    assert recording.decoder.counters.damaged == 0
    assert recording.decoder.counters.unknown_type == len(data_frames())


def test_a_file_cut_anywhere_keeps_every_whole_frame_with_its_arrival(tmp_path):
    path, batch = timed_recording(tmp_path, per_read=2)
    whole = path.read_bytes()
    for size in range(600, len(whole), 61):
        path.write_bytes(whole[:size])
        _, found = read_arrivals(path)
        assert found == batch[: len(found)]
    assert len(found) > len(batch) - 3


def test_a_damaged_mark_leaves_the_arrival_unknown_and_never_wrong(tmp_path):
    path, batch = timed_recording(tmp_path, per_read=2)
    stretches = path.read_bytes().split(b"\x00")
    marks = [k for k, stretch in enumerate(stretches) if stretch[1:3] == b"\x01\x40"]
    damaged = bytearray(stretches[marks[2]])
    damaged[9] ^= 1
    stretches[marks[2]] = bytes(damaged)
    path.write_bytes(b"\x00".join(stretches))
    _, found = read_arrivals(path)
    assert [a.frame for a in found] == [a.frame for a in batch]
    assert {a.arrival_ns for a, b in zip(found, batch, strict=True) if a != b} == {0}
    assert sum(a != b for a, b in zip(found, batch, strict=True)) in {1, 2}


def test_the_wall_clock_is_told_once_for_each_boot(tmp_path, monkeypatch):
    monkeypatch.setattr("penapp.device.recording.time.time_ns", lambda: 1_700_000_000_000_000_000)
    monkeypatch.setattr("penapp.device.recording.time.perf_counter_ns", lambda: 5_000_000_007)
    path, _ = timed_recording(tmp_path)
    recording, _ = read_arrivals(path)
    assert recording.wall_offset_ns == 1_700_000_000_000_000_000 - 5_000_000_007
    marks = [f for f in FrameDecoder().feed(path.read_bytes()) if f.type is FrameType.ARRIVAL]
    assert [parse_arrival(mark).wall_ns is None for mark in marks] == [False] + [True] * (len(marks) - 1)


def test_a_copied_recording_claims_no_wall_clock(tmp_path):
    path, _ = timed_recording(tmp_path, first_ns=1)
    assert read_arrivals(path)[0].wall_offset_ns is None


def test_answers_to_time_sync_are_kept_with_their_arrival(tmp_path):
    sync = response_frame(Response(Op.TIME_SYNC, 3, Status.OK, TimeSyncReading(1, 2, 3).encode()))
    battery = response_frame(Response(Op.BATTERY, 4, Status.OK, b"\x50\x00\x0f\x00"))
    writer = StreamWriter(tmp_path / "s.pen", DESCRIPTOR)
    writer.append_arrived([ArrivedFrame(sync, 77), ArrivedFrame(battery, 78), *arrived()])
    writer.close()
    assert read_arrivals(writer.path)[1] == [ArrivedFrame(sync, 77), *arrived()]
