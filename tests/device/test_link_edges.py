"""Moments in which a link may break or a pen refuse, and nobody had thought of it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from penapp.device.errors import CommandRefusedError, PenLostError
from penapp.device.link import PenLink
from penapp.device.source import LinkCounters
from penapp.device.supervise import SupervisedSource
from tests.device.scripted_links import PEN, ScriptedLink, batch
from tests.device.virtual_time import run_virtual


class BreaksWhenAsked:
    """A carrier that is open, and gone when it is asked who is there: the moment behind the subscription."""

    name, counters = "toy", LinkCounters()

    async def open(self, sink):
        self.sink = sink

    async def descriptor(self):
        raise ConnectionResetError("toy is not connected")

    async def close(self):
        pass

    def lost(self):
        return PenLostError("the link to toy was lost.", advice="Connect again.")


def test_a_pen_that_goes_while_it_is_asked_who_it_is_is_a_lost_pen():
    with pytest.raises(PenLostError, match="was lost"):
        asyncio.run(PenLink(BreaksWhenAsked()).open())


def test_a_pen_that_refuses_time_sync_is_said_to_refuse_not_to_be_away():
    """Away would mean: ask again at once, for ever."""

    class Refusing(ScriptedLink):
        async def time_sync(self):
            raise CommandRefusedError("the pen refused TIME_SYNC: UNKNOWN_OP.")

    async def main(_loop):
        source = SupervisedSource(lambda on_stage: Refusing([batch(), 3600.0], PEN, on_stage), name="toy")
        await source.open()
        await source.start()
        async with aclosing(source.frames()) as stream:
            await anext(stream)
            with pytest.raises(CommandRefusedError):
                await source.time_sync()
        await source.close()

    run_virtual(main)
