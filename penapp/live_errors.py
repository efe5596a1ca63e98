"""What ended a session, as an error that was made to be read."""

from __future__ import annotations

import logging

from firmware_protocol.errors import ProtocolError
from penapp.errors import DeviceError, PenappError

log = logging.getLogger(__name__)


def shown_error(error: Exception) -> PenappError:
    """The error itself if it was made to be read; a fault of ours goes to the log as well."""
    if isinstance(error, PenappError):
        return error
    if isinstance(error, ProtocolError):
        return DeviceError(error.args[0], advice=error.advice)
    log.error("unexpected error", exc_info=error)
    return PenappError(
        f"unexpected error: {type(error).__name__}: {error}.", advice="Please report it with the log."
    )
