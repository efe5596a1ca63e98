"""C and the specification from the Python schema: python -m firmware_protocol.generate_c [--check].

firmware/core/pen_schema.h:    every number of the protocol, every byte offset, the Bluetooth identifiers
firmware/core/pen_standard.c:  the descriptor of the standard pen
README.md:                     the marked tables
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from uuid import UUID

import numpy as np

from firmware_protocol import commands, descriptor, framing, links, pen_state
from firmware_protocol.descriptor import Descriptor, standard_descriptor
from firmware_protocol.layouts import LAYOUTS
from firmware_protocol.messages import RESPONSE_BIT, EventCode, Op, Status
from firmware_protocol.spec_tables import fill_tables
from firmware_protocol.streams import ChannelSpec, Mount, Quantity, SensorModel, StreamSpec, Unit

HERE = Path(__file__).parent
_NOTICE = "/* Written by `python -m firmware_protocol.generate_c` from the Python schema: do not edit. */\n"
_TABLES: tuple[tuple[str, type[IntEnum]], ...] = (
    ("TYPE", framing.FrameType),
    ("EVENT", EventCode),
    ("OP", Op),
    ("STATUS", Status),
    ("QUANTITY", Quantity),
    ("UNIT", Unit),
    ("MODEL", SensorModel),
)
_SIZES: tuple[tuple[str, int], ...] = (
    ("VERSION", framing.VERSION),
    ("CRC_BYTES", framing.CRC_BYTES),
    ("OVERHEAD_BYTES", framing.OVERHEAD_BYTES),
    ("MAX_FRAME_BYTES", framing.MAX_FRAME_BYTES),
    ("DESCRIPTOR_VERSION", descriptor.DESCRIPTOR_VERSION),
    ("MAX_DESCRIPTOR_BYTES", descriptor.MAX_DESCRIPTOR_BYTES),
    ("NUMBER_TYPE_INT16", descriptor.TYPE_INT16),
    ("TLV_NAME", descriptor.TLV_NAME),
    ("MAX_NAME_BYTES", descriptor.MAX_NAME_BYTES),
    ("RESPONSE_BIT", RESPONSE_BIT),
    ("START_BYTES", commands.START_ARGS.size),
    ("SET_RATE_BYTES", commands.SET_RATE_ARGS.size),
    ("SET_RANGE_BYTES", commands.SET_RANGE_ARGS.size),
    ("IDENTIFY_BYTES", commands.IDENTIFY_ARGS.size),
    ("TIME_SYNC_BYTES", commands.TIME_SYNC_ARGS.size),
    ("CAL_READ_BYTES", commands.CAL_READ_ARGS.size),
    ("CAL_WRITE_BYTES", commands.CAL_WRITE_ARGS.size),
    ("CAL_PIECE_BYTES", pen_state.CAL_PIECE_BYTES),
    ("CAL_MAX_BYTES", pen_state.CAL_MAX_BYTES),
    ("ATT_OVERHEAD_BYTES", links.ATT_OVERHEAD_BYTES),
    ("MAX_VALUE_BYTES", links.MAX_VALUE_BYTES),
    ("MAX_BATCH_SAMPLES", links.MAX_BATCH_SAMPLES),
    ("MAX_BATCH_MS", round(links.MAX_BATCH_S * 1000)),
    ("SERIAL_BAUD", links.SERIAL_BAUD),
)
_UUIDS = (
    ("SERVICE", links.SERVICE_UUID),
    ("DATA", links.DATA_UUID),
    ("CONTROL", links.CONTROL_UUID),
    ("RESPONSE", links.RESPONSE_UUID),
    ("DESCRIPTOR", links.DESCRIPTOR_UUID),
)


def generated() -> dict[Path, str]:
    """Every file this program writes, with its text."""
    readme = HERE / "README.md"
    return {
        HERE / "firmware" / "core" / "pen_schema.h": schema_header(),
        HERE / "firmware" / "core" / "pen_standard.c": standard_source(standard_descriptor()),
        readme: fill_tables(readme.read_text(encoding="utf-8")),
    }


def schema_header() -> str:
    """The text of pen_schema.h."""
    lines = [_NOTICE, "#ifndef PEN_SCHEMA_H", "#define PEN_SCHEMA_H", "", *_sizes(), *_codes(), *_offsets()]
    return "\n".join([*lines, *_identifiers(), "#endif"]) + "\n"


def standard_source(pen: Descriptor) -> str:
    """The text of pen_standard.c: the descriptor without boot id, which is drawn at each start."""
    (stream,) = pen.streams
    major, minor, patch = (int(part) for part in pen.firmware.split("."))
    head = [
        _NOTICE,
        '#include "pen_description.h"',
        "",
        "/* quantity, axis, unit, scale, offset, full scale, limit (counts), model */",
        f"static const pen_channel channels[{len(stream.channels)}] = {{",
        *(f"    {_channel(c)}," for c in stream.channels),
        "};",
        "",
        "/* quantity, axis map row by row, lever arm in 0.1 mm */",
        f"static const pen_mount mounts[{len(pen.mounts)}] = {{",
        *(f"    {_mount(m)}," for m in pen.mounts),
        "};",
        "",
    ]
    body = [
        "const pen_description pen_standard = {",
        f"    .hardware_id = {pen.hardware_id}u,",
        f"    .device_id = {{{', '.join(str(b) + 'u' for b in pen.device_id)}}},",
        f"    .fw_major = {major}u,",
        f"    .fw_minor = {minor}u,",
        f"    .fw_patch = {patch}u,",
        f"    .clock_hz = {pen.clock_hz}u,",
        f"    .stream = {{{_stream(stream)}, channels}},",
        f"    .n_mounts = {len(pen.mounts)}u,",
        "    .mounts = mounts,",
        f'    .name = "{pen.name}",',
        "};",
    ]
    return "\n".join(head + body) + "\n"


def main(arguments: list[str]) -> int:
    """Write the files; with --check only say which ones are not what the schema gives."""
    stale = [p for p, text in generated().items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    check = arguments == ["--check"]
    for path in stale:
        if not check:
            path.write_text(generated()[path], encoding="utf-8", newline="\n")
        print(f"{'stale' if check else 'wrote'} {path.relative_to(HERE)}")
    return 1 if check and stale else 0


def _sizes() -> Iterator[str]:
    yield "/* Sizes, versions, limits. */"
    yield from (f"#define PEN_{name} {value}u" for name, value in _SIZES)
    yield ""


def _codes() -> Iterator[str]:
    for prefix, table in _TABLES:
        yield f"/* {table.__name__} */"
        yield from (f"#define PEN_{prefix}_{m.name} 0x{int(m):02X}u" for m in table)
        yield ""
    yield "/* Flag */"
    yield from (f"#define PEN_FLAG_{f.name} 0x{int(f):04X}u" for f in framing.Flag if f)
    yield ""


def _offsets() -> Iterator[str]:
    for layout in LAYOUTS:
        prefix = layout.name.upper()
        yield f"/* Offsets in the {layout.name} record. */"
        yield from (f"#define PEN_{prefix}_{f.name.upper()}_AT {at}u" for at, f in layout.offsets() if f.name)
        yield f"#define PEN_{prefix}_RECORD_BYTES {layout.struct.size}u"
        yield ""


def _identifiers() -> Iterator[str]:
    yield "/* Bluetooth identifiers, and the same with the lowest byte first, as most stacks want them. */"
    for name, text in _UUIDS:
        raw = ", ".join(f"0x{b:02X}" for b in reversed(UUID(text).bytes))
        yield f'#define PEN_UUID_{name} "{text}"'
        yield f"#define PEN_UUID_{name}_BYTES {{{raw}}}"
    yield ""


def _channel(c: ChannelSpec) -> str:
    quantity, unit = Quantity(c.quantity).name, Unit(c.unit).name
    numbers = ", ".join(f"{np.float32(value)}f" for value in (c.scale, c.offset, c.full_scale))
    what = f"PEN_QUANTITY_{quantity}, {c.axis}u, PEN_UNIT_{unit}"
    return f"{{{what}, {numbers}, {c.limit_counts}, PEN_MODEL_{SensorModel(c.model).name}}}"


def _mount(mount: Mount) -> str:
    axes = ", ".join(str(v) for row in mount.axis_map for v in row)
    arm = ", ".join(str(round(v * 10)) for v in mount.lever_arm_mm)
    return f"{{PEN_QUANTITY_{Quantity(mount.quantity).name}, {{{axes}}}, {{{arm}}}}}"


def _stream(stream: StreamSpec) -> str:
    rates = (round(r * 1000) for r in (stream.rate_hz, stream.min_rate_hz, stream.max_rate_hz))
    return ", ".join(f"{value}u" for value in (stream.id, len(stream.channels), *rates))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
