"""What a person is told when Bluetooth or the pen on it is not healthy: one class, one sentence, advice."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest

from tests.device.fake_bluez.daemon import missing

if missing():
    pytest.skip(missing(), allow_module_level=True)

from firmware_protocol import links
from firmware_protocol.messages import join_samples
from firmware_protocol.virtual_pen import Faults
from penapp.device import ble_diagnosis as diagnosis
from penapp.device import ble_errors as errors
from penapp.device.ble_connect import BleTiming
from penapp.device.ble_source import BleSource
from penapp.device.errors import CommandRefusedError, PenLostError, ProtocolVersionError, WrongDeviceError
from penapp.device.requests import LinkTiming
from penapp.errors import DeviceError
from tests.device.fake_bluez.daemon import ADDRESS_VARIABLE, DENIED, private_bus
from tests.device.fake_bluez.harness import forget_bleak, with_bluez
from tests.device.fake_bluez.pens import FakePen
from tests.device.toy_pens import ToyInk

IMPATIENT = BleTiming(scan_s=0.3, settle_s=0.05, connect_s=0.3, mtu_s=0.1, close_s=2.0)
ANSWERS = LinkTiming(answer_s=0.2, retries=1, silence_s=0.3)


@pytest.fixture(scope="module", autouse=True)
def _bus():
    with private_bus():
        yield


def source(pen=""):
    return BleSource(pen, ble_timing=IMPATIENT, timing=ANSWERS)


async def use(pen_source):
    """Open, start and read until it fails; closed whatever happens."""
    try:
        await pen_source.open()
        await pen_source.start()
        async for _ in pen_source.frames():
            pass
    finally:
        await pen_source.stop()
        await pen_source.close()


def refused(kind, pattern, *pens, address="", **around):
    """The error that `use` ends with; its advice is never empty."""
    with pytest.raises(kind, match=pattern) as caught:
        with_bluez(lambda _: use(source(address)), *pens, **around)
    assert type(caught.value) is kind
    assert caught.value.advice
    assert all(not pen.connected for pen in pens)
    return caught.value


def test_no_adapter():
    refused(errors.NoBluetoothError, "no adapter was found", FakePen(ToyInk()), adapter=False)


def test_an_adapter_that_is_off():
    error = refused(errors.BluetoothOffError, "switched off", FakePen(ToyInk()), powered=False)
    assert "Switch it on" in error.advice


def test_a_machine_where_no_bluez_runs():
    async def nobody():
        try:
            await use(source())
        finally:
            await forget_bleak()

    with pytest.raises(errors.NoBluetoothError, match=r"\(BlueZ\) is not running") as caught:
        asyncio.run(nobody())
    assert "cable" in caught.value.advice


def test_a_machine_without_a_message_bus(monkeypatch, tmp_path):
    monkeypatch.setenv(ADDRESS_VARIABLE, f"unix:path={tmp_path / 'none'}")
    with pytest.raises(errors.NoBluetoothError, match="no D-Bus system bus"):
        asyncio.run(use(source()))


def test_a_policy_that_lets_nobody_use_bluetooth():
    """The policy is the bus's own, as on a system where the user is not in the right group."""

    with private_bus(DENIED):
        error = refused(errors.BluetoothDeniedError, "does not let", FakePen(ToyInk()))
    assert "group `bluetooth`" in error.advice


def test_no_pen_near():
    refused(errors.PenNotFoundError, r"no pen was heard in 0\.3 s")


def test_the_pen_that_was_named_is_not_near():
    pen = FakePen(ToyInk())
    error = refused(errors.PenNotFoundError, "C0:FF:EE:00:00:77", pen, address="C0:FF:EE:00:00:77")
    assert "Switch the pen on" in error.advice


def test_several_pens_are_named_and_none_is_taken():
    pens = FakePen(ToyInk(), name="left"), FakePen(ToyInk(), "C0:FF:EE:00:00:02", name="right")
    error = refused(errors.SeveralPensError, r"2 pens are near: left .*right", *pens)
    assert "--pen ble:C0:FF:EE:00:00:0" in error.advice
    assert [pen.connects for pen in pens] == [0, 0]


def test_the_pen_service_wins_over_a_mere_uart():
    uart = FakePen(ToyInk(), "C0:FF:EE:00:00:02", name="modem")
    uart.speak_uart()
    pen = FakePen(ToyInk("a"))

    async def open_only(_):
        only = source()
        await only.open()
        await only.close()
        return only.name

    assert with_bluez(open_only, uart, pen) == "penapp (C0:FF:EE:00:00:01)"


def test_a_refused_connection_says_what_the_system_said():
    pen = FakePen(ToyInk())
    pen.refuse = ("Failed", "le-connection-refused")
    refused(errors.PenRefusedError, "le-connection-refused", pen)


def test_a_pen_that_never_takes_the_connection():
    pen = FakePen(ToyInk())
    pen.hang = True
    refused(errors.PenRefusedError, r"no answer within 0\.3 s", pen)


