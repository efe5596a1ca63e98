"""`penapp live`: a live session shown in the terminal."""

from __future__ import annotations

import queue
import sys
from pathlib import Path

import click

from penapp.cli.lsl import LslView, check_pace
from penapp.cli.providers import CPU, pipeline_on, provider_option
from penapp.cli.recording import record_option, tell_recovered, telling_where
from penapp.cli.sources import source_for
from penapp.cli.views import JsonView, PlainView, TerminalView, View
from penapp.device.source import PenSource
from penapp.live import LiveEvent, LiveSession, MakePipeline

REFRESH_S = 0.2

EPILOG = """\b
Examples:
  penapp live                               the virtual pen writes its sentences once
  penapp live --pen /dev/ttyACM0 --record today.mcap
  penapp live --pen socket://192.168.0.7:4000
  penapp live --pen ble:                    the Bluetooth pen that is near
  penapp live --pen today.mcap --speed 4    a recording, four times as fast
  penapp live --pen lsl:MyPen               an LSL stream with a pen's channels
  penapp live --lsl                         streams 'penapp' and 'penapp text' for LSL
  penapp live --json | jq -r 'select(.event == "committed") | .text'
\b
With --json: {event: committed, text, confidence, start_t, end_t, candidates} for
a word (seconds on the pen's clock), {event: tentative, text} while it is being
written, {event: link, state, pen, samples, lost, loss_percent, damaged_frames, ...}
for a change of the link, {event: gap, cause, lost, duration_s, uncertainty_s} for
missing samples (lost is null where the pen was started again), {event: failed,
message, advice}, and {event: summary, ...} at the end.
\b
A pen that is lost is looked for until it is back or Ctrl-C; the text and the
recording go on.
\b
Dim text is tentative and may change; plain text is committed and never does.
Ctrl-C ends the session; what was recorded stays."""


@click.command(epilog=EPILOG)
@click.option(
    "--pen",
    default="virtual",
    show_default=True,
    metavar="PEN",
    help="'virtual', a serial port, socket://HOST:PORT, ble:ADDRESS (ble: alone = the only Bluetooth pen "
    "near), 'virtual-ble', lsl:STREAM, or a recording.",
)
@record_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each event, one on a line.")
@click.option("--wait", is_flag=True, help="Wait for a real pen that is not there yet.")
@click.option(
    "--speed",
    type=float,
    metavar="X",
    help="Pace of the virtual pen or a recording: 1 as written (default), 4 faster, 0 as fast as it goes.",
)
@click.option(
    "--lsl",
    is_flag=False,
    flag_value="penapp",
    metavar="[NAME]",
    help="Send samples and words out as LSL streams NAME and 'NAME text'. [default name: penapp]",
)
@provider_option
def live(  # noqa: PLR0913 -- one argument for each option
    pen: str,
    record: Path | None,
    as_json: bool,
    speed: float | None,
    lsl: str | None = None,
    provider: str = CPU,
    *,
    wait: bool = False,
) -> None:
    """Decode what a pen writes, live, in the terminal.

    The upper line is the text, the lower one says how the link does: samples per second, samples lost.
    """
    if lsl is not None:
        check_pace(speed)
    if record is not None:
        tell_recovered(record)
    source, view = source_for(pen, speed, wait=wait), _view(as_json)
    with telling_where(record):
        _live(source, pipeline_on(provider), view, record, lsl)


def _live(
    source: PenSource, make_pipeline: MakePipeline, view: View, record: Path | None, lsl: str | None
) -> None:
    """With LSL outlets beside the view if `lsl` names them."""
    if lsl is None:
        play(source, make_pipeline, view, record_to=record)
        return
    from penapp.device.tap import TappedSource
    from penapp.lsl.outlet import LslOutlet

    outlet = LslOutlet(lsl)
    try:
        tapped = TappedSource(source, outlet)
        play(tapped, make_pipeline, LslView(view, outlet), record_to=record)
    finally:
        outlet.close()


def play(
    source: PenSource, make_pipeline: MakePipeline, view: View, *, record_to: Path | None = None
) -> None:
    """Run a session until its source ends or Ctrl-C; raises what ended it or spoiled its recording."""
    events: queue.SimpleQueue[LiveEvent] = queue.SimpleQueue()
    session = LiveSession(source, make_pipeline, record_to=record_to, on_event=events.put)
    session.start()
    try:
        while not session.wait(0.0):
            _show(events, view, REFRESH_S)
            view.status(session.status())
    finally:
        session.stop()
        _show(events, view, 0.0)
        view.close(session.status())
    error = session.error or session.recording_error
    if error is not None:
        raise error


def _show(events: queue.SimpleQueue[LiveEvent], view: View, patience_s: float) -> None:
    """All events that wait, the first of them for at most `patience_s`."""
    try:
        view.event(events.get(timeout=patience_s) if patience_s else events.get_nowait())
        while True:
            view.event(events.get_nowait())
    except queue.Empty:
        return


def _view(as_json: bool) -> View:
    if as_json:
        return JsonView(sys.stdout)
    return TerminalView(sys.stdout) if sys.stdout.isatty() else PlainView(sys.stdout, sys.stderr)
