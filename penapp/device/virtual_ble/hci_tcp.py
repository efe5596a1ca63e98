"""Two processes, one air: the pens here, host stacks elsewhere, HCI over TCP (H4) in between.

The same socket puts an emulator, or firmware built for one (Zephyr `native_sim`), on the air with our pens.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from bumble.transport.common import StreamPacketSink, StreamPacketSource, Transport
from bumble.transport.tcp_client import open_tcp_client_transport

from penapp.device.virtual_ble.adapter import Adapter
from penapp.device.virtual_ble.chips import Air, RadioController


class ChipServer:
    """`async with ChipServer(radio.air) as served`: each connection to `served.address` is its own chip."""

    def __init__(self, air: Air, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._air = air
        self._bind = host, port
        self._server: asyncio.Server
        self._chips: set[_Chip] = set()

    @property
    def address(self) -> str:
        return "{}:{}".format(*self._server.sockets[0].getsockname()[:2])

    def switch(self, on: bool) -> None:
        """Bluetooth of all these hosts on or off; each host's `Adapter.power` has to be told as well."""
        for chip in self._chips:
            chip.switch(on)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Chip(self._air, self._chips), *self._bind)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for chip in list(self._chips):
            chip.close()
        await self._server.wait_closed()


class _Chip(StreamPacketSource):
    """From connect to disconnect of one TCP client."""

    def __init__(self, air: Air, chips: set[_Chip]) -> None:
        super().__init__()
        self._air = air
        self._chips = chips
        self._controller = RadioController("chip on tcp", air)
        self._transport: asyncio.BaseTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._chips.add(self)
        self.set_packet_sink(self._controller)
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 -- TCP writes; narrows the type
        self._controller.set_packet_sink(StreamPacketSink(transport))

    def connection_lost(self, exc: Exception | None) -> None:
        self._chips.discard(self)
        self._controller.set_packet_sink(None)
        self._air.cut(self._controller)
        self._air.remove_controller(self._controller)

    def switch(self, on: bool) -> None:
        if on:
            self._controller.power_on()
        else:
            self._controller.power_off()

    def close(self) -> None:
        self._transport.close()


class RemoteAdapter:
    """`async with RemoteAdapter("127.0.0.1:9001") as adapter`: an `Adapter` on a chip in another process."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._transport: Transport
        self._adapter: Adapter

    async def __aenter__(self) -> Adapter:
        self._transport = await open_tcp_client_transport(self._address)
        self._adapter = Adapter(self._transport.source, self._transport.sink)
        await self._adapter.start()
        return self._adapter

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._adapter.stop()
        await self._transport.close()
