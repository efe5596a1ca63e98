"""Links that do what a list says: fail to open, deliver, fall silent, break."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from firmware_protocol.descriptor import standard_descriptor
from firmware_protocol.framing import Frame, FrameType
from penapp.device.source import ArrivedFrame, LinkCounters
from penapp.device.transport import LinkStage

PEN = standard_descriptor(100.0, boot_id=7, name="toy pen")
OTHER_PEN = replace(PEN, device_id=b"another1", name="blue pen")


def batch(index=0):
    frame = Frame(FrameType.DATA, 0, 0, 1, index=index, payload=bytes(26))
    return [ArrivedFrame(frame, 1)]


class ScriptedLink:
    """One link. script: what open() raises, or the steps of frames(): batches, seconds, errors, END.

    `on_stage` is told as a real link tells it.
    """

    END = "end"

    def __init__(self, script, descriptor, on_stage, *, start_fails=None):
        self.name = "toy"
        self.counters = LinkCounters(frames=1)
        self.closed = 0
        self.stopped = 0
        self._script, self._descriptor = script, descriptor
        self._on_stage, self._start_fails = on_stage, start_fails

    async def open(self):
        self._on_stage(LinkStage.CONNECTING)
        await asyncio.sleep(0.01)
        if isinstance(self._script, Exception):
            raise self._script
        self._on_stage(LinkStage.DISCOVERING)
        return self._descriptor

    async def start(self):
        if self._start_fails is not None:
            raise self._start_fails
        self._on_stage(LinkStage.STREAMING)

    async def frames(self):
        for step in self._script:
            if isinstance(step, Exception):
                self._on_stage(LinkStage.LOST)
                raise step
            if step is self.END:
                return
            if isinstance(step, int | float):
                await asyncio.sleep(step)
            else:
                yield step
        await asyncio.get_running_loop().create_future()

    async def stop(self):
        self.stopped += 1

    async def close(self):
        self.closed += 1


class Links:
    """A factory: link number k follows script number k; the last script is used again and again."""

    def __init__(self, *scripts, descriptors=None):
        self.scripts = scripts
        self.descriptors = descriptors or {}
        self.made = []
        self.times_s = []

    def __call__(self, on_stage):
        k = len(self.made)
        script = self.scripts[min(k, len(self.scripts) - 1)]
        self.times_s.append(asyncio.get_running_loop().time())
        self.made.append(ScriptedLink(script, self.descriptors.get(k, PEN), on_stage))
        return self.made[-1]
