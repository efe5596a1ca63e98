"""The pen of last time: a small file, written whole or not at all; a broken one counts as none. No Qt."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from penapp.ui.near_state import worth_remembering
from penapp.ui.view_state import SourceChoice, SourceKind

log = logging.getLogger(__name__)

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class LastPen:
    """Where it was, and how it called itself."""

    choice: SourceChoice
    name: str = ""


class LastPenStore:
    """Keeps one pen in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> LastPen | None:
        """None when there is none, or what is there cannot be read (said in the log, left in place)."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if content["format_version"] != FORMAT_VERSION:
                raise ValueError(f"format version {content['format_version']}, expected {FORMAT_VERSION}")
            choice = SourceChoice(SourceKind(content["kind"]), str(content["target"]))
            found = LastPen(choice, str(content["name"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the last pen cannot be read from %s: %s", self._path, error)
            return None
        return found if worth_remembering(found.choice) else None

    def save(self, pen: LastPen) -> None:
        """Replace the file; a folder that cannot be written costs the memory, not the session."""
        content = {
            "format_version": FORMAT_VERSION,
            "kind": pen.choice.kind.value,
            "target": pen.choice.target,
            "name": pen.name,
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, suffix=".part")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(content, file, indent=1, ensure_ascii=False)
                Path(temporary).replace(self._path)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            log.warning("the last pen cannot be kept in %s: %s", self._path, error)

    def forget(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def default_store() -> LastPenStore:
    """In the user's folder for configuration, as the system has it."""
    from platformdirs import user_config_path

    return LastPenStore(user_config_path("penapp", appauthor=False) / "last-pen.json")
