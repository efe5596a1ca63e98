"""The virtual pen over the simulated radio, as a source that a person can choose."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from firmware_protocol.messages import join_samples
from penapp.device.virtual_ble import SimulatedRadioMissingError
from penapp.device.virtual_ble_source import VirtualBleSource
from tests.device.toy_pens import ToyInk


async def everything(source):
    descriptor = await source.open()
    await source.start()
    frames = [a.frame async for batch in source.frames() for a in batch]
    await source.stop()
    await source.close()
    return descriptor, frames


def test_every_sample_comes_over_the_simulated_radio_and_the_stream_ends_with_the_ink():
    pytest.importorskip("bumble", reason="the simulated radio is Bumble's (extra `dev`)")
    ink = ToyInk("abc", 400.0)
    descriptor, frames = asyncio.run(everything(VirtualBleSource(ink, speed=None)))
    assert descriptor == ink.descriptor
    np.testing.assert_array_equal(join_samples(frames, 13), ink.counts)


def test_without_bumble_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("penapp.device.virtual_ble.find_spec", lambda _: None)
    with pytest.raises(SimulatedRadioMissingError, match="bumble is not installed"):
        asyncio.run(everything(VirtualBleSource(ToyInk())))
