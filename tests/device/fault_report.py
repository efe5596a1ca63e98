"""What a campaign of faults came to: a line for the soak report, a table for docs/link-faults.md."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from firmware_protocol.fault_plan import FaultKind
from tests.device.fault_campaign import RESTARTED, Campaign, Outcome


def percentile(values: list[float], share: float) -> float:
    return float(np.percentile(values, 100 * share)) if values else 0.0


def summary(done: Campaign) -> str:
    """One line for the soak report."""
    r = done.recoveries_s
    exact = sum(result.exact_gaps for result in done.results)
    restarts = sum(result.restarts for result in done.results)
    grown = done.rss_mb[-1] - done.rss_mb[min(1, len(done.rss_mb) - 1)] if done.rss_mb else 0.0
    words, samples = (sum(getattr(result, name) for result in done.results) for name in ("words", "samples"))
    return "; ".join(
        (
            f"link faults: {len(done.outcomes)} on {done.pens} {done.carrier} pens, {len(done.wrong)} wrong",
            f"{exact} gaps within a boot exact",
            f"{restarts} restarts told as such",
            f"recovery p50 {percentile(r, 0.5):.2f} s, p99 {percentile(r, 0.99):.2f} s, max {max(r):.2f} s",
            f"{words} words, {samples} samples",
            f"memory {grown:+.1f} MB after warm-up, at most {done.most_threads} threads",
        )
    )


def table(done: Campaign) -> str:
    """Markdown: for each fault what is recorded, what the user sees, how long recovery takes."""
    lines = [
        "| fault | times | what is recorded | what the user sees meanwhile | recovery p50 / max |",
        "|---|---|---|---|---|",
    ]
    for kind in FaultKind:
        mine = [o for o in done.outcomes if o.fault.kind is kind]
        if not mine:
            continue
        r = [o.recovery_s for o in mine if o.recovery_s is not None]
        took = f"{percentile(r, 0.5):.2f} / {max(r):.2f} s" if r else "–"
        seen: dict[str, int] = defaultdict(int)
        for outcome in mine:
            for line in outcome.seen:
                seen[line] += 1
        most = sorted(seen, key=lambda line: -seen[line])[:3]
        said = "<br>".join(most) or "connected, as before"
        lines.append(f"| {kind.value} | {len(mine)} | {_recorded(mine)} | {said} | {took} |")
    return "\n".join(lines)


def _recorded(outcomes: list[Outcome]) -> str:
    counts = [len(o.gaps) for o in outcomes]
    gaps = [lost for o in outcomes for lost in o.gaps]
    if not gaps:
        return "every sample"
    lost = [lost for lost in gaps if lost != RESTARTED]
    restarts = len(gaps) - len(lost)
    if restarts:
        return "a new descriptor and a new segment; the gap in seconds on the host's clock"
    if max(counts) <= 1:
        return f"one gap, {min(lost)}–{max(lost)} samples, exact"
    return f"{min(counts)}–{max(counts)} gaps of {min(lost)}–{max(lost)} samples, each exact"
