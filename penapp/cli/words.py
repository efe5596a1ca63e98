"""Words and states as text and as JSON fields."""

from __future__ import annotations

from penapp.decode.types import Hypothesis
from penapp.live_types import LinkState, LiveStatus

_STATES = {
    LinkState.CLOSED: "closed",
    LinkState.OPENING: "connecting …",
    LinkState.STREAMING: "live",
    LinkState.LOST: "lost",
    LinkState.ENDED: "ended",
}


def status_line(status: LiveStatus) -> str:
    """One line about the link: what is wrong first, then the numbers."""
    if status.message and status.link is LinkState.STREAMING:
        return f"{status.message} {status.advice}".strip()
    parts = [_STATES[status.link], status.pen_name]
    if status.link is LinkState.STREAMING:
        rate = f"{status.rate_hz:.0f}" if status.rate_hz else "…"
        parts += [f"{rate} of {status.nominal_hz:.0f} Hz", f"{status.loss_percent:.1f} % lost"]
        parts.append("pen down" if status.contact else "pen up")
    if status.damaged_frames:
        parts.append(f"{status.damaged_frames} damaged")
    if status.recorded_bytes:
        parts.append(f"{status.recorded_bytes / 1000:.0f} kB recorded")
    return " · ".join(part for part in parts if part)


def summary(status: LiveStatus, words: int) -> str:
    """One line for the end."""
    seconds = status.samples / status.nominal_hz if status.nominal_hz else 0.0
    line = f"{words} words in {seconds:.0f} s of pen time, {status.loss_percent:.1f} % of samples lost"
    return line + (f", {status.recorded_bytes / 1000:.0f} kB recorded" if status.recorded_bytes else "")


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
