"""What a live session looks like in a terminal, in a pipe, and as JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Protocol, TextIO

from penapp.cli.words import gap_note, link_note, status_line, summary, word_fields
from penapp.live_gaps import Gap
from penapp.live_types import (
    Failed,
    GapSeen,
    LinkChanged,
    LiveEvent,
    LiveStatus,
    TextCommitted,
    TextTentative,
)

DIM, PLAIN = "\x1b[2m", "\x1b[0m"
CLEAR_BELOW = "\x1b[J"
UP_TO_TEXT = "\r\x1b[1A"


class View(Protocol):
    """Shown events in order, the status now and then, and the end once."""

    def event(self, event: LiveEvent) -> None: ...

    def status(self, status: LiveStatus) -> None: ...

    def close(self, status: LiveStatus) -> None: ...


class TerminalView:
    """Two lines that are drawn again and again: the text, tentative part dim, and the state of the link."""

    def __init__(self, out: TextIO, width: int | None = None) -> None:
        self._out = out
        self._width = width
        self._committed = ""
        self._tentative = ""
        self._status = LiveStatus()
        self._drawn = False
        self._words = 0
        _allow_escapes()

    def event(self, event: LiveEvent) -> None:
        if isinstance(event, TextCommitted):
            self._words += 1
            self._commit(event.hypothesis.text)
        elif isinstance(event, TextTentative):
            self._tentative = event.hypothesis.text if event.hypothesis is not None else ""
        elif isinstance(event, LinkChanged):
            self._status = event.status
        self._draw()

    def status(self, status: LiveStatus) -> None:
        self._status = status
        self._draw()

    def close(self, status: LiveStatus) -> None:
        """Leave the text standing, with a summary below."""
        self._tentative = ""
        self._draw(summary(status, self._words) if status.samples else status_line(status))
        self._out.write("\n")
        self._out.flush()

    def _columns(self) -> int:
        return self._width or shutil.get_terminal_size().columns

    def _commit(self, word: str) -> None:
        """A full line stays above and a new one begins."""
        longer = f"{self._committed} {word}".lstrip()
        if self._committed and len(longer) >= self._columns():
            self._out.write(self._erasing() + self._committed + "\n")
            longer = word
        self._committed = longer

    def _draw(self, below: str = "") -> None:
        """One write: a terminal never shows (and Ctrl-C never leaves) an erased line without its text."""
        columns = self._columns() - 1
        gap = " " if self._committed and self._tentative else ""
        tentative = (gap + self._tentative)[: max(0, columns - len(self._committed))]
        lower = (below or status_line(self._status))[:columns]
        text = f"{self._committed[:columns]}{DIM}{tentative}{PLAIN}\n{DIM}{lower}{PLAIN}"
        self._out.write(self._erasing() + text)
        self._out.flush()
        self._drawn = True

    def _erasing(self) -> str:
        drawn, self._drawn = self._drawn, False
        return UP_TO_TEXT + CLEAR_BELOW if drawn else ""


class PlainView:
    """Committed words on one stream, one after the other; what matters about the link on the other."""

    def __init__(self, out: TextIO, notes: TextIO) -> None:
        self._out = out
        self._notes = notes
        self._words = 0
        self._one_place = _same_place(out, notes)
        self._line_open = False

    def event(self, event: LiveEvent) -> None:
        if isinstance(event, TextCommitted):
            parted = " " if self._line_open or (self._words and not self._one_place) else ""
            self._out.write(parted + event.hypothesis.text)
            self._out.flush()
            self._words += 1
            self._line_open = True
        elif isinstance(event, LinkChanged) and (note := link_note(event.status)):
            self._note(note)
        elif isinstance(event, GapSeen) and event.gap.of_link:
            self._note(gap_note(event.gap))

    def status(self, status: LiveStatus) -> None:
        """Nothing: a pipe is not a dashboard."""

    def _note(self, text: str) -> None:
        """A line of its own: where both streams end up in one place, the text's line ends first."""
        if self._one_place:
            self._end_line()
        self._notes.write(text + "\n")
        self._notes.flush()

    def close(self, status: LiveStatus) -> None:
        self._end_line()
        if status.samples:
            self._notes.write(summary(status, self._words) + "\n")

    def _end_line(self) -> None:
        if self._line_open:
            self._out.write("\n")
            self._out.flush()
        self._line_open = False


class JsonView:
    """One object on each line; the fields are described in `penapp live --help`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def event(self, event: LiveEvent) -> None:
        if isinstance(event, TextCommitted):
            self._write({"event": "committed", **word_fields(event.hypothesis)})
        elif isinstance(event, TextTentative):
            text = event.hypothesis.text if event.hypothesis is not None else ""
            self._write({"event": "tentative", "text": text})
        elif isinstance(event, LinkChanged):
            self._write({"event": "link", **_link_fields(event.status)})
        elif isinstance(event, GapSeen):
            self._write({"event": "gap", **_gap_fields(event.gap)})
        elif isinstance(event, Failed):
            self._write({"event": "failed", "message": event.message, "advice": event.advice})

    def status(self, status: LiveStatus) -> None:
        """Only changes are told."""

    def close(self, status: LiveStatus) -> None:
        self._write({"event": "summary", **_link_fields(status)})

    def _write(self, fields: Mapping[str, object]) -> None:
        self._out.write(json.dumps(fields, ensure_ascii=False) + "\n")
        self._out.flush()


def _link_fields(status: LiveStatus) -> dict[str, object]:
    return {
        "state": status.link.value,
        "pen": status.pen_name,
        "nominal_hz": status.nominal_hz,
        "samples": status.samples,
        "lost": status.lost,
        "loss_percent": round(status.loss_percent, 3),
        "damaged_frames": status.damaged_frames,
        "recorded_bytes": status.recorded_bytes,
        "gaps": status.gaps.count,
        "link_losses": status.gaps.links,
        "attempt": status.search.attempt if status.search is not None else 0,
        "message": status.message,
    }


def _gap_fields(gap: Gap) -> dict[str, object]:
    return {
        "cause": gap.cause.value,
        "lost": gap.lost,
        "duration_s": None if gap.duration_s is None else round(gap.duration_s, 3),
        "uncertainty_s": gap.uncertainty_s,
        "after_sample": gap.after_sample,
    }


def _same_place(one: TextIO, other: TextIO) -> bool:
    """Whether both are the same terminal, pipe or file."""
    try:
        return os.path.sameopenfile(one.fileno(), other.fileno())
    except (OSError, ValueError):
        return False


def _allow_escapes() -> None:
    """Windows consoles need to be asked; everything else understands them."""
    if sys.platform == "win32":
        import colorama

        colorama.just_fix_windows_console()
