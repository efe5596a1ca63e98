"""Runs a test's coroutine on a loop of its own, with a fake BlueZ under bleak's real Linux back-end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bleak.backends.bluezdbus import manager

from tests.device.fake_bluez.daemon import ADDRESS_VARIABLE
from tests.device.fake_bluez.pens import FakePen
from tests.device.fake_bluez.service import FakeBluez

T = TypeVar("T")
LIMIT_S = 20.0


def with_bluez(
    work: Callable[[FakeBluez], Awaitable[T]],
    *pens: FakePen,
    adapter: bool = True,
    powered: bool = True,
    limit_s: float = LIMIT_S,
) -> T:
    """`work` with a fake BlueZ around it; bleak's connection to the bus is closed before the service is."""

    async def run() -> T:
        bluez = FakeBluez(os.environ[ADDRESS_VARIABLE], *pens, adapter=adapter, powered=powered)
        async with asyncio.timeout(limit_s), bluez:
            try:
                return await work(bluez)
            finally:
                await forget_bleak()

    return asyncio.run(run())


async def forget_bleak() -> None:
    """Close what bleak keeps open for this loop and for ended ones; it has no public way for that."""
    forget_ended()
    kept = manager._global_instances.pop(asyncio.get_running_loop(), None)
    if kept is None or kept._bus is None:
        return
    if kept._bus_watcher_task is not None:
        kept._bus_watcher_task.cancel()
        await asyncio.wait([kept._bus_watcher_task])
    bus = kept._bus
    bus.disconnect()
    while bus.connected:  # noqa: ASYNC110 -- the watcher consumed the library's own future
        await asyncio.sleep(0.001)


@contextmanager
def bluez_beside(*pens: FakePen, adapter: bool = True, powered: bool = True) -> Iterator[Beside]:
    """A fake BlueZ on a thread of its own, for what runs its own loops: commands, the window."""
    beside = Beside()
    thread = threading.Thread(target=beside.run, args=(pens, adapter, powered), name="fake-bluez")
    thread.start()
    assert beside.ready.wait(LIMIT_S), "the fake BlueZ did not start"
    try:
        yield beside
    finally:
        forget_ended()
        beside.loop.call_soon_threadsafe(beside.over.set)
        thread.join(LIMIT_S)


class Beside:
    """The fake BlueZ of another thread; `do` runs something on its loop and waits for it."""

    def __init__(self) -> None:
        self.ready = threading.Event()

    def run(self, pens: tuple[FakePen, ...], adapter: bool, powered: bool) -> None:
        async def live() -> None:
            self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
            bus = os.environ[ADDRESS_VARIABLE]
            async with FakeBluez(bus, *pens, adapter=adapter, powered=powered) as self.bluez:
                self.ready.set()
                await self.over.wait()

        asyncio.run(live())

    def do(self, work: Callable[[FakeBluez], object]) -> None:
        async def call() -> None:
            found = work(self.bluez)
            if isinstance(found, Awaitable):
                await found

        asyncio.run_coroutine_threadsafe(call(), self.loop).result(LIMIT_S)


def forget_ended() -> None:
    """Close what bleak kept for loops that have ended, as it does itself when it is used again."""
    for loop in [loop for loop in manager._global_instances if loop.is_closed()]:
        bus = manager._global_instances.pop(loop)._bus
        if bus is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody can be told any more
                bus._finalize(None)
