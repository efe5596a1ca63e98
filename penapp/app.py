"""The window's composition root: which pen, which pipeline, which options. Qt is imported late."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from penapp.errors import BadInputError, PenappError

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from penapp.ui.main_window import MainWindow
    from penapp.ui.view_state import SourceChoice

PEN_HELP = """what to connect to at once: 'demo' or 'virtual' (virtual pen), 'pad' (write in the window),
'virtual-ble', a serial port, socket://HOST:PORT, ble:ADDRESS (ble: alone = the only Bluetooth pen near),
lsl:STREAM, or a recording"""
RECORD_HELP = """record every connected pen to FILE.mcap or FILE.pen; without FILE to a session named after
the time, in your folder of sessions"""


class NoDisplayError(PenappError):
    """A window was wanted where none can be shown."""


class NoQtError(PenappError):
    """The window's library is not installed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window; returns the exit code."""
    options = parser().parse_args(argv)
    try:
        return run(options)
    except PenappError as error:
        print(f"penapp: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The window's options."""
    found = argparse.ArgumentParser(prog="penapp", description="The penapp window.")
    found.add_argument("--pen", metavar="PEN", help=PEN_HELP)
    found.add_argument("--demo", dest="pen", action="store_const", const="demo", help="same as --pen demo")
    found.add_argument("--theme", choices=("light", "dark", "auto"), default="auto", help="colours")
    found.add_argument("--record", type=Path, nargs="?", const=Path(), metavar="FILE", help=RECORD_HELP)
    found.add_argument(
        "--screenshot", type=Path, metavar="PNG", help="save a picture of the window and leave"
    )
    found.add_argument("--after-words", type=int, metavar="N", help="take the picture after N words")
    found.add_argument("--after", type=float, metavar="SECONDS", help="take the picture after SECONDS")
    found.add_argument("--exit-after", type=float, metavar="SECONDS", help="leave after SECONDS")
    return found


def display_problem(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """Why no window can be shown here; empty when one can."""
    if not platform.startswith("linux") or environ.get("QT_QPA_PLATFORM"):
        return ""
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        return ""
    return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"


def run(options: argparse.Namespace) -> int:
    """Build the window, let it run, take it down."""
    problem = display_problem()
    if problem:
        raise NoDisplayError(f"{problem}.", advice="`penapp live` decodes in the terminal.")
    app, window = build(options)
    window.show()
    signal.signal(signal.SIGINT, lambda *_: window.close())
    sys.excepthook = _fault_shower(window)
    code = app.exec()
    sys.excepthook = sys.__excepthook__
    return code


def build(options: argparse.Namespace) -> tuple[QApplication, MainWindow]:
    """The application and its window, with everything the options ask for already arranged."""
    try:
        from PySide6.QtCore import Qt, QTimer
        from PySide6.QtWidgets import QApplication
    except ImportError as error:
        raise NoQtError(f"the window needs PySide6 ({error}).", advice="Install `penapp[app]`.") from error
    from penapp.ui.ble_control import BleControl
    from penapp.ui.last_pen import default_store
    from penapp.ui.main_window import MainWindow
    from penapp.ui.near_watch import NearWatch
    from penapp.ui.pens import find_ports, opener, unavailable
    from penapp.ui.theme import ThemeChoice

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, False)
    app = QApplication.instance()
    app = app if isinstance(app, QApplication) else QApplication([sys.argv[0] or "penapp"])
    app.setApplicationName("penapp")
    ble = BleControl(NearWatch(), default_store())
    window = MainWindow(opener(record_to=options.record), find_ports, ThemeChoice(options.theme), ble=ble)
    window.connect_panel.grey(unavailable())
    QTimer.singleShot(0, window.refresh_ports)
    if not options.pen:
        window.meet_last_pen()
    else:
        choice = choice_from(options.pen)
        QTimer.singleShot(0, lambda: window.connect_to(choice))
    if options.exit_after is not None:
        QTimer.singleShot(int(options.exit_after * 1000), window.close)
    if options.screenshot is not None:
        _plan_screenshot(window, options)
    return app, window


def choice_from(pen: str) -> SourceChoice:
    """What `--pen` means."""
    from penapp.device.discover import VIRTUAL, ble_address
    from penapp.device.recorded import is_recorded
    from penapp.ui.view_state import SourceChoice, SourceKind

    if pen == VIRTUAL:
        return SourceChoice(SourceKind.DEMO)
    if pen in {"demo", "pad", "virtual-ble"}:
        return SourceChoice(SourceKind(pen))
    address = ble_address(pen)
    if address is not None:
        return SourceChoice(SourceKind.BLE, address)
    if is_recorded(pen):
        return SourceChoice(SourceKind.REPLAY, pen)
    return SourceChoice(SourceKind.SERIAL, pen)


def _plan_screenshot(window: MainWindow, options: argparse.Namespace) -> None:
    """Take the picture once, when the words or the seconds are there, then leave."""
    from PySide6.QtCore import QTimer

    from penapp.ui.layout import SIZE

    path: Path = options.screenshot
    if not path.parent.is_dir():
        raise BadInputError(f"{path} cannot be written: there is no folder {path.parent}.")

    window.resize(SIZE)

    def take() -> None:
        if not window.grab().save(str(path)):
            print(f"penapp: {path} could not be written", file=sys.stderr)
        window.close()

    if options.after_words is not None:
        window.when_words(options.after_words, take)
    if options.after is not None or options.after_words is None:
        QTimer.singleShot(int((options.after or 3.0) * 1000), take)


def _fault_shower(
    window: MainWindow,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Faults inside the window are shown in it as well, instead of only on a terminal nobody sees."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        window.show_fault(error)

    return show


if __name__ == "__main__":
    raise SystemExit(main())