def test_slow_discovery_is_told_from_a_refused_connection():
    pen = FakePen(ToyInk())
    pen.resolve = asyncio.Event()
    refused(errors.SlowDiscoveryError, r"has not told its services within 0\.3 s", pen)


def test_a_pen_that_drops_the_connection_during_discovery():
    pen = FakePen(ToyInk())
    pen.resolve = asyncio.Event()
    pen.on_connect = pen.link_lost
    refused(errors.PenRefusedError, "disconnected", pen)


def test_a_thing_that_is_no_pen_is_named_with_what_it_offers():
    other = FakePen(ToyInk(), name="lamp")
    other.services = {links.BATTERY_SERVICE_UUID: {}}
    error = refused(errors.NotAPenError, r"lamp .* is no pen.*Battery", other, address=other.address)
    assert isinstance(error, WrongDeviceError)


def test_an_opening_that_fails_leaves_nothing_connected():
    other = FakePen(ToyInk())
    other.services = {links.BATTERY_SERVICE_UUID: {}}

    async def open_only(_):
        with pytest.raises(errors.NotAPenError):
            await source(other.address).open()
        assert not other.connected

    with_bluez(open_only, other)
    assert other.connects == 1


def test_a_pen_service_without_its_characteristics_is_no_pen():
    other = FakePen(ToyInk())
    del other.services[links.SERVICE_UUID][links.CONTROL_UUID]
    refused(errors.NotAPenError, "is no pen", other)


def test_a_pen_that_wants_pairing():
    pen = FakePen(ToyInk())
    pen.locked = True
    error = refused(errors.PairingNeededError, "paired computers alone", pen)
    assert "Bluetooth settings" in error.advice


def test_insufficient_authentication_is_the_same_message():
    pen = FakePen(ToyInk())
    pen.answer = ("Failed", "Operation failed with ATT error: 0x05")
    refused(errors.PairingNeededError, "paired computers alone", pen)


def test_a_pen_that_answers_with_an_error_is_not_called_gone():
    pen = FakePen(ToyInk())
    pen.answer = ("Failed", "Operation failed with ATT error: 0x0e")
    refused(errors.BluetoothError, "answered with an error: .*Unlikely Error", pen)


def test_a_pen_that_went_before_the_system_says_so_is_called_gone():
    pen = FakePen(ToyInk())
    pen.answer = ("Failed", "Not connected")
    refused(PenLostError, "is gone", pen)


def test_failed_pairing_while_connecting_is_the_same_message():
    pen = FakePen(ToyInk())
    pen.refuse = ("AuthenticationFailed", "Authentication Failed")
    refused(errors.PairingNeededError, "paired computers alone", pen)


def test_an_mtu_of_23_names_what_was_found_and_what_is_needed():
    refused(
        errors.MtuTooSmallError,
        r"MTU of 23 bytes, one sample of this pen needs 49",
        FakePen(ToyInk(), mtu=23),
    )


def test_an_mtu_that_the_system_does_not_tell_is_refused_by_the_pen():
    pen = FakePen(ToyInk(), mtu=23)
    pen.tell_mtu = False
    error = refused(CommandRefusedError, "MTU_TOO_SMALL", pen)
    assert "larger MTU" in error.advice


def test_another_version_of_the_descriptor():
    pen = FakePen(ToyInk())
    pen.describe = lambda raw: raw[:4] + b"\x02" + raw[5:]
    refused(ProtocolVersionError, "in version 2, this build reads 1", pen)


def test_another_version_of_the_frames():
    pen = FakePen(ToyInk(), faults=Faults(version=2))
    refused(ProtocolVersionError, "version 2, this build speaks 1", pen)


def test_a_descriptor_of_rubbish():
    pen = FakePen(ToyInk())
    pen.describe = lambda _: b"hello"
    refused(WrongDeviceError, "describes itself in a way we cannot read", pen)


def test_without_the_descriptor_characteristic_the_pen_is_asked_with_hello():
    pen = FakePen(ToyInk("a"), mtu=517)
    del pen.services[links.SERVICE_UUID][links.DESCRIPTOR_UUID]

    async def open_only(_):
        only = source()
        descriptor = await only.open()
        await only.close()
        return descriptor

    assert with_bluez(open_only, pen) == pen.ink.descriptor


def test_a_descriptor_that_fits_nowhere_is_said():
    pen = FakePen(ToyInk())
    del pen.services[links.SERVICE_UUID][links.DESCRIPTOR_UUID]
    refused(WrongDeviceError, "without its descriptor", pen)


