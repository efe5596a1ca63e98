"""From what was chosen in the window to a session that can be started. No Qt; imports are late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from penapp.live_types import LiveEvent
from penapp.record.out_file import free_name
from penapp.ui.session_host import InkSoFar, Opener, OpenPen, PadSink, PenHand
from penapp.ui.view_state import CALIBRATION_PEN, PortChoice, SourceChoice, SourceKind

if TYPE_CHECKING:
    from penapp.device.source import PenSource

PAD_RATE_HZ = 100.0
CALIBRATION_SPEED = 4.0


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

        source, pad, ink, hand = *pen_source(choice), None
        if choice.target == CALIBRATION_PEN:
            source, hand = _calibration_pen()
        record = new_recording(record_to) if record_to is not None else None
        session = LiveSession(source, default_pipeline, record_to=record, on_event=on_event)
        return OpenPen(session, pad, ink, hand)

    return open_pen


def new_recording(record_to: Path) -> Path:
    """Where to record: nothing is replaced, and what a killed program has left beside it is repaired first.

    record_to: as the user named it; `Path()`: a session named after the time, in the folder of sessions
    """
    from penapp.live_recorder import recording_path
    from penapp.record.folder import new_session_path
    from penapp.record.salvage import salvage

    path = new_session_path() if record_to == Path() else free_name(recording_path(record_to))
    salvage(path.parent)
    return path


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


def _calibration_pen() -> tuple[PenSource, PenHand]:
    """A virtual pen with known errors, faster than life so that nobody waits three minutes."""
    from penapp.device.virtual import VirtualPenSource
    from penapp.simulation.calibration_pen import CalibrationPen

    hand = CalibrationPen()
    return VirtualPenSource(hand, speed=CALIBRATION_SPEED), hand
