"""Notices that a stream has fallen silent, and does not mistake a computer that stood still for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

LOOKS = 8
"""Looks within the time of silence that is allowed."""

T = TypeVar("T")


class SilentError(Exception):
    """Internal to the device layer: nothing has come for so long."""


async def watched(batches: AsyncIterator[T], silence_s: float | None) -> AsyncGenerator[T]:
    """The batches; raises `SilentError` after `silence_s` seconds without one (None = never).

    Only time in which the loop could have received something counts: when the loop, the process or the
    whole computer stood still, what arrived meanwhile is waiting to be read.
    """
    try:
        while True:
            waiting = asyncio.ensure_future(_next(batches))
            try:
                found = await _waited(waiting, silence_s)
            finally:
                if not waiting.done():
                    waiting.cancel()
                    await asyncio.wait([waiting])
            if found is None:
                return
            yield found[0]
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()


async def _next(batches: AsyncIterator[T]) -> tuple[T] | None:
    try:
        return (await anext(batches),)
    except StopAsyncIteration:
        return None


async def _waited(waiting: asyncio.Future[tuple[T] | None], silence_s: float | None) -> tuple[T] | None:
    if silence_s is None:
        return await waiting
    loop = asyncio.get_running_loop()
    look_s, silent_s, before_s = silence_s / LOOKS, 0.0, loop.time()
    while silent_s < silence_s:
        done, _ = await asyncio.wait([waiting], timeout=look_s)
        if done:
            return waiting.result()
        now_s = loop.time()
        silent_s += min(now_s - before_s, 2 * look_s)
        before_s = now_s
    raise SilentError
