"""What the state panel and the strips say of the pen, pure functions of what the session reports. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeGuard

from penapp.link_words import OVER, flowing, span, tally_sentence, whole_span
from penapp.live_types import LiveStatus
from penapp.ui.tone import Tone

LOSS_WARN_PERCENT = 0.5
LOSS_BAD_PERCENT = 5.0
RATE_TOLERANCE = 0.05
FORCE_BAR_N = 4.0
STEADY_PPM = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of the state panel."""

    text: str
    detail: str
    tone: Tone


def contact_reading(status: LiveStatus | None) -> Reading:
    if not is_live(status):
        return Reading("–", "", Tone.NEUTRAL)
    if status.contact:
        return Reading("Down", "on paper", Tone.GOOD)
    return Reading("Up", "in the air", Tone.NEUTRAL)


def force_reading(status: LiveStatus | None) -> Reading:
    if not is_live(status) or not math.isfinite(status.force_n):
        return Reading("–", "", Tone.NEUTRAL)
    return Reading(f"{max(status.force_n, 0.0):.1f} N", "", Tone.NEUTRAL)


def force_share(status: LiveStatus | None) -> float:
    """How far the force bar is filled, 0..1."""
    if not is_live(status) or not math.isfinite(status.force_n):
        return 0.0
    return min(max(status.force_n / FORCE_BAR_N, 0.0), 1.0)


def rate_reading(status: LiveStatus | None) -> Reading:
    """Measured sample rate beside the nominal one."""
    if status is None or status.rate_hz <= 0.0 or status.nominal_hz <= 0.0:
        return Reading("–", "", Tone.NEUTRAL)
    off = abs(status.rate_hz / status.nominal_hz - 1.0) > RATE_TOLERANCE
    nominal = f"of {status.nominal_hz:.0f} Hz"
    return Reading(f"{status.rate_hz:.0f} Hz", nominal, Tone.WARN if off else Tone.NEUTRAL)


def loss_reading(status: LiveStatus | None) -> Reading:
    """Lost samples in percent; 0 is good, from LOSS_BAD_PERCENT on it is bad."""
    if status is None or status.samples == 0:
        return Reading("–", "", Tone.NEUTRAL)
    detail = f"{status.lost:,} of {status.samples + status.lost:,}"
    tone = loss_tone(status.loss_percent)
    if tone is Tone.GOOD and not flowing(status):
        tone = Tone.NEUTRAL
    return Reading(f"{status.loss_percent:.2f} %", detail, tone)


def loss_tone(percent: float) -> Tone:
    if percent < LOSS_WARN_PERCENT:
        return Tone.GOOD
    return Tone.WARN if percent < LOSS_BAD_PERCENT else Tone.BAD


def damage_reading(status: LiveStatus | None) -> Reading:
    if status is None or not (status.samples or status.damaged_frames):
        return Reading("–", "", Tone.NEUTRAL)
    tone = Tone.WARN if status.damaged_frames else Tone.NEUTRAL
    return Reading(f"{status.damaged_frames:,}", "frames", tone)


def gap_reading(status: LiveStatus | None) -> Reading:
    """Lost links so far, and how long the last one was."""
    if status is None or not status.gaps.links:
        return Reading("–" if status is None or not status.samples else "0", "", Tone.NEUTRAL)
    last = status.gaps.last_link
    seconds = None if last is None else last.duration_s
    detail = "restarted" if seconds is None else f"last {span(seconds)}"
    return Reading(str(status.gaps.links), detail, Tone.WARN)


def gap_tip(status: LiveStatus | None) -> str:
    """The same in a sentence."""
    return tally_sentence(status.gaps) if status is not None else ""


def clock_sentence(status: LiveStatus | None) -> str:
    """How the pen's clock runs beside this computer's; empty while nothing is known of it."""
    if status is None or not math.isfinite(status.clock_uncertainty_s):
        return ""
    known = f"its time is known to ± {status.clock_uncertainty_s * 1000:.1f} ms"
    if abs(status.skew_ppm) < STEADY_PPM:
        return f"The pen's clock keeps pace with this computer's; {known}"
    pace = "slow" if status.skew_ppm > 0.0 else "fast"  # its seconds are longer
    return f"The pen's clock runs {abs(status.skew_ppm):.0f} ppm {pace}; {known}"


def is_live(status: LiveStatus | None) -> TypeGuard[LiveStatus]:
    return status is not None and flowing(status)


def strips_summary(status: LiveStatus | None) -> str:
    """The strip chart in words, for screen readers."""
    if not is_live(status):
        return "No samples are arriving"
    contact = contact_reading(status).text.lower()
    return (
        f"{status.rate_hz:.0f} samples a second, {status.loss_percent:.1f} percent lost, "
        f"pen {contact}, force {status.force_n:.1f} newton"
    )


def strips_note(status: LiveStatus | None) -> str:
    """Why the strips stand still: their right edge is not now."""
    if status is None or not status.samples or flowing(status) or status.link in OVER:
        return ""
    return f"no samples for {whole_span(int(status.silent_s))}"
