"""Small sessions whose every byte is known."""

import itertools
import random

from firmware_protocol.framing import Flag, Frame, FrameType, encode_frame
from penapp.device.source import ArrivedFrame
from penapp.record.head import SessionHead
from penapp.record.reader import RecordedFrame, SessionReader
from penapp.record.session_file import SessionFile
from penapp.record.types import Consent, EventKind, LabelEdit, PromptEvent, SessionEvent, WriterNote
from tests.device.toy_pens import ToyInk

RATE_HZ, BATCH = 400.0, 8
STEP_NS = round(BATCH / RATE_HZ * 1e9)
START_NS = 1_790_000_000_000_000_000
DESCRIPTOR = ToyInk(rate_hz=RATE_HZ).descriptor
CONSENT = Consent("2026-1", "I agree that what I write is recorded.", "en", START_NS - 5)
WRITER = WriterNote("w-7f3a", (("handedness", "left"), ("age_band", "30-39")))
HEAD = SessionHead(
    DESCRIPTOR,
    session_id="5e55",
    created_ns=START_NS,
    monotonic_offset_ns=START_NS,
    title="a test",
    calibration='{"pen_id": "virtual1"}',
    software={"penapp": "0.1.0"},
    consent=CONSENT,
    writer=WRITER,
)
MARK = SessionEvent(EventKind.MARKER, "here", sample=16)
PROMPT = PromptEvent("done", "p1", "Wort", "de", "words", attempt=2, start_s=0.5, end_s=1.0, found=("short",))
EDIT = LabelEdit("add", "e1", "l1", "Wort", 0.5, 1.0, draft=True, prompt="p1", by="recogniser")


def pen_frame(k, seed=0):
    """Frame k of a pen at 400 Hz: the same for the same numbers, noise in all 13 channels."""
    payload = random.Random(seed << 32 | k).randbytes(BATCH * 26)
    t_us = round(k * BATCH / RATE_HZ * 1e6) % (1 << 32)
    return Frame(FrameType.DATA, k % 65536, 0, BATCH, Flag.NONE, k * BATCH % (1 << 32), t_us, payload)


def pen_frames(n, seed=0):
    return [pen_frame(k, seed) for k in range(n)]


def arrived(frames):
    return [ArrivedFrame(frame, k * STEP_NS + 1) for k, frame in enumerate(frames)]


def write_session(path, frames, *, per_chunk=25, head=HEAD, finish=True, records=(MARK, PROMPT, EDIT)):
    """A session with a chunk after every `per_chunk` frames and one record of each kind in the first."""
    file = SessionFile(path, head)
    for k, frame in enumerate(frames):
        file.frame(frame, START_NS + k * STEP_NS)
        if k == 2:
            for record in records:
                file.record(record, START_NS + k * STEP_NS)
        if k % per_chunk == per_chunk - 1:
            file.flush()
    file.flush()
    if finish:
        file.finish()
    else:
        file.abandon()
    return path


def raw_frames(path):
    """The bytes of all frames that can be read."""
    with SessionReader(path) as reader:
        return [item.raw for item in reader.items() if isinstance(item, RecordedFrame)]


def is_prefix(found, sent):
    """Whether `found` are the first of the pen's frames, byte for byte."""
    return found == [encode_frame(frame) for frame in itertools.islice(sent, len(found))]
