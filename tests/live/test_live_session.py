"""A pen on a real pseudo-terminal, through the whole session, to text."""

import threading

import numpy as np
import pytest

from firmware_protocol.virtual_pen import Faults
from penapp.device.virtual import VirtualPenSource
from penapp.errors import BadInputError, ModelMismatchError
from penapp.live import Failed, LinkChanged, LinkState, LiveSession, TextCommitted, TextTentative
from tests.device.toy_pens import EventLog, ToyInk, ToyPipeline


def play(source, *, make_pipeline=ToyPipeline, record_to=None):
    seen = EventLog()
    session = LiveSession(source, make_pipeline, record_to=record_to, on_event=seen)
    session.start()
    assert session.wait(20.0)
    session.stop()
    return session, seen


def text(seen):
    return "".join(e.hypothesis.text for e in seen.of(TextCommitted))


def penapp_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith(("penapp", "asyncio"))]


@pytest.fixture(autouse=True)
def no_thread_stays_behind():
    yield
    assert penapp_threads() == []


def test_words_written_with_the_virtual_pen_come_out_as_text():
    session, seen = play(VirtualPenSource(ToyInk("hallowelt"), speed=None))
    assert text(seen) == "hallowelt"
    status = session.status()
    assert (status.link, status.samples, status.lost) == (LinkState.ENDED, 900, 0)
    assert session.error is None


def test_the_link_goes_through_its_states_in_order():
    _, seen = play(VirtualPenSource(ToyInk("a"), speed=None))
    assert [e.status.link for e in seen.of(LinkChanged)] == [
        LinkState.OPENING, LinkState.STREAMING, LinkState.ENDED]  # fmt: skip
