"""Bumble's simulated Bluetooth controllers and the air between them, with what a pen needs put right.

Found in Bumble 0.0.236 and corrected here: the source of a data packet was always the sender's random address
(a host with a public one never got a packet); an attempt to connect could not be cancelled; 27-byte packets
cut a notification into nine; a host was connected to a pen that went away while it was asked.
"""

from __future__ import annotations

import asyncio

from bumble import hci, ll
from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.host import Host
from bumble.link import LocalLink

ACL_BYTES = 251
"""Data length extension: a notification of 247 bytes in one piece."""
_UNSUPPORTED = (
    hci.LeFeatureMask.LL_PRIVACY
    | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
)


class RadioController(Controller):
    """A Bluetooth chip.

    in_range:        False = it neither hears nor is heard
    refuse_connects: how many connections still fail to be established (as on a bad link: 0x3E)
    """

    le_acl_data_packet_length = ACL_BYTES
    supported_max_tx_octets = ACL_BYTES
    supported_max_rx_octets = ACL_BYTES
    suggested_max_tx_octets = ACL_BYTES
    le_features = Controller.le_features & ~_UNSUPPORTED

    def __init__(self, name: str, air: Air, public_address: str = "00:00:00:00:00:00") -> None:
        super().__init__(name, link=air, public_address=public_address)
        self.air = air
        self.in_range = True
        self.refuse_connects = 0

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Data takes the short way, past Bumble's formatting of log lines that nobody reads."""
        if isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        else:
            super().on_hci_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self.host is not None:
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    def on_le_connect_ind(self, packet: ll.ConnectInd) -> None:
        if not self.in_range:
            return
        advertiser = self.le_legacy_advertiser
        for_us = advertiser.enabled and advertiser.address == packet.advertiser_address
        if for_us and self.refuse_connects:
            self.refuse_connects -= 1
            reason = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
            self.link.send_ll_control_pdu(
                packet.advertiser_address, packet.initiator_address, ll.TerminateInd(reason)
            )
            return
        super().on_le_connect_ind(packet)

    def on_hci_le_create_connection_cancel_command(
        self, command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        pending = self.pending_le_connection is not None
        self.give_up_connecting()
        error = hci.HCI_ErrorCode
        return hci.HCI_StatusReturnParameters(error.SUCCESS if pending else error.COMMAND_DISALLOWED_ERROR)

    def power_off(self) -> None:
        """Connections break, scanning stops, an attempt to connect fails, nothing is heard."""
        self.in_range = self.le_scan_enable = False
        self.give_up_connecting()
        self.air.cut(self)

    def power_on(self) -> None:
        """It hears again; scanning has to be asked for again."""
        self.in_range = True

    def give_up_connecting(self) -> None:
        """An attempt to connect that is under way fails now."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )


class RadioHost(Host):
    """Bumble's host side of HCI, again with the short way for data."""

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        elif isinstance(packet, hci.HCI_Number_Of_Completed_Packets_Event):
            self.on_hci_number_of_completed_packets_event(packet)
        else:
            super().on_hci_packet(packet)


class Air(LocalLink):
    """What connects the chips of one process. Belongs to one asyncio loop."""

    controllers: set[Controller]

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        """To the other end of the connection, under the address that this connection was made with."""
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is not None and receiver is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(receiver.on_link_acl_data, connection.self_address, transport, data)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """To every chip in range."""
        if not _in_range(sender_controller):
            return
        loop = asyncio.get_running_loop()
        for controller in self.controllers:
            if controller is not sender_controller and _in_range(controller):
                loop.call_soon(controller.on_ll_advertising_pdu, packet)
        if isinstance(packet, ll.ConnectInd):
            loop.call_soon(loop.call_soon, self._check_established, sender_controller, packet)

    def _check_established(self, central: Controller, asked: ll.ConnectInd) -> None:
        """A pen that went away in that moment never heard of the connection."""
        connection = central.le_connections.get(asked.advertiser_address)
        pen = self.find_le_controller(asked.advertiser_address)
        if connection is not None and (pen is None or asked.initiator_address not in pen.le_connections):
            central.on_le_disconnected(
                connection, hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
            )

    def cut(self, controller: Controller) -> None:
        """All connections of this chip are lost; both ends notice (supervision timeout)."""
        reason = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
        for connection in list(controller.le_connections.values()):
            other = self.find_le_controller(connection.peer_address)
            far_end = other.le_connections.get(connection.self_address) if other is not None else None
            controller.on_le_disconnected(connection, reason)
            if other is not None and far_end is not None:
                other.on_le_disconnected(far_end, reason)


def _in_range(controller: Controller) -> bool:
    return not isinstance(controller, RadioController) or controller.in_range
