"""A tapped source is the same source; somebody else sees its frames first."""

import asyncio

from penapp.device.tap import TappedSource
from penapp.device.virtual import VirtualPenSource
from tests.device.toy_pens import ToyInk


class Sink:
    def __init__(self):
        self.descriptor, self.frames = None, []

    def begin(self, descriptor):
        self.descriptor = descriptor

    def push(self, batch):
        self.frames += [a.frame for a in batch]


class Supervised(VirtualPenSource):
    def follow(self, on_report):
        on_report("followed")


def test_the_sink_sees_what_the_session_sees():
    ink, sink = ToyInk("abc"), Sink()

    async def everything():
        source = TappedSource(VirtualPenSource(ink, speed=None), sink)
        descriptor = await source.open()
        await source.start()
        frames = [a.frame async for batch in source.frames() for a in batch]
        await source.stop()
        await source.close()
        return descriptor, frames, source

    descriptor, frames, source = asyncio.run(everything())
    assert sink.descriptor == descriptor == ink.descriptor
    assert sink.frames == frames
    assert sum(f.n for f in frames) == 300
    assert source.name == "toy pen"
    assert source.counters.frames >= len(frames)


def test_what_only_some_sources_can_do_is_handed_on_and_nothing_else_is_claimed():
    heard = []
    TappedSource(Supervised(ToyInk()), Sink()).follow(heard.append)
    assert heard == ["followed"]
    assert not hasattr(TappedSource(VirtualPenSource(ToyInk()), Sink()), "follow")
