"""The tables of README.md, made from the code: `python -m firmware_protocol.generate_c` writes them there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import IntEnum

from firmware_protocol import layouts, links
from firmware_protocol.framing import Flag, FrameType
from firmware_protocol.messages import EventCode, Op, Status
from firmware_protocol.streams import Quantity, SensorModel, Unit

_FRAME_PAYLOADS = {
    FrameType.DATA: "n samples, see 4",
    FrameType.EVENT: "code u8, then the event's detail",
    FrameType.CMD: "op u8, tag u8, arguments, see 5",
    FrameType.RSP: "op + 0x80 u8, tag u8, status u8, contents, see 5",
    FrameType.STATUS: "the contents of the STATUS answer, sent by the pen of its own accord",
    FrameType.LOG: "UTF-8 text",
    FrameType.ARRIVAL: "in recordings only, see 2",
}
_FLAG_MEANINGS = {
    Flag.OVERRUN: "the pen's own queue was full: at least one whole frame before this one was dropped",
    Flag.CLIPPED: "at least one count stands at the limit of its sensor",
    Flag.EPOCH: "toggles with each change of configuration (rate) while streaming",
    Flag.DISCONTINUITY: "`t_us` does not continue the frame before: the pen's clock was set",
}
_OP_CONTENTS = {
    Op.HELLO: ("", "descriptor"),
    Op.START: ("stream mask u32, schema hash u32", "(BAD_SCHEMA: the pen's hash u32)"),
    Op.STOP: ("", ""),
    Op.SET_RATE: ("stream u8, rate u32 mHz", "rate u32 mHz"),
    Op.SET_RANGE: ("quantity u8, code u8", ""),
    Op.IDENTIFY: ("blink u16 ms", ""),
    Op.BATTERY: ("", "percent u8, millivolts u16, charging u8"),
    Op.TIME_SYNC: ("host u64 us", "host u64, device at arrival u64, device at answer u64"),
    Op.STATUS: (
        "",
        "samples taken u32, overruns u32, frames sent u32, fullest queue u32, resets u32",
    ),
    Op.NAME: ("UTF-8, empty = ask", "UTF-8"),
    Op.CAL_READ: ("offset u16", "total u16, bytes from offset"),
    Op.CAL_WRITE: ("offset u16, total u16, bytes", "(BAD_ARGUMENT: bytes held u16)"),
    Op.SELFTEST: ("", "failed u16: bit k = quantity k"),
    Op.DFU: ("", ""),
}
_CHARACTERISTICS = (
    ("service", links.SERVICE_UUID, ""),
    ("data", links.DATA_UUID, "notify: DATA, EVENT, STATUS, LOG"),
    ("control", links.CONTROL_UUID, "write, write without response: CMD"),
    ("response", links.RESPONSE_UUID, "notify: RSP"),
    ("descriptor", links.DESCRIPTOR_UUID, "read: the descriptor of 3, without a frame"),
)
_MTUS = (48, 49, 185, 247, 517)

_MARK = re.compile(r"(<!-- table: ([\w ]+) -->\n)(?:\|.*\n)*")


def fill_tables(text: str) -> str:
    """The specification with every marked table written anew; KeyError for a mark nobody knows."""
    return _MARK.sub(lambda match: match[1] + _TABLES[match[2]](), text)


def table_names(text: str) -> set[str]:
    """The tables that the text marks."""
    return {match[2] for match in _MARK.finditer(text)}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    ruled = [_row(head), "|" + "---|" * len(head) + "\n"]
    return "".join([*ruled, *map(_row, rows)])


def _row(cells: tuple[str, ...]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells) + "\n"


def _layout(layout: layouts.Layout) -> str:
    rows = ((str(at), f.kind, f.name, f.meaning) for at, f in layout.offsets())
    return _table(("off", "type", "field", "meaning"), rows)


def _codes(head: str, table: type[IntEnum]) -> str:
    return _table((head, "name"), ((str(int(m)), m.name) for m in table))


def _flags() -> str:
    return _table(
        ("flag", "name", "meaning"),
        ((f"0x{int(f):04x}", f.name or "", why) for f, why in _FLAG_MEANINGS.items()),
    )


def _frame_types() -> str:
    rows = ((f"0x{int(t):02X}", t.name, _FRAME_PAYLOADS[t]) for t in FrameType)
    return _table(("type", "name", "payload"), rows)


def _ops() -> str:
    rows = ((f"0x{int(op):02X}", op.name, *_OP_CONTENTS[op]) for op in Op)
    return _table(("op", "name", "arguments", "contents of the answer"), rows)


def _notifications() -> str:
    rows = ((str(mtu), str(links.samples_per_notification(mtu, 13))) for mtu in _MTUS)
    return _table(("ATT MTU", "samples"), rows)


_TABLES: dict[str, Callable[[], str]] = {
    "header": lambda: _layout(layouts.FRAME_HEADER),
    "types": _frame_types,
    "flags": _flags,
    "events": lambda: _codes("event", EventCode),
    "characteristics": lambda: _table(("characteristic", "UUID", "properties"), _CHARACTERISTICS),
    "notifications": _notifications,
    "descriptor header": lambda: _layout(layouts.DESCRIPTOR_HEADER),
    "stream": lambda: _layout(layouts.STREAM_RECORD),
    "channel": lambda: _layout(layouts.CHANNEL_RECORD),
    "quantities": lambda: _codes("quantity", Quantity),
    "units": lambda: _codes("unit", Unit),
    "models": lambda: _codes("model", SensorModel),
    "mount": lambda: _layout(layouts.MOUNT_RECORD),
    "ops": _ops,
    "statuses": lambda: _codes("status", Status),
}
TABLE_NAMES = frozenset(_TABLES)
