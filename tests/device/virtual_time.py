"""An asyncio loop whose clock is a number: it jumps to the next thing that is due instead of waiting."""

from __future__ import annotations

import asyncio
import selectors


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """time() starts at 0. `jump` = the loop stood still for so long."""

    def __init__(self):
        self.now_s = 0.0
        super().__init__(_Selector(self))

    def time(self):
        return self.now_s

    def jump(self, seconds):
        self.now_s += seconds


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        found = super().select(0)
        if not found:
            assert timeout is not None, "nothing is due any more: the test would wait for ever"
            self._loop.now_s += max(timeout, 0.0)
        return found


def run_virtual(main):
    """Run a coroutine function; it gets the loop."""

    async def with_loop():
        return await main(asyncio.get_running_loop())

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(with_loop())
