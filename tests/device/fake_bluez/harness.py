"""Runs a test's coroutine on a loop of its own, with a fake BlueZ under bleak's real Linux back-end."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bleak.backends.bluezdbus import manager

from tests.device.fake_bluez.daemon import ADDRESS_VARIABLE
from tests.device.fake_bluez.pens import FakePen
from tests.device.fake_bluez.service import FakeBluez

T = TypeVar("T")
LIMIT_S = 20.0


def with_bluez(
    work: Callable[[FakeBluez], Awaitable[T]], *pens: FakePen, adapter: bool = True, powered: bool = True
) -> T:
    """`work` with a fake BlueZ around it; bleak's connection to the bus is closed before the service is."""

    async def run() -> T:
        bluez = FakeBluez(os.environ[ADDRESS_VARIABLE], *pens, adapter=adapter, powered=powered)
        async with asyncio.timeout(LIMIT_S), bluez:
            try:
                return await work(bluez)
            finally:
                await forget_bleak()

    return asyncio.run(run())


async def forget_bleak() -> None:
    """Close what bleak keeps open for this loop and for ended ones; it has no public way for that."""
    for loop in [loop for loop in manager._global_instances if loop.is_closed()]:
        ended = manager._global_instances.pop(loop)._bus
        if ended is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody can be told any more
                ended._finalize(None)
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
