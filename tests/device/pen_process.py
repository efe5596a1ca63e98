"""A process that holds a pen and serves chips: prints the address, ends when its input is closed."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from penapp.device.virtual_ble.hci_tcp import ChipServer
from penapp.device.virtual_ble.radio import SimulatedRadio
from tests.device.radio_rig import CountingInk


async def main(samples):
    async with SimulatedRadio() as radio, ChipServer(radio.air) as served:
        pen = await radio.add_pen(CountingInk(samples), speed=None)
        print(served.address, pen.address, flush=True)
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main(int(sys.argv[1])))
