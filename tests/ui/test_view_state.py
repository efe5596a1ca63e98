"""What the window says, case by case."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from penapp.live_gaps import Gap, GapCause, GapTally
from penapp.live_types import LinkState, LiveStatus, Search
from penapp.ui import readings
from penapp.ui import view_state as view
from penapp.ui.diagnostics import report
from penapp.ui.tone import Tone
from penapp.ui.view_state import Phase, PortChoice, SourceChoice, SourceKind

LIVE = LiveStatus(
    link=LinkState.STREAMING, pen_name="pen 7", rate_hz=99.9, nominal_hz=100.0, samples=990, force_n=1.5
)

LOST = replace(
    LIVE,
    link=LinkState.LOST,
    message="there is no pen at COM9.",
    advice="Plug it in.",
    search=Search(attempt=4, out_s=3.4, next_try_s=0.6),
)
GAP = Gap(GapCause.LINK, 312, 3.12, 0.0, 990)
RESTART = Gap(GapCause.RESTART, None, 4.61, 0.1, 990)


@pytest.mark.parametrize(
    ("phase", "status", "button", "text", "tone"),
    [
        (Phase.IDLE, None, "Connect", "Not connected", Tone.NEUTRAL),
        (Phase.CONNECTING, None, "Cancel", "Connecting …", Tone.WARN),
        (Phase.CONNECTED, replace(LIVE, link=LinkState.OPENING), "Disconnect", "Opening pen 7 …", Tone.WARN),
        (Phase.CONNECTED, LIVE, "Disconnect", "Connected · pen 7", Tone.GOOD),
        (Phase.CONNECTED, replace(LIVE, link=LinkState.FAILED), "Disconnect", "Lost · pen 7", Tone.BAD),
        (Phase.CONNECTED, replace(LIVE, samples=0), "Disconnect", "Waiting for samples · pen 7", Tone.WARN),
        (Phase.CONNECTED, replace(LIVE, silent_s=3.4), "Disconnect", "No samples for 3 s · pen 7", Tone.WARN),
        (Phase.CONNECTED, LOST, "Disconnect", "Pen lost 3 s ago, looking for it (try 4)", Tone.BAD),
        (
            Phase.CONNECTED,
            replace(LOST, link=LinkState.DISCOVERING),
            "Disconnect",
            "Pen lost 3 s ago, found, waiting for its answer (try 4)",
            Tone.BAD,
        ),
        (
            Phase.CONNECTED,
            replace(LOST, search=Search(attempt=12)),
            "Disconnect",
            "Pen not found yet, looking for it (try 12)",
            Tone.WARN,
        ),
        (Phase.DISCONNECTING, LIVE, "Disconnecting …", "Disconnecting …", Tone.WARN),
        (Phase.IDLE, replace(LIVE, link=LinkState.FAILED), "Connect", "Lost · pen 7", Tone.BAD),
        (Phase.IDLE, replace(LIVE, link=LinkState.FAILED, samples=0), "Connect", "No link · pen 7", Tone.BAD),
        (Phase.IDLE, replace(LIVE, link=LinkState.ENDED), "Connect", "The recording has ended", Tone.NEUTRAL),
        (Phase.IDLE, LIVE, "Connect", "Not connected", Tone.NEUTRAL),
    ],
)
def test_link_line_tells_the_truth(phase, status, button, text, tone):
    shown = view.link_view(phase, status)
    assert (shown.button, shown.text, shown.tone) == (button, text, tone)
    assert shown.choice_enabled == (phase is Phase.IDLE)


@pytest.mark.parametrize(
    ("percent", "tone"),
    [
        (0.0, Tone.GOOD),
        (0.49, Tone.GOOD),
        (0.5, Tone.WARN),
        (4.99, Tone.WARN),
        (5.0, Tone.BAD),
        (60.0, Tone.BAD),
    ],
)
def test_loss_colour(percent, tone):
    assert readings.loss_tone(percent) is tone


def test_loss_names_lost_and_taken_samples():
    reading = readings.loss_reading(replace(LIVE, lost=10, loss_percent=1.0))
    assert (reading.text, reading.detail) == ("1.00 %", "10 of 1,000")


@pytest.mark.parametrize(("rate", "tone"), [(100.0, Tone.NEUTRAL), (96.0, Tone.NEUTRAL), (90.0, Tone.WARN)])
def test_rate_stands_beside_the_nominal_one(rate, tone):
    reading = readings.rate_reading(replace(LIVE, rate_hz=rate))
    assert (reading.detail, reading.tone) == ("of 100 Hz", tone)


@pytest.mark.parametrize("status", [None, LOST, replace(LIVE, samples=0), replace(LIVE, silent_s=1.2)])
def test_nothing_is_claimed_about_a_pen_that_sends_nothing(status):
    assert readings.contact_reading(status).text == "–"
    assert readings.force_reading(status).text == "–"
    assert readings.force_share(status) == 0.0
    assert readings.strips_summary(status) == "No samples are arriving"


@pytest.mark.parametrize(
    ("force_n", "text", "share"), [(1.5, "1.5 N", 0.375), (-0.2, "0.0 N", 0.0), (9.0, "9.0 N", 1.0)]
)
def test_force(force_n, text, share):
    status = replace(LIVE, force_n=force_n)
    assert readings.force_reading(status).text == text
    assert readings.force_share(status) == pytest.approx(share)


def test_contact_says_down_or_up():
    assert readings.contact_reading(LIVE).text == "Up"
    assert readings.contact_reading(replace(LIVE, contact=True)).text == "Down"


def test_nothing_is_said_of_damage_before_anything_came():
    assert readings.damage_reading(LiveStatus(LinkState.FAILED)).text == "–"


def test_damage_is_a_warning():
    assert readings.damage_reading(LIVE).tone is Tone.NEUTRAL
    assert readings.damage_reading(replace(LIVE, damaged_frames=3)).tone is Tone.WARN


def test_ports_are_found_behind_their_label_and_free_text_is_kept():
    ports = (PortChoice("/dev/ttyACM0", "Pen board"), PortChoice("COM3", "n/a"))
    assert [port.label for port in ports] == ["/dev/ttyACM0  ·  Pen board", "COM3"]
    assert view.port_from_field("/dev/ttyACM0  ·  Pen board", ports) == "/dev/ttyACM0"
    assert view.port_from_field(" socket://pen:9000 ", ports) == "socket://pen:9000"


def test_what_keeps_a_choice_from_being_connected(tmp_path: Path):
    recording = tmp_path / "a.pen"
    recording.touch()
    assert not view.source_problem(SourceChoice(SourceKind.DEMO))
    assert not view.source_problem(SourceChoice(SourceKind.SERIAL, "COM3"))
    assert not view.source_problem(SourceChoice(SourceKind.REPLAY, str(recording)))
    assert "port" in view.source_problem(SourceChoice(SourceKind.SERIAL))
    assert "recording" in view.source_problem(SourceChoice(SourceKind.REPLAY))
    assert "b.pen" in view.source_problem(SourceChoice(SourceKind.REPLAY, str(tmp_path / "b.pen")))


def test_hint_names_the_next_step():
    demo = SourceChoice(SourceKind.DEMO)
    assert "Press Connect" in view.hint(Phase.IDLE, demo, 0).message
    assert "virtual pen is writing" in view.hint(Phase.CONNECTED, demo, 0).message
    assert "Click a word" in view.hint(Phase.CONNECTED, demo, 2).message


def test_complaint_of_a_running_session_is_shown_with_its_advice():
    silent = replace(LIVE, message="The pen sends nothing.", advice="Wake it up.")
    shown = view.trouble(Phase.CONNECTED, silent)
    assert shown is not None
    assert (shown.message, shown.advice, shown.tone) == ("The pen sends nothing.", "Wake it up.", Tone.WARN)
    assert view.trouble(Phase.IDLE, silent) is None
    assert view.trouble(Phase.CONNECTED, LIVE) is None


def test_a_lost_pen_is_said_with_what_was_found_and_what_to_do():
    shown = view.trouble(Phase.CONNECTED, LOST)
    assert shown is not None
    assert (shown.message, shown.advice, shown.tone) == (
        "Pen lost 3 s ago, looking for it (try 4): there is no pen at COM9.",
        "Plug it in.",
        Tone.WARN,
    )


def test_strips_that_stand_still_say_so():
    assert readings.strips_note(replace(LOST, silent_s=3.4)) == "no samples for 3 s"
    assert readings.strips_note(LIVE) == readings.strips_note(None) == ""
    assert readings.strips_note(replace(LIVE, link=LinkState.CLOSED)) == ""


@pytest.mark.parametrize("link", LinkState)
@pytest.mark.parametrize("silent_s", [0.0, 5.0])
def test_nothing_is_green_unless_samples_arrive(link, silent_s):
    for samples in (0, 990):
        status = replace(LIVE, link=link, silent_s=silent_s, samples=samples)
        green = view.link_view(Phase.CONNECTED, status).tone is Tone.GOOD
        assert green == (readings.loss_reading(status).tone is Tone.GOOD)
        assert green == (link is LinkState.STREAMING and silent_s == 0.0 and samples > 0)


@pytest.mark.parametrize(
    ("gap", "detail", "tip"),
    [
        (GAP, "last 3.1 s", "Lost once; last: 312 samples (3.1 s) missing"),
        (RESTART, "last 4.6 s", "Lost once; last: the pen was started again, 4.6 s ± 0.1 s missing"),
        (replace(RESTART, duration_s=None), "restarted", "Lost once; last: the pen was started again"),
    ],
)
def test_recovered_gaps_are_listed(gap, detail, tip):
    status = replace(LIVE, gaps=GapTally().with_gap(gap))
    reading = readings.gap_reading(status)
    assert (reading.text, reading.detail, reading.tone) == ("1", detail, Tone.WARN)
    assert readings.gap_tip(status) == tip


@pytest.mark.parametrize(
    ("skew_ppm", "uncertainty_s", "sentence"),
    [
        (0.0, math.inf, ""),
        (34.6, 0.0012, "The pen's clock runs 35 ppm slow; its time is known to ± 1.2 ms"),
        (-20.0, 0.0005, "The pen's clock runs 20 ppm fast; its time is known to ± 0.5 ms"),
        (0.2, 0.0005, "The pen's clock keeps pace with this computer's; its time is known to ± 0.5 ms"),
    ],
)
def test_the_pens_clock_is_said_in_one_line(skew_ppm, uncertainty_s, sentence):
    status = replace(LIVE, skew_ppm=skew_ppm, clock_uncertainty_s=uncertainty_s)
    assert readings.clock_sentence(status) == sentence
    assert (sentence or "not known yet") in report(Phase.CONNECTED, SourceChoice(), status)


def test_frames_lost_on_the_way_are_no_lost_link():
    status = replace(LIVE, gaps=GapTally().with_gap(Gap(GapCause.SAMPLES, 8, 0.08, 0.0, 100)))
    assert readings.gap_reading(status).text == "0"
    assert status.gaps.lost == 8


@pytest.mark.parametrize(
    ("link", "over"),
    [
        (LinkState.LOST, False),
        (LinkState.SCANNING, False),
        (LinkState.FAILED, True),
        (LinkState.ENDED, True),
        (LinkState.CLOSED, True),
    ],
)
def test_a_lost_pen_does_not_end_the_session(link, over):
    assert view.link_over(replace(LIVE, link=link)) is over


@pytest.mark.parametrize(
    ("phase", "kind", "writable"),
    [
        (Phase.CONNECTED, SourceKind.PAD, True),
        (Phase.CONNECTED, SourceKind.DEMO, False),
        (Phase.CONNECTING, SourceKind.PAD, False),
        (Phase.IDLE, SourceKind.PAD, False),
    ],
)
def test_the_pad_writes_only_while_it_is_the_pen(phase, kind, writable):
    assert view.pad_writable(phase, kind) is writable
    assert view.pad_notice(phase, kind)
