"""The connection itself: made and given back in bounded time, and what is said when it is not."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penapp.device.ble_diagnosis import Step, ble_error, refused, slow_discovery
from penapp.errors import DeviceError

if TYPE_CHECKING:
    from bleak import BleakClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BleTiming:
    """Patience with the radio, in seconds.

    scan_s:    until the pen must have been heard
    settle_s:  how long to listen for other pens when none was named
    connect_s: for the connection and the discovery of services together
    mtu_s:     for the MTU to become large enough after the connection
    close_s:   for the system to give the connection back
    """

    scan_s: float = 10.0
    settle_s: float = 1.0
    connect_s: float = 20.0
    mtu_s: float = 1.0
    close_s: float = 5.0


async def connect(client: BleakClient, name: str, timing: BleTiming) -> None:
    """Connection and discovery of services; says which of the two did not come."""
    connecting = asyncio.get_running_loop().create_task(client.connect())
    try:
        done, _ = await asyncio.wait([connecting], timeout=timing.connect_s)
        if not done:
            raise _late(client, name, timing.connect_s)
        await connecting
    except DeviceError:
        raise
    except Exception as error:
        raise ble_error(error, name, Step.CONNECT) from error
    finally:
        if not connecting.done():
            connecting.cancel()
            await asyncio.wait([connecting], timeout=timing.close_s)


def _late(client: BleakClient, name: str, seconds: float) -> DeviceError:
    if client.is_connected:
        return slow_discovery(name, seconds)
    return refused(name, f"no answer within {seconds:g} s")


async def disconnect(client: BleakClient, name: str, close_s: float) -> None:
    """Give the connection back; what the system does not end in time is left to it."""
    ending = asyncio.get_running_loop().create_task(client.disconnect())
    done, _ = await asyncio.wait([ending], timeout=close_s)
    if not done:
        ending.cancel()
        await asyncio.wait([ending], timeout=close_s)
        log.warning("%s: the system did not end the connection within %g s", name, close_s)
    elif not ending.cancelled() and (error := ending.exception()) is not None:
        log.info("%s: the connection was gone already: %s", name, error)
