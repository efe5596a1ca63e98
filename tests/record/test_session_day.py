"""A day of session, accelerated: two minutes here, 24 hours with PENAPP_SOAK=1. Read back identical."""

import os
import time
from itertools import count

from firmware_protocol.framing import Flag, Frame, FrameType, encode_frame
from penapp.record.listing import SessionState, session_entry
from penapp.record.reader import RecordedFrame, SessionReader
from penapp.record.session_file import SessionFile
from penapp.record.types import EventKind, SessionEvent
from tests.record.session_toys import BATCH, HEAD, RATE_HZ, START_NS, STEP_NS, pen_frame

HOURS = 24.0 if os.environ.get("PENAPP_SOAK") == "1" else 1 / 30
FRAMES = round(HOURS * 3600 * RATE_HZ / BATCH)
PER_FLUSH = 25
MARK_EVERY = 3000
PAYLOADS = [pen_frame(k).payload for k in range(997)]


def frame(k):
    """Frame k of a day: the sample index and the pen's microseconds wrap as they do on the wire."""
    index, t_us = k * BATCH % (1 << 32), k * 20_000 % (1 << 32)
    return Frame(FrameType.DATA, k % 65536, 0, BATCH, Flag.NONE, index, t_us, PAYLOADS[k % 997])


def written(path):
    file = SessionFile(path, HEAD)
    for k in range(FRAMES):
        file.frame(frame(k), START_NS + k * STEP_NS, START_NS + k * STEP_NS - 30_000_000)
        if k % MARK_EVERY == 0:
            file.record(SessionEvent(EventKind.MARKER, str(k)), START_NS + k * STEP_NS)
        if k % PER_FLUSH == PER_FLUSH - 1:
            file.flush()
    file.finish()


def test_a_day_of_session_is_read_back_identical(tmp_path, report):
    path = tmp_path / "day.mcap"
    began = time.perf_counter()
    written(path)
    wrote_s = time.perf_counter() - began
    numbers, marks = count(), 0
    began = time.perf_counter()
    with SessionReader(path) as reader:
        for item in reader.items():
            if isinstance(item, RecordedFrame):
                k = next(numbers)
                assert item.raw == encode_frame(frame(k))
                assert item.arrival_ns == START_NS + k * STEP_NS
                assert item.mapped_ns == item.arrival_ns - 30_000_000
            else:
                assert item.value.text == str(marks * MARK_EVERY)
                marks += 1
        assert (reader.report.closed, reader.report.damaged, reader.malformed) == (True, [], 0)
    read_s = time.perf_counter() - began
    assert (next(numbers), marks) == (FRAMES, -(-FRAMES // MARK_EVERY))
    entry = session_entry(path)
    assert entry.state is SessionState.CLOSED
    assert (entry.counts.samples, entry.counts.lost, entry.counts.segments) == (FRAMES * BATCH, 0, 1)
    size_mb = path.stat().st_size / 1e6
    report(
        f"{HOURS:.2f} h of session at 400 Hz: {FRAMES} frames, {size_mb:.1f} MB, written in {wrote_s:.1f} s, "
        f"read back identical in {read_s:.1f} s"
    )
