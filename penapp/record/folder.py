"""Where sessions are kept, and what a new one is called."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from platformdirs import user_data_path

from penapp.device.errors import RecordingError
from penapp.record.layout import SUFFIX
from penapp.record.out_file import free_name


def sessions_folder() -> Path:
    """This user's folder for sessions; it may not exist yet."""
    return user_data_path("penapp") / "sessions"


def new_session_path(folder: Path | None = None, *, now: datetime | None = None) -> Path:
    """A free name for a session that begins now; the folder is made. Raises `RecordingError`."""
    where = folder or sessions_folder()
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(
            f"the folder for sessions {where} cannot be made: {error.strerror}.",
            advice="Choose another with --record FILE.",
        ) from error
    at = now or datetime.now().astimezone()
    return free_name(where / f"session-{at:%Y-%m-%d-%H%M%S}{SUFFIX}")
