"""How soon a Bluetooth pen on the simulated radio is back, real time, 100 Hz.

    python tests/benchmarks/soak_ble_faults.py [TIMES]

Recovery: from the moment the pen can be reached again to the arrival of the first sample.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from firmware_protocol.framing import FrameType
from penapp.device.looked_after import ble_pen
from penapp.device.radio import Radio
from penapp.device.virtual_ble.client import RadioClient
from penapp.device.virtual_ble.pen import VirtualBlePen
from penapp.device.virtual_ble.radio import SimulatedRadio
from penapp.device.virtual_ble.scanner import RadioScanner
from tests.device.toy_pens import ToyInk

FRAMES_BETWEEN = 10
Act = Callable[[VirtualBlePen, SimulatedRadio, random.Random], Awaitable[None]]


async def lose(pen: VirtualBlePen, _air: SimulatedRadio, _rng: random.Random) -> None:
    pen.lose_link()


async def vanish(pen: VirtualBlePen, _air: SimulatedRadio, rng: random.Random) -> None:
    pen.vanish()
    await asyncio.sleep(rng.uniform(0.2, 3.0))
    pen.come_back()


async def switch_off(_pen: VirtualBlePen, air: SimulatedRadio, rng: random.Random) -> None:
    air.power_off()
    await asyncio.sleep(rng.uniform(0.2, 3.0))
    air.power_on()


async def reboot(pen: VirtualBlePen, _air: SimulatedRadio, rng: random.Random) -> None:
    pen.reboot(rng.randrange(1 << 32))


FAULTS: dict[str, Act] = {
    "link lost": lose,
    "out of reach": vanish,
    "Bluetooth switched off": switch_off,
    "pen started again": reboot,
}


async def recoveries(act: Act, times: int) -> list[float]:
    """Seconds, `times` of them."""
    rng = random.Random(7)
    found: list[float] = []
    async with SimulatedRadio() as air:
        pen = await air.add_pen(ToyInk(endless=True))
        source = ble_pen(
            pen.address, radio=Radio("the simulated radio", RadioScanner, RadioClient, {"radio": air.adapter})
        )
        await source.open()
        await source.start()
        since, reachable_s, doing, back = 0, 0.0, None, True

        async def happen() -> None:
            nonlocal reachable_s
            await act(pen, air, rng)
            reachable_s = time.monotonic()

        async with aclosing(source.frames()) as batches:
            async for batch in batches:
                if batch[0].frame.type is FrameType.RSP:
                    back = False
                    continue
                if not back:
                    found.append(time.monotonic() - reachable_s)
                    since, back = 0, True
                since += 1
                if len(found) == times:
                    break
                if since == FRAMES_BETWEEN:
                    doing = asyncio.ensure_future(happen())
        del doing
        await source.stop()
        await source.close()
    return found


def main(times: int) -> None:
    for name, act in FAULTS.items():
        seconds = asyncio.run(recoveries(act, times))
        p50, p99 = np.percentile(seconds, (50, 99))
        print(f"{name}: {times} times, recovery p50 {p50:.2f} s, p99 {p99:.2f} s, max {max(seconds):.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
