"""`penapp sessions`: what has been recorded, and whether it is whole."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from penapp.record.listing import SessionEntry
    from penapp.record.salvage import Salvaged

EPILOG = """\b
Examples:
  penapp sessions                     your sessions
  penapp sessions data/2026
  penapp sessions --json | jq '.[] | select(.quality != "good") | .file'
  penapp sessions check FILE.mcap     read every byte of one session
\b
Sessions that were never closed (the program was killed, the power went) are
repaired first and listed as recovered; what cannot be read is kept in the
repaired file. With --json: a list of {file, state, quality, reason, started,
seconds, samples, lost, loss_percent, gaps, segments, words, markers, prompts,
writer, pen, title, session_id, bytes}."""

CHECK = "check"
HEADINGS: tuple[str, ...] = (
    "session", "started", "time", "samples", "lost", "gaps", "writer", "quality", "",
)  # fmt: skip


class _Sessions(click.Command):
    """`penapp sessions check FILE` beside `penapp sessions [FOLDER]`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] == CHECK:
            ctx.ensure_object(dict)["check"] = True
            args = args[1:]
        return super().parse_args(ctx, args)


@click.command(cls=_Sessions, epilog=EPILOG, options_metavar="[check FILE] [OPTIONS]")
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[FOLDER]")
@click.option("--json", "as_json", is_flag=True, help="A list of objects.")
@click.option("--no-repair", is_flag=True, help="List unclosed sessions as they are.")
@click.pass_context
def sessions(ctx: click.Context, folder: Path | None, as_json: bool, no_repair: bool) -> int:
    """List recorded sessions: duration, samples, gaps, writer, quality, recovered or not."""
    if (ctx.obj or {}).get("check"):
        if folder is None:
            raise click.UsageError("check needs a FILE.")
        return _check(folder, as_json=as_json)
    from penapp.record.folder import sessions_folder
    from penapp.record.listing import list_sessions
    from penapp.record.salvage import salvage

    where = folder or sessions_folder()
    if folder is not None and not folder.is_dir():
        raise click.UsageError(_no_folder(folder))
    if not no_repair:
        for salvaged in salvage(where):
            click.echo(f"penapp: {salvaged_line(salvaged)}", err=True)
    entries = list_sessions(where)
    if as_json:
        click.echo(json.dumps([_fields(entry) for entry in entries], ensure_ascii=False))
    elif entries:
        _print_table(entries)
        if folder is None:
            click.echo(f"penapp: these lie in {where}", err=True)
    else:
        click.echo(f"no sessions in {where}")
    return 0


def _no_folder(given: Path) -> str:
    if given.is_file():
        return f"{given} is a file, expected a folder. `penapp sessions check {given}` reads it."
    return f"there is no folder {given}."


def salvaged_line(salvaged: Salvaged) -> str:
    """What became of an unclosed session, for the person who looks at it."""
    name = salvaged.path.name
    if not salvaged.recovered:
        return f"{name} was never closed and is left as it is: {salvaged.reason}."
    unreadable = salvaged.unreadable_bytes
    kept = f"; {unreadable} bytes that cannot be read are kept in it" if unreadable else ""
    return f"{name} was never closed and is recovered: {salvaged.messages} messages{kept}."


def _check(path: Path, *, as_json: bool) -> int:
    """1 if anything in the file cannot be read, else 0."""
    from penapp.record.check import check_session

    found = check_session(path)
    if as_json:
        click.echo(json.dumps({**_fields(found.entry), "findings": found.findings}, ensure_ascii=False))
    else:
        entry = found.entry
        click.echo(f"{path}: {entry.state}, {entry.counts.frames} frames, {entry.counts.samples} samples")
        for finding in found.findings:
            click.echo(f"  {finding}")
        if not found.findings:
            click.echo("  every byte can be read, every check sum is right")
    return int(bool(found.findings))


def _print_table(entries: list[SessionEntry]) -> None:
    rows = [HEADINGS, *map(_row, entries)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(entry: SessionEntry) -> tuple[str, ...]:
    if entry.head is None:
        return (entry.path.name, "", "", "", "", "", "", entry.quality, f"{entry.state}: {entry.reason}")
    counts = entry.counts
    remark = "" if entry.state == "closed" else str(entry.state)
    return (
        entry.path.name,
        f"{_started(entry):%Y-%m-%d %H:%M}",
        _clock(counts.seconds),
        str(counts.samples),
        f"{counts.loss_percent:.2g} %",
        str(counts.gaps),
        entry.head.writer.pseudonym if entry.head.writer else "",
        str(entry.quality),
        "; ".join(part for part in (remark, entry.reason) if part),
    )


def _fields(entry: SessionEntry) -> dict[str, object]:
    head, counts = entry.head, entry.counts
    return {
        "file": str(entry.path),
        "state": str(entry.state),
        "quality": str(entry.quality),
        "reason": entry.reason,
        "started": _started(entry).isoformat(timespec="milliseconds") if head else None,
        "seconds": round(counts.seconds, 3),
        "samples": counts.samples,
        "lost": counts.lost,
        "loss_percent": round(counts.loss_percent, 3),
        "gaps": counts.gaps,
        "segments": counts.segments,
        "words": counts.words,
        "markers": counts.markers,
        "prompts": counts.prompts,
        "writer": head.writer.pseudonym if head and head.writer else None,
        "pen": head.descriptor.name if head else None,
        "title": head.title if head else None,
        "session_id": head.session_id if head else None,
        "bytes": entry.size,
    }


def _started(entry: SessionEntry) -> datetime:
    created_ns = entry.head.created_ns if entry.head else 0
    return datetime.fromtimestamp(created_ns / 1e9).astimezone()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
