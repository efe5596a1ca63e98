"""A source that looks after its link, on a clock that is a number: every fault, every pause, every report."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from firmware_protocol.framing import FrameType
from penapp.device.errors import (
    AnotherPenError,
    PenChangedError,
    PenLostError,
    PenSilentError,
    PortAbsentError,
    PortBusyError,
    PortPermissionError,
    ProtocolVersionError,
)
from penapp.device.patience import Patience
from penapp.device.recording import hello_descriptor
from penapp.device.supervise import SupervisedSource
from penapp.device.transport import LinkStage
from tests.device.scripted_links import OTHER_PEN, PEN, Links, ScriptedLink, batch
from tests.device.virtual_time import run_virtual

GONE = PenLostError("the pen is gone.", advice="Connect again.")
ABSENT = PortAbsentError("there is no pen.", advice="Plug it in.")
DENIED = PortPermissionError("you may not.", advice="Ask.")
FOREVER = [batch(), 3600.0]
END = ScriptedLink.END


class Watched:
    """A supervised source in use: what it yielded and reported, and when."""

    def __init__(self, links, **options):
        self.links = links
        self.source = SupervisedSource(links, name="COM9", **options)
        self.reports = []
        self.frames = []
        self.times_s = []
        self.source.follow(self.reports.append)

    async def use(self, batches=None):
        """Open, start and read, up to a number of batches."""
        try:
            await self.source.open()
            await self.source.start()
            async with aclosing(self.source.frames()) as stream:
                async for got in stream:
                    self.times_s.append(asyncio.get_running_loop().time())
                    self.frames.append(got)
                    if len(self.frames) == batches:
                        return
        finally:
            await self.source.stop()
            await self.source.close()

    @property
    def kinds(self):
        return [arrived[0].frame.type for arrived in self.frames]

    @property
    def stages(self):
        return [report.stage for report in self.reports]


def use(links, batches=None, **options):
    watched = Watched(links, **options)

    async def main(_loop):
        await watched.use(batches)

    run_virtual(main)
    return watched


def failure(links, kind, batches=None, **options):
    watched = Watched(links, **options)

    async def main(_loop):
        await watched.use(batches)

    with pytest.raises(kind) as caught:
        run_virtual(main)
    watched.error = caught.value
    return watched


def test_a_healthy_link_passes_through_and_ends_with_its_source():
    seen = use(Links([batch(0), batch(1), END]))
    assert [frames[0].frame.index for frames in seen.frames] == [0, 1]
    assert seen.stages == [
        LinkStage.SCANNING,
        LinkStage.CONNECTING,
        LinkStage.DISCOVERING,
        LinkStage.STREAMING,
    ]
    assert (seen.links.made[0].stopped, seen.links.made[0].closed) == (1, 1)


def test_the_source_is_called_as_its_link_is_and_keeps_the_name_while_there_is_none():
    seen = use(Links([batch(), GONE], ABSENT, [batch(), END]))
    assert seen.source.name == "toy"
    assert SupervisedSource(Links([]), name="COM9").name == "COM9"


def test_streaming_is_said_only_when_samples_come():
    seen = use(Links([1.0, batch(), END]))
    (streaming,) = [r for r in seen.reports if r.stage is LinkStage.STREAMING]
    assert streaming.since_s == pytest.approx(1.01)


def test_after_a_loss_the_answer_to_hello_comes_before_new_samples():
    seen = use(Links([batch(0), GONE], [batch(50), END]))
    assert seen.kinds == [FrameType.DATA, FrameType.RSP, FrameType.DATA]
    assert hello_descriptor(seen.frames[1][0].frame) == PEN
    assert [link.closed for link in seen.links.made] == [1, 1]
    assert seen.reports[-1].losses == 1
    assert seen.reports[-1].out_s is None


def test_pauses_double_up_to_the_longest_and_the_reports_say_when_the_next_try_is():
    seen = use(Links([batch(), GONE], *[ABSENT] * 5, [batch(), END]))
    pauses = [b - a - 0.01 for a, b in zip(seen.links.times_s, seen.links.times_s[1:], strict=False)]
    assert pauses == pytest.approx([0.25, 0.5, 1.0, 1.0, 1.0, 1.0])
    waits = [r for r in seen.reports if r.stage is LinkStage.LOST]
    assert [r.attempt for r in waits] == [0, 1, 2, 3, 4, 5]
    assert [r.next_s - r.since_s for r in waits] == pytest.approx(pauses)
    assert {r.out_s for r in waits} == {waits[0].out_s}
    assert [r.problem for r in waits] == [GONE.args[0]] + 5 * [ABSENT.args[0]]
    assert "goes on by itself" in waits[0].advice


def test_what_an_attempt_found_is_not_said_any_more_when_the_next_one_finds_the_pen():
    seen = use(Links([batch(), GONE], ABSENT, [1.0, batch(), END]))
    (*_, found) = [r for r in seen.reports if r.stage is LinkStage.DISCOVERING]
    assert (found.attempt, found.problem, found.advice) == (2, "", "")


def test_pauses_begin_anew_after_samples_have_come():
    seen = use(Links([batch(), GONE], ABSENT, ABSENT, [batch(), GONE], [batch(), END]))
    times_s = seen.links.times_s
    assert times_s[4] - times_s[3] == pytest.approx(0.26)
    assert seen.reports[-1].losses == 2


def test_whenever_the_pen_comes_back_it_streams_within_two_seconds():
    """The pen is there again at any moment of the search: the next attempt comes soon enough."""
    for tenths in range(100):
        back_s = 0.1 * tenths

        class Returning(Links):
            def __call__(self, on_stage, back_s=back_s):
                link = super().__call__(on_stage)
                if len(self.made) > 1:
                    link._script = FOREVER if self.times_s[-1] >= back_s else ABSENT
                return link

        seen = use(Returning([batch(), GONE]), batches=3)
        assert seen.times_s[-1] - max(back_s, seen.times_s[0]) < 1.1


def test_silence_is_a_loss_and_the_first_try_comes_at_once():
    seen = use(Links([batch(), 3600.0], [batch(), END]))
    (loss,) = [r for r in seen.reports if r.stage is LinkStage.LOST]
    assert "has sent no samples for 1.5 s" in loss.problem
    assert loss.since_s == pytest.approx(1.51, abs=0.2)
    assert seen.links.times_s[1] - loss.since_s == pytest.approx(0.0)


def test_a_pen_that_answers_and_stays_silent_is_tried_again_with_pauses_and_never_called_streaming():
    seen = use(Links([batch(), GONE], [3600.0], [3600.0], [batch(), END]))
    assert seen.stages.count(LinkStage.STREAMING) == 2
    assert [r.attempt for r in seen.reports if r.stage is LinkStage.LOST] == [0, 1, 2]
    assert seen.reports[-1].losses == 1


def test_silence_may_be_no_fault():
    seen = use(Links([batch(), 3600.0, batch(), END]), patience=Patience(silence_s=None))
    assert (len(seen.frames), len(seen.links.made)) == (2, 1)


def test_a_host_that_stood_still_for_two_seconds_has_lost_nothing():
    """What came meanwhile is read a moment later: no loss is told, no attempt is made."""
    links = Links([batch(0), 2.2, batch(1), 0.1, batch(2), 30.2, batch(3), END])
    seen = Watched(links)

    async def main(loop):
        loop.call_at(0.05, loop.jump, 2.0)
        loop.call_at(2.4, loop.jump, 30.0)
        await seen.use()

    run_virtual(main)
    assert [frames[0].frame.index for frames in seen.frames] == [0, 1, 2, 3]
    assert LinkStage.LOST not in seen.stages
    assert len(links.made) == 1


@pytest.mark.parametrize("error", [ABSENT, DENIED, PenSilentError("nothing answers.")])
def test_the_first_connect_fails_with_the_one_clear_error(error):
    seen = failure(Links(error), type(error))
    assert seen.error is error
    assert (len(seen.links.made), seen.links.made[0].closed) == (1, 1)


def test_a_pen_that_never_sends_a_sample_is_refused_like_one_that_does_not_answer():
    failure(Links([3600.0]), PenSilentError)


def test_with_wait_the_pen_may_come_later():
    seen = use(Links(ABSENT, ABSENT, [batch(), END]), wait=True)
    assert seen.kinds == [FrameType.DATA]
    attempts = [r for r in seen.reports if r.stage is LinkStage.SCANNING]
    assert [r.attempt for r in attempts] == [1, 2, 3]
    assert {r.out_s for r in seen.reports} == {None}


def test_with_wait_a_pen_that_goes_before_it_streams_is_waited_for():
    links = Links([], [batch(), END])

    class NoStart(Links):
        def __call__(self, on_stage):
            link = links(on_stage)
            if len(links.made) == 1:
                link._start_fails = GONE
            return link

    seen = use(NoStart(), wait=True)
    assert seen.kinds == [FrameType.RSP, FrameType.DATA]


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("error", [DENIED, ProtocolVersionError("version 2.")])
def test_what_waiting_cannot_heal_is_refused_at_once(error, wait):
    seen = failure(Links(error), type(error), wait=wait)
    assert len(seen.links.made) == 1


def test_a_refusal_after_a_loss_is_believed_when_it_has_lasted_a_second():
    seen = failure(Links([batch(), GONE], DENIED), PortPermissionError)
    first_s, last_s = seen.links.times_s[1], seen.links.times_s[-1]
    assert 1.0 <= last_s - first_s < 2.0
    assert seen.links.made[-1].closed == 1


def test_a_port_that_belongs_to_nobody_for_a_moment_after_it_was_plugged_in_is_no_refusal():
    seen = use(Links([batch(), GONE], DENIED, DENIED, [batch(), END]))
    assert seen.kinds[-1] is FrameType.DATA


def test_another_pen_at_the_same_address_is_named_and_the_right_one_waited_for():
    links = Links([batch(), GONE], FOREVER, FOREVER, [batch(), END], descriptors={1: OTHER_PEN, 2: OTHER_PEN})
    seen = use(links)
    assert seen.kinds == [FrameType.DATA, FrameType.RSP, FrameType.DATA]
    said = [r for r in seen.reports if "another pen" in r.problem and r.stage is LinkStage.LOST]
    assert len(said) == 2
    assert "blue pen" in said[0].problem
    assert "toy pen" in said[0].problem
    assert AnotherPenError.lasting is False


def test_the_same_pen_with_another_rate_ends_the_session():
    changed = PEN.with_rate(0, 200.0)
    links = Links([batch(), GONE], FOREVER, descriptors=dict.fromkeys(range(1, 9), changed))
    seen = failure(links, PenChangedError)
    assert "200 Hz instead of 100 Hz" in seen.error.args[0]


def test_a_pen_that_started_again_is_told_by_its_new_boot_id():
    reborn = replace(PEN, boot_id=8)
    seen = use(Links([batch(), GONE], [batch(), END], descriptors={1: reborn}))
    assert hello_descriptor(seen.frames[1][0].frame).boot_id == 8


def test_a_busy_port_after_a_loss_is_waited_for():
    seen = use(Links([batch(), GONE], PortBusyError("in use."), [batch(), END]))
    assert len(seen.links.made) == 3


def test_an_error_of_the_operating_system_is_a_loss_like_any_other():
    seen = use(Links([batch(), OSError(5, "Input/output error")], [batch(), END]))
    assert seen.kinds[-1] is FrameType.DATA
    assert "Input/output error" in next(r for r in seen.reports if r.stage is LinkStage.LOST).problem


def test_an_attempt_that_fails_as_nobody_thought_of_is_said_logged_once_and_made_again(caplog):
    strange = ZeroDivisionError("nought")
    seen = use(Links([batch(), GONE], strange, strange, [batch(), END]))
    assert seen.kinds[-1] is FrameType.DATA
    said = [r.problem for r in seen.reports if r.stage is LinkStage.LOST]
    assert said[1:] == 2 * ["unexpected error: ZeroDivisionError: nought."]
    assert len([r for r in caplog.records if r.exc_info]) == 1


def test_a_fault_of_ours_is_never_retried_otherwise():
    failure(Links(ZeroDivisionError("nought")), ZeroDivisionError)
    failure(Links([batch(), ZeroDivisionError("nought")]), ZeroDivisionError)


def test_a_link_that_does_not_close_is_left_alone():
    class Stuck(Links):
        def __call__(self, on_stage):
            link = super().__call__(on_stage)

            async def close():
                await asyncio.sleep(3600.0)

            if len(self.made) == 1:
                link.close = close
            return link

    seen = use(Stuck([batch(), GONE], [batch(), END]))
    assert seen.kinds[-1] is FrameType.DATA
    assert seen.times_s[-1] == pytest.approx(0.01 + 3.0 + 0.25 + 0.01)


@pytest.mark.parametrize("when_s", [0.0, 0.005, 0.1, 1.0, 1.3, 2.0])
def test_stopping_at_any_moment_leaves_no_link_open(when_s):
    links = Links([batch(), 1.0, GONE], ABSENT, FOREVER)
    seen = Watched(links)

    async def main(_loop):
        task = asyncio.ensure_future(seen.use())
        await asyncio.sleep(when_s)
        task.cancel()
        await asyncio.wait([task])

    run_virtual(main)
    assert all(link.closed for link in links.made)


def test_counters_are_of_all_links():
    seen = use(Links([batch(), GONE], [batch(), GONE], [batch(), END]))
    assert seen.source.counters.frames == 3


def test_a_link_that_is_being_taken_down_is_given_back_even_if_the_user_stops_meanwhile():
    """A silent pen is still connected: half a disconnect would leave it so."""

    class Slow(ScriptedLink):
        async def close(self):
            await asyncio.sleep(0.5)
            await super().close()

    async def main(loop):
        made = []

        def link(on_stage):
            made.append(Slow([batch(), 3600.0], PEN, on_stage))
            return made[-1]

        source = SupervisedSource(link, name="COM9", patience=Patience(silence_s=1.0))
        await source.open()
        await source.start()

        async def read():
            async for _ in source.frames():
                pass

        reading = loop.create_task(read())
        await asyncio.sleep(1.3)
        assert made[0].closed == 0
        reading.cancel()
        await asyncio.wait([reading])
        await source.stop()
        await source.close()
        assert (len(made), made[0].closed) == (1, 1)

    run_virtual(main)
