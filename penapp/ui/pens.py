"""From what was chosen in the window to a session that can be started. No Qt; everything is imported late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penapp.live_types import LiveEvent
from penapp.ui.session_host import Opener, OpenPen
from penapp.ui.view_state import PortChoice, SourceChoice


def find_ports() -> tuple[PortChoice, ...]:
    """Serial ports with what they say of themselves."""
    from penapp.device.discover import PenKind, list_pens

    return tuple(
        PortChoice(place.address, place.description) for place in list_pens() if place.kind is PenKind.SERIAL
    )


def opener(*, record_to: Path | None = None) -> Opener:
    """The opener of the real thing: shipped recogniser, real links."""

    def open_pen(choice: SourceChoice, on_event: Callable[[LiveEvent], None]) -> OpenPen:

        ...

    return open_pen
