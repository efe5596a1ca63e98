"""`penapp live --lsl`: what the terminal shows goes out as LSL streams as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from penapp.cli.views import View
from penapp.live_types import LiveEvent, LiveStatus, TextCommitted

if TYPE_CHECKING:
    from penapp.lsl.outlet import LslOutlet


class LslView:
    """A view that passes everything on and sends committed words out."""

    def __init__(self, view: View, outlet: LslOutlet) -> None:
        self._view, self._outlet = view, outlet

    def event(self, event: LiveEvent) -> None:
        if isinstance(event, TextCommitted):
            self._outlet.word(event.hypothesis.text, event.hypothesis.end_t)
        self._view.event(event)

    def status(self, status: LiveStatus) -> None:
        self._view.status(status)

    def close(self, status: LiveStatus) -> None:
        self._view.close(status)


def check_pace(speed: float | None) -> None:
    """LSL's stamps are real time: a stream that runs faster would contradict its own rate."""
    if speed not in {None, 1.0}:
        raise click.UsageError(f"--lsl needs real time, --speed {speed:g} does not fit.")
