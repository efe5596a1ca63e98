"""The whole program with the firmware as its pen: the same text as with the Python pen, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.channels import si_to_counts, standard_descriptor
from firmware_protocol.framing import FrameType
from penapp.device.errors import PenLostError
from penapp.device.recording import Recording
from penapp.device.serial_source import SerialSource
from penapp.device.virtual import VirtualPenSource
from penapp.live import LiveSession, TextCommitted
from penapp.pipeline import default_pipeline
from penapp.simulation.demo_ink import demo_corpus, demo_sentences
from penapp.simulation.export_counts import write_counts
from penapp.simulation.sources import write_ink
from tests.device.toy_pens import EventLog
from tests.firmware.sim import running

ROOT = Path(__file__).parents[2]
WORDS = 4


@cache
def demo_counts() -> np.ndarray:
    """The first words of a demo sentence as the sensors read them, and 2 s of rest: all are committed."""
    written = write_ink([demo_corpus().word(i) for i in demo_sentences()[0].words[:WORDS]], 4)
    counts, _ = si_to_counts(written.values, standard_descriptor().streams[0])
    return np.concatenate((counts, np.tile(counts[-1], (200, 1))))


class Counts:
    """A CountSource over an array, in pieces of any size."""

    def __init__(self) -> None:
        self.descriptor = standard_descriptor(boot_id=7)
        self._left = demo_counts()

    def read(self, n):
        if not len(self._left):
            return None
        part, self._left = self._left[:n], self._left[n:]
        return part


@pytest.fixture
def ink(tmp_path):
    write_counts(Counts(), tmp_path / "words.i16")
    return tmp_path / "words.i16"


def live(source, record_to):
    """Until the pen has nothing more; what was committed, and how it ended."""
    seen = EventLog()
    session = LiveSession(source, default_pipeline, record_to=record_to, on_event=seen)
    session.start()
    assert session.wait(30.0)
    session.stop()
    return [event.hypothesis for event in seen.of(TextCommitted)], session


def recorded(path):
    recording = Recording(path)
    frames = [f for batch in recording.frames() for f in batch if f.type is FrameType.DATA]
    recording.close()
    return recording.descriptor, frames


def test_words_come_out_as_with_the_python_pen_bit_for_bit(pen_sim, ink, tmp_path):
    python_words, _ = live(VirtualPenSource(Counts(), speed=None), tmp_path / "python.pen")
    with running(pen_sim, ink, "--speed", "0", "--boot-id", "7", "--hang-up") as sim:
        c_words, session = live(SerialSource(sim.address), tmp_path / "c.pen")
        sim.finish()
    status = session.status()
    assert (status.samples, status.lost, status.damaged_frames) == (len(demo_counts()), 0, 0)
    assert isinstance(session.error, PenLostError), "a real pen that leaves is said to be gone"
    assert len(c_words) == WORDS
    assert c_words == python_words, "text, times, candidates and confidence"
    assert recorded(tmp_path / "c.pen") == recorded(tmp_path / "python.pen")


def test_penapp_live_reads_the_c_pen(pen_sim, ink):
    """The command as a user types it, in a process of its own."""
    with running(pen_sim, ink, "--speed", "0", "--tcp") as sim:
        command = [sys.executable, "-m", "penapp", "live", "--pen", sim.address, "--json"]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program:
            events = []
            while sum(e["event"] == "committed" for e in events) < WORDS:
                line = program.stdout.readline()
                assert line, program.stderr.read()
                events.append(json.loads(line))
            program.send_signal(signal.SIGINT)
            out, _ = program.communicate(timeout=20)
    events += [json.loads(line) for line in out.splitlines()]
    words = [e["text"] for e in events if e["event"] == "committed"]
    assert words == [word.text for word in read_directly()]
    assert events[-1]["event"] == "summary"
    assert events[-1]["lost"] == 0


@cache
def read_directly():
    """The same counts without any wire."""
    from firmware_protocol.channels import counts_to_si
    from penapp.stream.block import SampleBlock

    descriptor = standard_descriptor(boot_id=7)
    values = counts_to_si(demo_counts(), descriptor.streams[0])
    pipeline = default_pipeline(descriptor)
    block = SampleBlock(np.arange(len(values)) / 100.0, values)
    return pipeline.push(block) + pipeline.finish()
