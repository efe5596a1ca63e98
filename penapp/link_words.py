"""What a person is told about the link: the same sentences in the window and in the terminal."""

from __future__ import annotations

import math

from penapp.live_gaps import Gap, GapTally
from penapp.live_types import LinkState, LiveStatus, Search

SEARCHING = {LinkState.SCANNING, LinkState.CONNECTING, LinkState.DISCOVERING, LinkState.LOST}
OVER = {LinkState.FAILED, LinkState.ENDED, LinkState.CLOSED}
FLOWING_S = 1.0
"""Samples that came more recently than this are "arriving"."""


def flowing(status: LiveStatus) -> bool:
    """Samples arrive: the only thing that may be shown as good."""
    return status.link is LinkState.STREAMING and status.samples > 0 and status.silent_s < FLOWING_S


def search_sentence(status: LiveStatus) -> str:
    """`Pen lost 3 s ago, looking for it (try 4)`; empty when the pen is not being looked for."""
    search = status.search
    if status.link not in SEARCHING or search is None:
        return ""
    return f"{_state(search)}, {_step(status.link, search)}{_tries(search)}"


def gap_sentence(gap: Gap) -> str:
    """`312 samples (3.1 s) missing`, or what is known where the pen was started again."""
    if gap.lost is not None:
        return f"{gap.lost:,} samples ({span(gap.duration_s or 0.0)}) missing"
    if gap.duration_s is None:
        return "the pen was started again"
    return f"the pen was started again, {_about(gap.duration_s, gap.uncertainty_s)} missing"


def tally_sentence(tally: GapTally) -> str:
    """Lost links so far and the last of them; empty when there was none."""
    if tally.last_link is None:
        return ""
    times = "once" if tally.links == 1 else f"{tally.links} times"
    return f"Lost {times}; last: {gap_sentence(tally.last_link)}"


def span(seconds: float) -> str:
    """Seconds as a person says them: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return whole_span(round(seconds))


def whole_span(whole: int) -> str:
    """The same without tenths, for what counts up before the eyes."""
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _about(seconds: float, uncertainty_s: float) -> str:
    """`10.02 s ± 0.03 s`: as many digits as the uncertainty leaves; long ones as a person says them."""
    digits = max(0, -math.floor(math.log10(uncertainty_s))) if uncertainty_s > 0.0 else 1
    said = f"{seconds:.{digits}f} s" if seconds < 60.0 else span(seconds)
    return f"{said} ± {uncertainty_s:.1g} s"


def _state(search: Search) -> str:
    if search.out_s is None:
        return "Pen not found yet"
    return f"Pen lost {whole_span(int(search.out_s))} ago"


def _step(link: LinkState, search: Search) -> str:
    if link is LinkState.CONNECTING and search.out_s is None and search.attempt <= 1:
        return "connecting"
    if link is LinkState.DISCOVERING:
        return "found, waiting for its answer"
    return "looking for it"


def _tries(search: Search) -> str:
    return f" (try {search.attempt})" if search.attempt else ""
