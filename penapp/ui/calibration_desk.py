"""What the main window does about calibration: which pen, the wizard on top, the record into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibration.errors import CalibrationError
from penapp.errors import PenappError
from penapp.ui.readings import is_live
from penapp.ui.session_host import OpenPen
from penapp.ui.theme import LIGHT, Theme
from penapp.ui.tone import Tone
from penapp.ui.view_state import (
    CALIBRATION_PEN,
    Banner,
    Phase,
    SourceChoice,
    pen_to_calibrate,
    source_problem,
)

if TYPE_CHECKING:
    from calibration.sensor import PenCalibration
    from firmware_protocol.descriptor import Descriptor
    from penapp.ui.calibration_dialog import CalibrationDialog
    from penapp.ui.main_window import MainWindow


class CalibrationDesk:
    """At most one wizard. `frame` is called with every frame of the window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._theme: Theme = LIGHT
        self._wanted: SourceChoice | None = None
        self.dialog: CalibrationDialog | None = None

    def begin(self) -> None:
        """Open the wizard: on the pen that is connected, else on the one that is chosen."""
        if self.dialog is not None:
            self.dialog.raise_()
            return
        host = self._window.host
        idle = host.phase is Phase.IDLE
        chosen = self._window.connect_panel.choice() if idle else host.choice
        wanted = pen_to_calibrate(chosen)
        problem = source_problem(wanted)
        if problem:
            self._window.show_error(Banner(f"{problem}.", "Then calibrate the pen there.", Tone.BAD))
            return
        self._wanted = wanted
        if idle or host.choice != self._wanted:
            self._window.change_to(self._wanted)

    def frame(self) -> None:
        """Open the wizard as soon as the wanted pen streams."""
        host = self._window.host
        pen = host.pen
        if self._wanted is None or pen is None or host.choice != self._wanted or not is_live(host.status()):
            return
        descriptor = pen.session.descriptor
        if descriptor is None:
            return
        self._wanted = None
        try:
            self._open(pen, descriptor)
        except (CalibrationError, PenappError) as error:
            self._window.show_error(Banner(error.args[0], error.advice, Tone.BAD))

    def _open(self, pen: OpenPen, descriptor: Descriptor) -> None:
        """Imports are late: the window opens without what only the wizard needs."""
        from penapp.calibrate import known_pen, setup_for
        from penapp.ui.calibration_dialog import CalibrationDialog
        from penapp.ui.calibration_state import CalibrationWizard

        setup = setup_for(descriptor, known_pen(descriptor).calibration, automatic=pen.hand is not None)
        wizard = CalibrationWizard(setup, pen.session.ring, pen.hand)
        name = descriptor.name or descriptor.device_id.hex()
        self.dialog = CalibrationDialog(wizard, name, self._theme, self._window)
        self.dialog.wanted.connect(self._save)
        self.dialog.gone.connect(self._closed)
        self.dialog.show()

    def pen_gone(self) -> None:
        """The session is over."""
        if self.dialog is not None:
            self.dialog.pen_gone()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self.dialog is not None:
            self.dialog.set_theme(theme)

    def close(self) -> None:
        """With the window."""
        self._wanted = None
        if self.dialog is not None:
            self.dialog.close()

    def _save(self, record: PenCalibration) -> None:
        """Keep the record; a real pen is connected again, so that it counts from now on."""
        from penapp.calibrate import calibration_store

        try:
            calibration_store().save(record)
        except CalibrationError as error:
            self._window.show_error(Banner(error.args[0], error.advice, Tone.BAD))
            return
        host = self._window.host
        if host.phase is Phase.CONNECTED and host.choice.target != CALIBRATION_PEN:
            self._window.change_to(host.choice)

    def _closed(self) -> None:
        self.dialog = None
        if self._window.host.choice.target == CALIBRATION_PEN:
            self._window.change_to(None)
