"""What the window says, as pure functions of what the session reports. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from penapp.link_words import OVER, flowing, search_sentence, whole_span
from penapp.live_types import LinkState, LiveStatus
from penapp.ui.tone import Tone


class SourceKind(Enum):
    DEMO = "demo"
    PAD = "pad"
    VIRTUAL_BLE = "virtual-ble"
    BLE = "ble"
    SERIAL = "serial"
    REPLAY = "replay"


CALIBRATION_PEN = "calibration"
"""Target of a demo choice: the virtual pen that can be calibrated."""

SOURCE_LABELS = {
    SourceKind.DEMO: "Virtual pen: demo",
    SourceKind.PAD: "Virtual pen: writing pad",
    SourceKind.VIRTUAL_BLE: "Virtual pen: Bluetooth",
    SourceKind.BLE: "Bluetooth pen",
    SourceKind.SERIAL: "Serial port",
    SourceKind.REPLAY: "Recording",
}


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """What to connect to. `speed` is for recordings, None = unpaced.

    target: a port, a file, or a Bluetooth address (empty = the only pen that is near)
    """

    kind: SourceKind = SourceKind.DEMO
    target: str = ""
    speed: float | None = 1.0


@dataclass(frozen=True, slots=True)
class PortChoice:
    """A serial port as the list shows it."""

    port: str
    description: str

    @property
    def label(self) -> str:
        described = self.description and self.description not in {self.port, "n/a"}
        return f"{self.port}  ·  {self.description}" if described else self.port


def port_from_field(text: str, ports: tuple[PortChoice, ...]) -> str:
    """The port behind a line of the list, or the text as it was typed."""
    typed = text.strip()
    return next((port.port for port in ports if port.label == typed), typed)


def pen_to_calibrate(choice: SourceChoice) -> SourceChoice:
    """A real pen itself; in place of what has no sensors of its own, the virtual pen with known errors."""
    real = choice.kind in {SourceKind.SERIAL, SourceKind.BLE}
    return choice if real else SourceChoice(SourceKind.DEMO, CALIBRATION_PEN)


def source_problem(choice: SourceChoice) -> str:
    """Why this choice cannot be connected yet; empty when it can."""
    if choice.kind is SourceKind.SERIAL and not choice.target:
        return "Choose or type a serial port first"
    if choice.kind is SourceKind.REPLAY and not choice.target:
        return "Choose a recording first"
    if choice.kind is SourceKind.REPLAY and not Path(choice.target).exists():
        return f"There is no file {choice.target}"
    return ""


class Phase(Enum):
    """What the window is doing about the link, seen from the button."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"


@dataclass(frozen=True, slots=True)
class LinkView:
    """Button and state line of the connect panel."""

    button: str
    button_enabled: bool
    choice_enabled: bool
    text: str
    tone: Tone


def link_view(phase: Phase, status: LiveStatus | None) -> LinkView:
    """The truth about the link: `connected` is said only while frames can arrive."""
    if phase is Phase.CONNECTING:
        return LinkView("Cancel", True, False, "Connecting …", Tone.WARN)
    if phase is Phase.DISCONNECTING:
        return LinkView("Disconnecting …", False, False, "Disconnecting …", Tone.WARN)
    text, tone = ("Not connected", Tone.NEUTRAL) if status is None else _link_text(status)
    if phase is Phase.IDLE:
        return _idle_view(status, text, tone)
    return LinkView("Disconnect", True, False, text, tone)


def _idle_view(status: LiveStatus | None, text: str, tone: Tone) -> LinkView:
    """Nothing runs: only how the last session ended may still be said."""
    if status is not None and status.link in {LinkState.FAILED, LinkState.ENDED}:
        return LinkView("Connect", True, True, text, tone)
    return LinkView("Connect", True, True, "Not connected", Tone.NEUTRAL)


