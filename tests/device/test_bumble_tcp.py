"""Pens in one process, the host stack in another, HCI over TCP in between."""

import asyncio
import subprocess
import sys
from pathlib import Path

import numpy as np

from penapp.device.virtual_ble.hci_tcp import ChipServer, RemoteAdapter
from tests.device.radio_rig import CountingInk, Host, counted, eventually, found, listening, on_radio

N = 4_000


def test_samples_cross_a_process_boundary_whole():
    script = Path(__file__).with_name("pen_process.py")
    with subprocess.Popen(
        [sys.executable, script, str(N)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as pens:
        chip, pen = pens.stdout.readline().split()

        async def body():
            async with RemoteAdapter(chip) as adapter, listening(adapter, pen) as host:
                await host.start()
                np.testing.assert_array_equal(await host.all_samples(N), counted(0, N))
                assert set(host.gaps()) == {0}

        asyncio.run(body())
        pens.stdin.close()
    assert pens.returncode == 0


@on_radio
async def test_two_hosts_have_a_chip_each_and_one_that_dies_lets_its_pen_go(radio):
    pens = [await radio.add_pen(CountingInk(8)) for _ in range(2)]
    async with ChipServer(radio.air) as served:
        async with RemoteAdapter(served.address) as first, RemoteAdapter(served.address) as second:
            hosts = [Host(a, await found(a, p.address)) for a, p in zip((first, second), pens, strict=True)]
            for host in hosts:
                await host.client.connect()
            assert all(pen.connected for pen in pens)
        await eventually(lambda: not any(pen.connected for pen in pens))
