"""What the terminal says of a link that is lost and comes back: line, notes, JSON, summary."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from penapp.cli.views import JsonView, PlainView
from penapp.cli.words import gap_note, link_note, status_line, summary
from penapp.decode.types import Hypothesis, TextState
from penapp.link_words import gap_sentence, search_sentence, span
from penapp.live_gaps import Gap, GapCause, GapTally
from penapp.live_types import GapSeen, LinkChanged, LinkState, LiveStatus, Search, TextCommitted

GAP = Gap(GapCause.LINK, 1312, 13.12, 0.0, 990)
RESTART = Gap(GapCause.RESTART, None, 4.61, 0.1, 990)
LIVE = LiveStatus(LinkState.STREAMING, "pen", 99.6, 100.0, 1000, 50, 4.8)
LOST = LiveStatus(
    LinkState.LOST,
    "pen",
    samples=1000,
    recorded_bytes=12_000,
    message="there is no pen at COM9.",
    advice="Plug it in.",
    search=Search(attempt=4, out_s=3.4, next_try_s=0.6, losses=1),
)


def committed(word):
    return TextCommitted(Hypothesis(word, (), (), 1.0, TextState.COMMITTED), 0)


def test_the_line_says_since_when_the_pen_is_lost_and_what_was_found():
    assert status_line(LOST) == (
        "Pen lost 3 s ago, looking for it (try 4) · there is no pen at COM9 · 12 kB recorded"
    )


def test_the_line_never_says_live_while_nothing_comes():
    assert status_line(LIVE).startswith("live · pen · 100 of 100 Hz")
    assert status_line(replace(LIVE, silent_s=1.5)).startswith("connected, no samples yet")


def test_the_line_counts_the_reconnects():
    tally = GapTally().with_gap(GAP).with_gap(RESTART)
    assert "2 × reconnected" in status_line(replace(LIVE, gaps=tally))
    assert "2 × reconnected (18 s missing in all)" in summary(replace(LIVE, gaps=tally), 3)


def test_an_ordinary_first_connect_is_no_search():
    first = LiveStatus(LinkState.CONNECTING, "pen", search=Search(attempt=1))
    assert status_line(first) == "connecting … · pen"
    again = replace(first, link=LinkState.LOST, search=Search(attempt=3), message="there is no pen at COM9.")
    assert status_line(again) == "Pen not found yet, looking for it (try 3) · there is no pen at COM9"


@pytest.mark.parametrize(
    ("search", "noted"),
    [
        (Search(attempt=0, out_s=0.0), True),
        (Search(attempt=1, out_s=0.3), False),
        (Search(attempt=1), True),
        (Search(attempt=2), False),
    ],
)
def test_a_loss_is_noted_once(search, noted):
    assert bool(link_note(replace(LOST, search=search))) is noted


def test_plain_output_tells_loss_and_return_beside_the_text():
    out, notes = io.StringIO(), io.StringIO()
    view = PlainView(out, notes)
    view.event(LinkChanged(replace(LOST, search=Search(attempt=0, out_s=0.0))))
    view.event(LinkChanged(replace(LOST, link=LinkState.CONNECTING)))
    view.event(GapSeen(GAP))
    view.event(GapSeen(replace(GAP, cause=GapCause.SAMPLES, lost=8)))
    assert out.getvalue() == ""
    assert notes.getvalue().splitlines() == [
        "penapp: there is no pen at COM9. Plug it in.",
        "penapp: the pen is back: 1,312 samples (13 s) missing.",
    ]


def test_notes_and_text_on_one_terminal_have_lines_of_their_own(tmp_path):
    with (tmp_path / "terminal").open("w") as terminal:
        view = PlainView(terminal, terminal)
        for word in ("the", "grass"):
            view.event(committed(word))
        view.event(LinkChanged(replace(LOST, search=Search(attempt=0, out_s=0.0))))
        view.event(GapSeen(GAP))
        view.event(committed("has"))
        view.close(LIVE)
    assert (tmp_path / "terminal").read_text().splitlines()[:4] == [
        "the grass",
        "penapp: there is no pen at COM9. Plug it in.",
        "penapp: the pen is back: 1,312 samples (13 s) missing.",
        "has",
    ]


def test_text_in_a_pipe_stays_one_line_whatever_is_noted_elsewhere(tmp_path):
    with (tmp_path / "out").open("w") as out, (tmp_path / "notes").open("w") as notes:
        view = PlainView(out, notes)
        view.event(committed("the"))
        view.event(GapSeen(GAP))
        view.event(committed("grass"))
        view.close(LIVE)
    assert (tmp_path / "out").read_text() == "the grass\n"


def test_a_pen_that_is_waited_for_is_said_to_be_waited_for():
    never_reached = link_note(replace(LOST, search=Search(attempt=1)))
    assert never_reached == "penapp: there is no pen at COM9. Plug it in. Waiting for it; Ctrl-C ends this."


def test_a_pen_that_was_started_again_is_named_once():
    assert gap_note(RESTART) == "penapp: the pen is back: it was started again, 4.6 s ± 0.1 s missing."


def test_json_tells_every_gap():
    out = io.StringIO()
    view = JsonView(out)
    for gap in (GAP, RESTART):
        view.event(GapSeen(gap))
    view.event(LinkChanged(LOST))
    exact, restart, link = map(json.loads, out.getvalue().splitlines())
    assert exact == {
        "event": "gap",
        "cause": "link lost",
        "lost": 1312,
        "duration_s": 13.12,
        "uncertainty_s": 0.0,
        "after_sample": 990,
    }
    assert (restart["lost"], restart["duration_s"], restart["uncertainty_s"]) == (None, 4.61, 0.1)
    assert (link["state"], link["attempt"], link["message"]) == ("lost", 4, "there is no pen at COM9.")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (9.94, "9.9 s"), (9.96, "10 s"), (75.2, "1 min 15 s"), (7_860.0, "2 h 11 min")],
)
def test_seconds_are_said_as_a_person_says_them(seconds, text):
    assert span(seconds) == text


def test_a_gap_across_a_restart_is_said_with_what_is_not_known():
    assert gap_sentence(RESTART) == "the pen was started again, 4.6 s ± 0.1 s missing"
    fine = replace(RESTART, duration_s=10.018, uncertainty_s=0.03)
    assert gap_sentence(fine) == "the pen was started again, 10.02 s ± 0.03 s missing"
    assert search_sentence(LIVE) == ""