def breaks(pen, how, *, kind=PenLostError):
    """Read until the link breaks in `how` after 120 samples; what came before was delivered whole."""
    got = []

    async def read(bluez):
        pen.at[120] = lambda: keep(asyncio.get_running_loop().create_task(how(bluez)))
        pen_source = source(pen.address)
        try:
            await pen_source.open()
            await pen_source.start()
            async for batch in pen_source.frames():
                got.extend(a.frame for a in batch)
        finally:
            await pen_source.stop()
            await pen_source.close()

    tasks = set()

    def keep(task):
        tasks.add(task)

    with pytest.raises(kind) as caught:
        with_bluez(read, pen)
    assert sum(f.n for f in got) >= 56
    np.testing.assert_array_equal(join_samples(got, 13), pen.ink.counts[: sum(f.n for f in got)])
    return caught.value


def test_a_pen_out_of_reach_in_mid_word_is_lost_and_what_came_before_was_delivered():
    error = breaks(pen := FakePen(ToyInk("abcd"), speed=8.0), lambda _: pen.link_lost())
    assert "recorded so far is kept" in error.advice


def test_a_pen_that_vanishes_from_the_system_is_lost():
    pen = FakePen(ToyInk("abcd"), speed=8.0)
    breaks(pen, lambda bluez: bluez.vanish(pen))


def test_bluetooth_switched_off_in_mid_word_is_a_loss_and_then_said():
    pen = FakePen(ToyInk("abcd"), speed=8.0)
    breaks(pen, lambda bluez: bluez.power(on=False))
    refused(errors.BluetoothOffError, "switched off", pen, powered=False)


def test_a_pulled_adapter_can_be_left_at_once():
    """BlueZ tells nothing of the pens on it: the stream falls silent. close() must not wait for ever."""
    pen = FakePen(ToyInk("abcd", endless=True), speed=8.0)

    async def pull(bluez):
        pen_source = source(pen.address)
        await pen_source.open()
        await pen_source.start()
        bluez.remove("/org/bluez/hci0")
        async with asyncio.timeout(5.0):
            await pen_source.stop()
            await pen_source.close()
        with pytest.raises(errors.NoBluetoothError):
            await use(source(pen.address))

    with_bluez(pull, pen)


def test_a_pen_that_returns_can_be_read_again():
    pen = FakePen(ToyInk("abcdefgh", endless=True), speed=8.0)
    breaks(pen, lambda _: pen.link_lost())

    async def again(_):
        pen_source = source(pen.address)
        await pen_source.open()
        await pen_source.start()
        batch = await anext(pen_source.frames())
        await pen_source.stop()
        await pen_source.close()
        return batch[0].frame.index

    assert with_bluez(again, pen) >= 120


@pytest.mark.parametrize("moment", ["scanning", "connecting", "discovering"])
@pytest.mark.parametrize("how", ["cancel", "close"])
def test_closing_at_any_moment_of_the_opening_leaves_nothing_connected(moment, how):
    pen = FakePen(ToyInk())
    pen.hang = moment == "connecting"
    pen.resolve = asyncio.Event() if moment == "discovering" else None
    address = "C0:FF:EE:00:00:77" if moment == "scanning" else pen.address
    stages = asyncio.Queue()

    async def impatient(bluez):
        patient = BleTiming(scan_s=60.0, connect_s=60.0)
        pen_source = BleSource(address, ble_timing=patient, on_stage=stages.put_nowait)
        await pen_source.close()
        opening = asyncio.ensure_future(pen_source.open())
        while (await stages.get()).value != ("scanning" if moment == "scanning" else "connecting"):
            pass
        if moment != "scanning":
            await pen.asked.wait()
        if how == "cancel":
            opening.cancel()
        await pen_source.close()
        await pen_source.close()
        with pytest.raises(asyncio.CancelledError if how == "cancel" else DeviceError):
            await opening
        assert not pen.connected
        assert not bluez.scanning

    with_bluez(impatient, pen)


def test_bluetooth_of_this_machine_as_it_is():
    """Whatever this machine has: a listing or one clear message, never a traceback."""
    kept = os.environ.pop(ADDRESS_VARIABLE)

    async def look():
        try:
            await use(source("C0:FF:EE:00:00:77"))
        finally:
            await forget_bleak()

    try:
        with pytest.raises(errors.BluetoothError) as caught:
            asyncio.run(look())
        assert caught.value.advice
    finally:
        os.environ[ADDRESS_VARIABLE] = kept


PLACE = "…"
SAID = (
    diagnosis.absent(PLACE),
    diagnosis.denied(),
    diagnosis.not_found("a pen with the address …"),
    diagnosis.refused(PLACE, PLACE),
    diagnosis.slow_discovery(PLACE, 20),
    diagnosis.pairing_needed(PLACE),
    diagnosis.not_a_pen(PLACE, [PLACE]),
    diagnosis.mtu_too_small(PLACE, 23, 49),
    diagnosis.lost(PLACE),
)


@pytest.mark.parametrize("error", SAID, ids=lambda error: type(error).__name__)
def test_the_page_for_users_explains_every_message(error):
    page = (Path(__file__).parents[2] / "docs" / "bluetooth.md").read_text(encoding="utf-8")
    for piece in error.args[0].split(PLACE):
        assert piece.strip(" .:;,").partition(":")[0] in page
