"""Disk full, permission lost, file removed: said at once, once, and what was recorded before is safe."""

import errno
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager

import pytest

from firmware_protocol.framing import encode_frame
from penapp.device.errors import RecordingError
from penapp.record.out_file import OutFile
from penapp.record.salvage import salvage
from penapp.record.writer import SessionWriter, WriterParams
from tests.record.session_toys import HEAD, arrived, is_prefix, pen_frames, raw_frames

FRAMES = pen_frames(400)
PATIENT = WriterParams(flush_s=3600.0)


class Told:
    """Collects what the recorder tells."""

    def __init__(self):
        self.errors = []
        self.came = threading.Event()

    def __call__(self, error):
        self.errors.append(error)
        self.came.set()


def record_until_it_stops(path, frames=FRAMES):
    """Frames that the file has surely taken, and what was told."""
    told = Told()
    writer = SessionWriter(path, HEAD, params=PATIENT, on_error=told)
    safe = 0
    for at in range(0, len(frames), 20):
        try:
            writer.append(arrived(frames[at : at + 20]))
        except RecordingError:
            break
        if not writer.flush():
            break
        safe = at + 20
    writer.close()
    return safe, told, writer


def check_stop(path, safe, told, writer, message):
    assert told.came.wait(10.0)
    assert [type(e) for e in told.errors] == [RecordingError]
    assert message in told.errors[0].args[0]
    assert told.errors[0].advice
    assert writer.error is told.errors[0]
    with pytest.raises(RecordingError, match=r"stops after|was removed"):
        writer.append(arrived(FRAMES[:1]))
    found = raw_frames(path)
    assert len(found) == safe
    assert is_prefix(found, FRAMES)


@contextmanager
def file_size_limit(size):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(os.name == "nt", reason="the limit on the size of files is a POSIX thing")
def test_a_file_that_may_not_grow_stops_the_recording_loudly(tmp_path):
    path = tmp_path / "s.mcap"
    with file_size_limit(60_000):
        safe, told, writer = record_until_it_stops(path)
    assert 0 < safe < len(FRAMES)
    check_stop(path, safe, told, writer, "stops after")
    (done,) = salvage(tmp_path)
    assert (done.recovered, done.unreadable_bytes) == (True, 0)  # nothing half-written was left
    assert raw_frames(path) == [encode_frame(f) for f in FRAMES[:safe]]


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 100 kB, where one may be mounted."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small file system can only be mounted by root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_stops_the_recording_loudly(tiny_disk, tmp_path):
    path = tiny_disk / "s.mcap"
    safe, told, writer = record_until_it_stops(path)
    assert 0 < safe < len(FRAMES)
    check_stop(path, safe, told, writer, "No space left on device")
    (done,) = salvage(tiny_disk)
    assert not done.recovered  # there is no room for a repaired copy: the original stays as it is
    assert len(raw_frames(path)) == safe
    rescued = shutil.copy(path, tmp_path / "s.mcap")
    (done,) = salvage(tmp_path)
    assert done.recovered
    assert len(raw_frames(rescued)) == safe


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EIO, errno.EROFS, errno.ESTALE])
def test_permission_lost_or_a_broken_disk_stops_the_recording_loudly(tmp_path, monkeypatch, code):
    """Half of a record is written, then the system says no."""
    real = os.write

    def refuse(fd, raw):
        if os.lseek(fd, 0, os.SEEK_CUR) > 40_000:
            raise OSError(code, os.strerror(code))
        return real(fd, bytes(raw)[: max(1, len(raw) // 2)])

    monkeypatch.setattr("penapp.record.out_file.os.write", refuse)
    safe, told, writer = record_until_it_stops(tmp_path / "s.mcap")
    assert 0 < safe < len(FRAMES)
    check_stop(tmp_path / "s.mcap", safe, told, writer, os.strerror(code))


def test_a_disk_that_does_not_keep_what_it_took_stops_the_recording(tmp_path, monkeypatch):
    told = Told()
    writer = SessionWriter(
        tmp_path / "s.mcap", HEAD, params=WriterParams(flush_s=3600.0, sync_s=0.0), on_error=told
    )

    def broken(_fd):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("penapp.record.out_file.os.fsync", broken)
    writer.append(arrived(FRAMES[:20]))
    assert not writer.flush()
    assert "Input/output error" in told.errors[0].args[0]
    writer.close()
    assert len(raw_frames(tmp_path / "s.mcap")) == 20


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody remove a file that is open")
@pytest.mark.parametrize("folder_too", [False, True])
def test_a_removed_file_is_noticed_and_its_contents_are_saved(tmp_path, folder_too):
    folder = tmp_path / "sessions"
    folder.mkdir()
    told = Told()
    writer = SessionWriter(folder / "s.mcap", HEAD, params=PATIENT, on_error=told)
    writer.append(arrived(FRAMES[:40]))
    assert writer.flush()
    (folder / "s.mcap").unlink()
    if folder_too:
        folder.rmdir()
    writer.append(arrived(FRAMES[40:60]))
    assert not writer.flush()
    assert "was removed while it was being written" in told.errors[0].args[0]
    assert "s-rescued.mcap" in told.errors[0].advice
    writer.close()
    assert len(raw_frames(folder / "s-rescued.mcap")) == 60
    assert salvage(folder)[0].recovered


def test_a_session_in_a_folder_without_permission_is_refused_before_it_begins(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        tmp_path.chmod(0o755)
        os.seteuid(65534)
    try:
        with pytest.raises(RecordingError, match=r"cannot be created: Permission denied.*another folder"):
            OutFile(folder / "s.mcap")
    finally:
        if root:
            os.seteuid(0)


def test_close_tells_an_error_too(tmp_path, monkeypatch):
    told = Told()
    writer = SessionWriter(tmp_path / "s.mcap", HEAD, params=PATIENT, on_error=told)
    writer.append(arrived(FRAMES[:20]))
    monkeypatch.setattr(
        "penapp.record.session_file.FileIndex.closing", lambda *_: (_ for _ in ()).throw(ZeroDivisionError)
    )
    writer.close()
    assert "ZeroDivisionError" in told.errors[0].args[0]
    assert len(raw_frames(tmp_path / "s.mcap")) == 20
