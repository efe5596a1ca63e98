"""`kill -9` at random moments of a recording at 400 Hz: 6 here, 200 with PENAPP_SOAK=1."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from mcap.reader import make_reader

from penapp.record.listing import SessionState, list_sessions
from penapp.record.salvage import salvage
from tests.record.kill_nursery import handed_over
from tests.record.session_toys import BATCH, HEAD, RATE_HZ, is_prefix, pen_frames, raw_frames

ROOT = Path(__file__).parents[2]
KILLS = 200 if os.environ.get("PENAPP_SOAK") == "1" else 6
AT_ONCE = 6
LONGEST_S = 2.5
MAX_LOST_S = 1.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 of forked recorders needs a POSIX system")
def test_kill_9_loses_at_most_a_second_and_nothing_before_it(tmp_path, report):
    rng = random.Random(42)
    lost_s = []
    for group in range(0, KILLS, AT_ONCE):
        folder = tmp_path / str(group)
        folder.mkdir()
        moments = [rng.uniform(0.01, LONGEST_S) for _ in range(min(AT_ONCE, KILLS - group))]
        lost_s += killed(folder, moments)
    assert len(lost_s) == KILLS
    assert max(lost_s) <= MAX_LOST_S
    mean_s = sum(lost_s) / KILLS
    report(
        f"kill -9 at {KILLS} random moments of recordings at 400 Hz: all open after salvage, "
        f"lost at most {max(lost_s):.2f} s, {mean_s:.2f} s on average, all before that byte for byte"
    )


def killed(folder, moments):
    """Seconds lost of each session that was killed at its moment."""
    command = [sys.executable, "-m", "tests.record.kill_nursery", str(folder), *map(str, moments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "dead\n", done.stderr
    assert all(result.recovered for result in salvage(folder))
    entries = list_sessions(folder)
    assert [entry.state for entry in entries] == [SessionState.RECOVERED] * len(moments)
    return [checked(folder, number) for number in range(len(moments))]


def checked(folder, number):
    """Seconds lost of one session; what is there is what the pen sent."""
    path = folder / f"{number:03}.mcap"
    found, sent = raw_frames(path), handed_over(folder, number)
    assert is_prefix(found, pen_frames(len(found), number))
    with path.open("rb") as file:
        assert sum(1 for _ in make_reader(file, validate_crcs=True).iter_messages()) == len(found)
    assert len(found) <= sent + 1  # killed between the hand-over and the count
    return max(0, sent - len(found)) * BATCH / RATE_HZ


def test_the_head_is_on_the_disk_before_the_first_frame(tmp_path):
    from penapp.record.reader import SessionReader
    from penapp.record.writer import SessionWriter

    writer = SessionWriter(tmp_path / "s.mcap", HEAD)
    with SessionReader(tmp_path / "s.mcap") as reader:
        assert reader.head == HEAD
    writer.close()
