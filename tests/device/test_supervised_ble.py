"""A Bluetooth pen that comes and goes on the simulated radio: the same source, the same promises."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

pytest.importorskip("bumble", reason="the simulated radio is Bumble (extra `dev`)")

from firmware_protocol.descriptor import standard_descriptor
from firmware_protocol.framing import FrameType
from penapp.device.ble_errors import BluetoothDeniedError, MtuTooSmallError, PairingNeededError
from penapp.device.looked_after import ble_pen
from penapp.device.radio import Radio
from penapp.device.recording import hello_descriptor
from penapp.device.transport import LinkStage
from penapp.device.virtual_ble.client import RadioClient
from penapp.device.virtual_ble.faults import BleFaults
from penapp.device.virtual_ble.radio import SimulatedRadio
from penapp.device.virtual_ble.scanner import RadioScanner
from penapp.stream.assemble import StreamAssembler
from tests.device.toy_pens import ToyInk

LIMIT_S = 30.0
SPEED = 4.0


class OverTheAir:
    """A supervised pen on the air; `act(pen, radio)` happens after so many frames."""

    def __init__(self, act, *, frames=30, after=10, faults=None, named=True):
        self.frames = []
        self.named = named
        self.reports = []
        self.named = named
        asyncio.run(self._run(act, frames, after, faults))

    async def _run(self, act, frames, after, faults):
        async with asyncio.timeout(LIMIT_S), SimulatedRadio() as air:
            pen = await air.add_pen(ToyInk(endless=True), speed=SPEED, faults=faults)
            radio = Radio("the simulated radio", RadioScanner, RadioClient, {"radio": air.adapter})
            source = ble_pen(pen.address if self.named else "", radio=radio)
            source.follow(self.reports.append)
            try:
                await source.open()
                await source.start()
                async with aclosing(source.frames()) as batches:
                    async for batch in batches:
                        self.frames += [arrived.frame for arrived in batch]
                        if act is not None and len(self.frames) >= after:
                            act, acting = None, act
                            await acting(pen, air)
                        if act is None and len(self.frames) >= frames:
                            return
            finally:
                await source.stop()
                await source.close()

    @property
    def gap(self):
        """Samples missing between the frames before and behind the answer to HELLO."""
        assembler = StreamAssembler(standard_descriptor(100.0, boot_id=7, name="toy pen"))
        return sum(block.lost for frame in self.frames for block in assembler.push(frame))

    @property
    def hello(self):
        (frame,) = [f for f in self.frames if f.type is FrameType.RSP]
        return hello_descriptor(frame)


def test_a_lost_link_is_made_again_and_the_samples_of_meanwhile_are_counted():
    unseen = []

    async def lose(pen, _air):
        pen.lose_link()
        unseen.append(pen.write_unseen(123))

    air = OverTheAir(lose)
    assert unseen == [123]
    assert 123 <= air.gap < 123 + 200
    assert air.reports[-1].stage is LinkStage.STREAMING
    assert air.reports[-1].losses == 1


def test_the_only_pen_near_stays_the_sessions_pen_when_others_come():
    """A second pen near is no riddle for a session that has one already."""

    async def lose_and_be_two(pen, air):
        await air.add_pen(ToyInk(endless=True), speed=SPEED)
        pen.lose_link()

    air = OverTheAir(lose_and_be_two, named=False)
    assert air.reports[-1].stage is LinkStage.STREAMING
    assert not any("pens are near" in report.problem for report in air.reports)


def test_a_pen_that_started_again_says_so():
    async def reboot(pen, _air):
        pen.reboot(99)

    assert OverTheAir(reboot).hello.boot_id == 99


def test_bluetooth_switched_off_and_on_again():
    async def switch(_pen, air):
        air.power_off()
        asyncio.get_running_loop().call_later(0.6, air.power_on)

    air = OverTheAir(switch)
    assert air.hello.boot_id == 7
    assert any("off" in report.problem for report in air.reports)


def test_a_pen_found_without_an_address_is_found_again_beside_another_one():
    async def second_pen_comes(pen, air):
        await air.add_pen(ToyInk(endless=True))
        pen.lose_link()

    air = OverTheAir(second_pen_comes, named=False)
    assert air.reports[-1].losses == 1
    assert not any("pens are near" in report.problem for report in air.reports)


def test_bluetooth_switched_off_while_the_pen_is_looked_for_does_not_deafen_the_search():
    """The scan that ran then hears nothing any more, though Bluetooth is on and the pen back."""
    back_s, acting = [], []

    async def off_in_mid_scan(pen, air):
        pen.vanish()

        async def go_on():
            while not air.adapter.device.scanning:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            air.power_off()
            air.power_on()
            pen.come_back()
            back_s.append(asyncio.get_running_loop().time())

        acting.append(asyncio.ensure_future(go_on()))

    air = OverTheAir(off_in_mid_scan)
    assert acting[0].exception() is None
    assert air.reports[-1].stage is LinkStage.STREAMING
    assert air.reports[-1].since_s - back_s[0] <= 2.0


def test_refused_connects_after_a_loss_are_tried_again():
    async def refuse(pen, _air):
        pen.refuse_connects(2)
        pen.lose_link()

    assert OverTheAir(refuse).reports[-1].stage is LinkStage.STREAMING


@pytest.mark.parametrize(
    ("faults", "error"),
    [(BleFaults(max_mtu=23), MtuTooSmallError), (BleFaults(denied=True), PairingNeededError)],
)
def test_what_waiting_cannot_heal_is_refused_at_once(faults, error):
    with pytest.raises(error) as caught:
        OverTheAir(None, faults=faults)
    assert caught.value.lasting
    assert BluetoothDeniedError.lasting
