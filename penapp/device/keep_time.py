"""TIME_SYNC while a pen streams: often at first, then once a second, never in step with the radio."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from typing import Protocol, runtime_checkable

from penapp.device.requests import NoAnswerError
from penapp.device.source import ArrivedFrame, PenSource
from penapp.errors import DeviceError

FIRST_PINGS = 20
FIRST_EVERY_S = 0.1
EVERY_S = 1.0
UNANSWERED = 3
"""So many in a row, and the pen is not asked again."""

log = logging.getLogger(__name__)


class AwayError(Exception):
    """Internal to the device layer: the pen cannot be asked now, it will be back."""


@runtime_checkable
class TimeSource(Protocol):
    """A `PenSource` whose pen can be asked for its time.

    time_sync: one question; the answer to TIME_SYNC and when it arrived. Raises `NoAnswerError`, a
               `DeviceError`, or `AwayError` while a pen that is looked after is away. The question states
               `perf_counter_ns` // 1000 as the host's time.
    """

    async def time_sync(self) -> ArrivedFrame: ...


@contextlib.asynccontextmanager
async def keeping_time(source: PenSource, take: Callable[[ArrivedFrame], None]) -> AsyncIterator[None]:
    """Ask while the body runs, and hand each answer to `take`; nothing for a source without a clock."""
    if not isinstance(source, TimeSource):
        yield
        return
    asking = asyncio.get_running_loop().create_task(_ask(source, take))
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.wait([asking])


async def _ask(source: TimeSource, take: Callable[[ArrivedFrame], None]) -> None:
    """Waits are drawn at random: what is sent in step with the radio's slots learns nothing about them."""
    asked = unanswered = 0
    dice = random.Random(0)
    while unanswered < UNANSWERED:
        await asyncio.sleep((FIRST_EVERY_S if asked < FIRST_PINGS else EVERY_S) * dice.uniform(0.5, 1.0))
        asked += 1
        try:
            take(await source.time_sync())
            unanswered = 0
        except AwayError:
            asked = unanswered = 0
        except NoAnswerError:
            unanswered += 1
        except DeviceError as error:
            log.info("no more time from the pen: %s", error.args[0])
            return
    log.info("the pen does not answer TIME_SYNC, it is not asked again")
