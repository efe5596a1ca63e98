import asyncio
from pathlib import Path

import pytest

from firmware_protocol.framing import Flag, Frame, FrameType, encode_frame, to_serial
from firmware_protocol.messages import Op, Response, Status, response_frame
from penapp.device.discover import PenKind, list_pens
from penapp.device.errors import ProtocolVersionError, RecordingError
from penapp.device.recording import Recording, StreamWriter
from penapp.device.replay import ReplaySource
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
    assert all(place.kind is PenKind.SERIAL for place in others)