def _link_text(status: LiveStatus) -> tuple[str, Tone]:
    name = status.pen_name or "pen"
    searching = search_sentence(status)
    if searching and status.search is not None:
        return searching, Tone.WARN if status.search.out_s is None else Tone.BAD
    if status.link is LinkState.STREAMING:
        return _streaming_text(status, name)
    return {
        LinkState.ENDED: ("The recording has ended", Tone.NEUTRAL),
        LinkState.FAILED: (f"{'Lost' if status.samples else 'No link'} · {name}", Tone.BAD),
        LinkState.CLOSED: ("Not connected", Tone.NEUTRAL),
    }.get(status.link, (f"Opening {name} …", Tone.WARN))


def _streaming_text(status: LiveStatus, name: str) -> tuple[str, Tone]:
    """Green only while samples arrive."""
    if flowing(status):
        return f"Connected · {name}", Tone.GOOD
    if status.samples:
        return f"No samples for {whole_span(int(status.silent_s))} · {name}", Tone.WARN
    return f"Waiting for samples · {name}", Tone.WARN


def link_over(status: LiveStatus) -> bool:
    """Whether this session will bring nothing more, so that it can be taken down."""
    return status.link in OVER


@dataclass(frozen=True, slots=True)
class Banner:
    """The one line for messages. A calm hint when there is nothing to report."""

    message: str
    advice: str
    tone: Tone


def trouble(phase: Phase, status: LiveStatus | None) -> Banner | None:
    """What the running session complains about, such as a pen that sends nothing or is looked for."""
    if phase is not Phase.CONNECTED or status is None:
        return None
    searching = search_sentence(status)
    if status.message:
        message = f"{searching}: {status.message}" if searching else status.message
        return Banner(message, status.advice, Tone.WARN)
    missed = status.search is not None and status.search.out_s is not None
    return Banner(f"{searching}.", "", Tone.WARN) if missed else None


def hint(phase: Phase, choice: SourceChoice, words: int) -> Banner:
    """What to do next, shown where errors would stand."""
    if phase is Phase.IDLE:
        return Banner(source_problem(choice) or _IDLE_HINTS[choice.kind], "", Tone.NEUTRAL)
    if phase is not Phase.CONNECTED:
        return Banner("One moment …", "", Tone.NEUTRAL)
    if words == 0:
        return Banner(_FIRST_WORD_HINTS[choice.kind], "", Tone.NEUTRAL)
    return Banner("Click a word to see its other readings; click a reading to take it.", "", Tone.NEUTRAL)


_IDLE_HINTS = {
    SourceKind.DEMO: "Press Connect: a virtual pen writes words of real people through the whole pipeline.",
    SourceKind.PAD: "Press Connect, then write on the pad below with the mouse, a finger or a stylus.",
    SourceKind.VIRTUAL_BLE: "Press Connect: a virtual pen writes over a simulated radio.",
    SourceKind.BLE: "Switch the pen on, wait until it is listed and press Connect.",
    SourceKind.SERIAL: "Plug the pen in, choose its port and press Connect.",
    SourceKind.REPLAY: "Press Connect to play the recording as if the pen were writing now.",
}

_FIRST_WORD_HINTS = {
    SourceKind.DEMO: "The virtual pen is writing. A word becomes text when the pen rests after it.",
    SourceKind.PAD: "Write on the pad below, one word at a time. A word becomes text when you pause.",
    SourceKind.VIRTUAL_BLE: "The virtual pen is writing. A word becomes text when the pen rests after it.",
    SourceKind.BLE: "Write. A word becomes text when the pen rests after it.",
    SourceKind.SERIAL: "Write. A word becomes text when the pen rests after it.",
    SourceKind.REPLAY: "Playing. A word becomes text when the pen rests after it.",
}


def pad_writable(phase: Phase, kind: SourceKind) -> bool:
    return phase is Phase.CONNECTED and kind is SourceKind.PAD


def pad_notice(phase: Phase, kind: SourceKind) -> str:
    """What empty paper says."""
    if pad_writable(phase, kind):
        return "Write a word here"
    if phase is Phase.CONNECTED and kind in {SourceKind.DEMO, SourceKind.VIRTUAL_BLE}:
        return "What the virtual pen writes appears here"
    return "Press “Write here” to write with the mouse, a finger or a stylus"
