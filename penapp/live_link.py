"""Where a session's link stands, told by the session itself or by a source that looks after its link."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from penapp.device.link_report import LinkReport
from penapp.device.transport import LinkStage
from penapp.live_types import LinkState, LiveStatus, Search

_STATES = {
    LinkStage.SCANNING: LinkState.SCANNING,
    LinkStage.CONNECTING: LinkState.CONNECTING,
    LinkStage.DISCOVERING: LinkState.DISCOVERING,
    LinkStage.STREAMING: LinkState.STREAMING,
    LinkStage.LOST: LinkState.LOST,
}


class LinkTrack:
    """The state of the link and since when; written by the device thread, read by any."""

    def __init__(self) -> None:
        self.state = LinkState.CLOSED
        self._since_s = time.monotonic()
        self._report: LinkReport | None = None

    @property
    def for_s(self) -> float:
        """Seconds in this state."""
        return max(0.0, time.monotonic() - self._since_s)

    def change(self, state: LinkState) -> None:
        """What the session knows by itself; the end of it all."""
        self.state, self._since_s = state, time.monotonic()
        self._report = None

    def follow(self, report: LinkReport) -> bool:
        """Take a source's word; whether it is news (the same round of attempts over and over is none)."""
        before, self.state = self.state, _STATES[report.stage]
        self._report, self._since_s = report, report.since_s
        return self.state is not before and (report.attempt <= 1 or self.state is LinkState.STREAMING)

    def into(self, status: LiveStatus) -> LiveStatus:
        """The status with what is known here; a problem told there already comes first."""
        now_s, report = time.monotonic(), self._report
        rate_hz = status.rate_hz if self.state is LinkState.STREAMING else 0.0
        status = replace(status, link=self.state, since_s=self.for_s, rate_hz=rate_hz)
        if report is None or report.stage is LinkStage.STREAMING:
            return status
        search = Search(
            attempt=report.attempt,
            out_s=None if report.out_s is None else max(0.0, now_s - report.out_s),
            next_try_s=None if report.next_s is None else max(0.0, report.next_s - now_s),
            losses=report.losses,
        )
        message, advice = status.message, status.advice
        if not message:
            message, advice = report.problem, report.advice
        return replace(status, search=search, message=message, advice=advice)


class OutageTimer:
    """One call, some seconds into an outage, unless it is over by then. Lives on one asyncio loop."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._planned: asyncio.TimerHandle | None = None

    def begin(self, act: Callable[[], None]) -> bool:
        """Whether an outage began just now; further calls belong to the same one."""
        if self._planned is not None:
            return False
        self._planned = asyncio.get_running_loop().call_later(self._after_s, act)
        return True

    def cancel(self) -> None:
        """The outage is over."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
