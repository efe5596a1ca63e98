"""What the window says of Bluetooth pens nearby, and which pen it waits for. Pure functions, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from penapp.device.discover import ble_address, ble_description
from penapp.ui.tone import Tone
from penapp.ui.view_state import Banner, Phase, PortChoice, SourceChoice, SourceKind

BARS_FROM_DBM = (-90, -78, -67, -55)
"""From this strength on one, two, three, four bars are filled."""
STALE_S = 5.0
REAL_PENS = (SourceKind.BLE, SourceKind.SERIAL)


@dataclass(frozen=True, slots=True)
class NearPen:
    """A pen that was heard. seen_s: `time.monotonic`; is_pen: it offers the pen service, not a mere UART."""

    address: str
    name: str
    rssi_dbm: int | None
    seen_s: float
    is_pen: bool = True

    @property
    def label(self) -> str:
        return f"{ble_description(self.name, self.is_pen)}  ·  {self.address}"


class WatchState(Enum):
    IDLE = "idle"
    SCANNING = "scanning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NearView:
    """What a scan shows now: pens in the order in which they were first heard, or why there is no scan.

    headline: what is wrong in two words; message, advice: in whole sentences
    """

    state: WatchState = WatchState.IDLE
    pens: tuple[NearPen, ...] = ()
    headline: str = ""
    message: str = ""
    advice: str = ""


def bars(rssi_dbm: int | None) -> int:
    """How many of four bars are filled; 0 when the strength is not known."""
    return 0 if rssi_dbm is None else sum(rssi_dbm >= limit for limit in BARS_FROM_DBM)


def strength_text(pen: NearPen, now_s: float) -> str:
    """The strength in figures, and how old it is once that matters."""
    strength = "signal strength not told" if pen.rssi_dbm is None else f"{pen.rssi_dbm} dBm"
    age_s = now_s - pen.seen_s
    return strength if age_s < STALE_S else f"{strength}, heard {age_s:.0f} s ago"


def near_line(view: NearView) -> tuple[str, Tone]:
    """The one line beside the list."""
    if view.state is WatchState.FAILED:
        return view.headline, Tone.BAD
    if view.state is WatchState.IDLE:
        return "", Tone.NEUTRAL
    if not view.pens:
        return "Looking for pens …", Tone.WARN
    count = len(view.pens)
    return ("1 pen near" if count == 1 else f"{count} pens near"), Tone.GOOD


def pen_from_field(text: str, pens: tuple[NearPen, ...]) -> str:
    """The address behind a line of the list, or the address that was typed (`ble:` may stand before it)."""
    typed = text.strip()
    named = ble_address(typed)
    listed = next((pen.address for pen in pens if pen.label == typed), None)
    return listed or (typed if named is None else named)


def reunion(awaited: SourceChoice | None, near: NearView, ports: tuple[PortChoice, ...]) -> bool:
    """Whether the pen of last time is here."""
    if awaited is None:
        return False
    if awaited.kind is SourceKind.BLE:
        return any(pen.address.casefold() == awaited.target.casefold() for pen in near.pens)
    return any(port.port == awaited.target for port in ports)


def worth_remembering(choice: SourceChoice) -> bool:
    """Real pens at a place that can be found again."""
    return choice.kind in REAL_PENS and bool(choice.target)


def failure_hint(near: NearView, phase: Phase) -> Banner | None:
    """Why no Bluetooth pen can be listed, in full."""
    if near.state is not WatchState.FAILED or phase is not Phase.IDLE:
        return None
    return Banner(near.message[:1].upper() + near.message[1:], near.advice, Tone.WARN)


def waiting_hint(awaited: SourceChoice | None, name: str, phase: Phase) -> Banner | None:
    """What stands where errors would while the pen of last time is looked for."""
    if awaited is None or phase is not Phase.IDLE:
        return None
    called = name or awaited.target
    if awaited.kind is SourceKind.SERIAL and "://" in awaited.target:  # no list tells when it is there
        return Banner(f"Press Connect for {called} again.", "Or choose another source.", Tone.NEUTRAL)
    where = "is switched on nearby" if awaited.kind is SourceKind.BLE else "is plugged in"
    return Banner(
        f"Connects to {called} as soon as it {where}.",
        "Or choose another source.",
        Tone.NEUTRAL,
    )
