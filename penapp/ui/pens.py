"""From what was chosen in the window to a session that can be started. No Qt; imports are late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from penapp.live_types import LiveEvent
from penapp.ui.session_host import InkSoFar, Opener, OpenPen, PadSink
from penapp.ui.view_state import PortChoice, SourceChoice, SourceKind

if TYPE_CHECKING:
    from penapp.device.source import PenSource

PAD_RATE_HZ = 100.0


def find_ports() -> tuple[PortChoice, ...]:
    """Serial ports with what they say of themselves."""
    from penapp.device.discover import PenKind, list_pens

    places = [place for place in list_pens() if place.kind is PenKind.SERIAL]
    return tuple(PortChoice(place.address, place.description) for place in places)


def unavailable() -> dict[SourceKind, str]:
    """Sources that cannot be had here, with the reason."""
    from penapp.device.virtual_ble import simulated_radio_installed

    if simulated_radio_installed():
        return {}
    return {SourceKind.VIRTUAL_BLE: "Needs the simulated radio: the package bumble is not installed"}


def opener(*, record_to: Path | None = None) -> Opener:
    """The opener of the real thing: shipped recogniser, real links."""

    def open_pen(choice: SourceChoice, on_event: Callable[[LiveEvent], None]) -> OpenPen:
        from penapp.live import LiveSession
        from penapp.pipeline import default_pipeline

        source, pad, ink = pen_source(choice)
        record = free_name(record_to) if record_to is not None else None
        session = LiveSession(source, default_pipeline, record_to=record, on_event=on_event)
        return OpenPen(session, pad, ink)

    return open_pen


def pen_source(choice: SourceChoice) -> tuple[PenSource, PadSink | None, InkSoFar | None]:
    """Where frames come from, who takes the pad's points, and what ink can be shown."""
    if choice.kind is SourceKind.SERIAL and choice.target.startswith("lsl:"):
        from penapp.lsl.inlet import LslSource

        return LslSource(choice.target.removeprefix("lsl:")), None, None
    if choice.kind is SourceKind.SERIAL:
        from penapp.device.looked_after import serial_pen

        return serial_pen(choice.target), None, None
    if choice.kind is SourceKind.BLE:
        from penapp.device.looked_after import ble_pen

        return ble_pen(choice.target), None, None
    if choice.kind is SourceKind.REPLAY:
        from penapp.device.replay import ReplaySource

        return ReplaySource(Path(choice.target), choice.speed), None, None
    return _virtual_pen(choice)


def _virtual_pen(choice: SourceChoice) -> tuple[PenSource, PadSink | None, InkSoFar | None]:
    from penapp.device.virtual import VirtualPenSource

    if choice.kind is SourceKind.PAD:
        from firmware_protocol.descriptor import standard_descriptor
        from penapp.simulation.pad import PadPen

        pad = PadPen(standard_descriptor(PAD_RATE_HZ, name="writing pad"))
        return VirtualPenSource(pad), pad, None
    from penapp.ui.shown_ink import DemoPen

    demo = DemoPen()
    if choice.kind is SourceKind.VIRTUAL_BLE:
        from penapp.device.virtual_ble import virtual_ble_pen

        return virtual_ble_pen(demo), None, demo.ink_so_far
    return VirtualPenSource(demo), None, demo.ink_so_far


def free_name(path: Path) -> Path:
    """`path`, or the first of path-2, path-3, ... that is not there yet: recordings are never replaced."""
    number, found = 2, path
    while found.exists():
        found = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return found
