"""Words and states as text and as JSON fields."""

from __future__ import annotations

from penapp.decode.types import Hypothesis
from penapp.link_words import SEARCHING, flowing, gap_sentence, search_sentence, span
from penapp.live_gaps import Gap
from penapp.live_types import LinkState, LiveStatus

_STATES = {
    LinkState.CLOSED: "closed",
    LinkState.OPENING: "connecting …",
    LinkState.SCANNING: "looking for the pen …",
    LinkState.CONNECTING: "connecting …",
    LinkState.DISCOVERING: "asking who it is …",
    LinkState.STREAMING: "live",
    LinkState.LOST: "lost",
    LinkState.ENDED: "ended",
    LinkState.FAILED: "failed",
}


def status_line(status: LiveStatus) -> str:
    """One line about the link: what is wrong first, then the numbers."""
    if status.message and status.link is LinkState.STREAMING:
        return f"{status.message} {status.advice}".strip()
    searching = search_sentence(status) if status.samples or _tried(status) else ""
    if searching:
        return " · ".join(part for part in (searching, status.message.rstrip("."), _recorded(status)) if part)
    parts = [_STATES[status.link], status.pen_name]
    if status.link is LinkState.STREAMING:
        parts[0] = "live" if flowing(status) else "connected, no samples yet"
        rate = f"{status.rate_hz:.0f}" if status.rate_hz else "…"
        parts += [f"{rate} of {status.nominal_hz:.0f} Hz", f"{status.loss_percent:.1f} % lost"]
        parts.append("pen down" if status.contact else "pen up")
    if status.gaps.links:
        parts.append(f"{status.gaps.links} × reconnected")
    if status.damaged_frames:
        parts.append(f"{status.damaged_frames} damaged")
    return " · ".join(part for part in (*parts, _recorded(status)) if part)


def link_note(status: LiveStatus) -> str:
    """A line for a change of the link that a reader of plain text wants to know; empty for the others."""
    search = status.search
    if status.link is not LinkState.LOST or search is None:
        return ""
    if search.attempt == (1 if search.out_s is None else 0):
        waiting = "" if search.out_s is not None else "Waiting for it; Ctrl-C ends this."
        return " ".join(part for part in ("penapp:", status.message, status.advice, waiting) if part)
    return ""


def gap_note(gap: Gap) -> str:
    """The pen is back, and what is missing."""
    return f"penapp: the pen is back: {gap_sentence(gap).replace('the pen was', 'it was')}."


def summary(status: LiveStatus, words: int) -> str:
    """One line for the end."""
    seconds = status.samples / status.nominal_hz if status.nominal_hz else 0.0
    line = f"{words} words in {seconds:.0f} s of pen time, {status.loss_percent:.1f} % of samples lost"
    gaps = status.gaps
    if gaps.links:
        line += f", {gaps.links} × reconnected ({span(gaps.known_s)} missing in all)"
    return line + (f", {_recorded(status)}" if status.recorded_bytes else "")


def _tried(status: LiveStatus) -> bool:
    """More than the one attempt that every session begins with."""
    return status.link in SEARCHING and status.search is not None and status.search.attempt > 1


def _recorded(status: LiveStatus) -> str:
    return f"{status.recorded_bytes / 1000:.0f} kB recorded" if status.recorded_bytes else ""


def word_fields(word: Hypothesis) -> dict[str, object]:
    return {
        "text": word.text,
        "confidence": round(word.confidence, 4),
        "start_t": round(word.start_t, 4),
        "end_t": round(word.end_t, 4),
        "candidates": [
            {
                "text": c.text,
                "score": round(c.score, 4),
                "confidence": round(c.confidence, 4),
                "in_lexicon": c.in_lexicon,
            }
            for c in word.candidates
        ],
    }
