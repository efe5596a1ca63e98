"""Finding an LSL stream by its name, and reading what it says of itself."""

from __future__ import annotations

from typing import Any

from penapp.lsl.fit import LslChannel, LslFacts
from penapp.lsl.library import LslStreamError

LOOK_AROUND_S = 1.0


def find_stream(pylsl: Any, name: str, patience_s: float) -> Any:
    """The StreamInfo of the only stream with this name; raises `LslStreamError` that lists what is there."""
    found = pylsl.resolve_byprop("name", name, timeout=patience_s) if name else []
    if len(found) == 1:
        return found[0]
    if found:
        hosts = ", ".join(sorted({info.hostname() for info in found}))
        raise LslStreamError(
            f"{len(found)} LSL streams have the name {name!r} (on {hosts}), expected one.",
            advice="Give each sender a name of its own.",
        )
    names = sorted({info.name() for info in pylsl.resolve_streams(LOOK_AROUND_S)})
    seen = ", ".join(map(repr, names)) if names else "none at all"
    if not name:
        raise LslStreamError(f"lsl: names no stream (there are: {seen}).", advice="Give its name: lsl:NAME.")
    raise LslStreamError(
        f"no LSL stream has the name {name!r} (looked for {patience_s:g} s; there are: {seen}).",
        advice="Start its sender; both machines must be in one network whose firewall lets LSL through.",
    )


def read_facts(pylsl: Any, info: Any) -> LslFacts:
    """From a StreamInfo with its description (an inlet's)."""
    channels = []
    element = info.desc().child("channels").child("channel")
    for _ in range(info.channel_count()):
        channels.append(_channel(element) if not element.empty() else LslChannel(""))
        element = element.next_sibling("channel")
    numeric = info.channel_format() not in {pylsl.cf_string, pylsl.cf_undefined}
    return LslFacts(info.name(), info.nominal_srate(), numeric, tuple(channels), info.source_id(), info.uid())


def _channel(element: Any) -> LslChannel:
    def text(name: str) -> str:
        return str(element.child_value(name) or "")

    return LslChannel(
        text("label"), text("unit"), _number(text("scale")), _number(text("full_scale")),
        text("measured") == "no",
    )  # fmt: skip


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
