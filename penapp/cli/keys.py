"""Lines from the keyboard while something else goes on."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading


class Keys:
    """Reads standard input on a thread of its own; the end of input means that nobody is there."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="penapp-keys", daemon=True).start()

    def pressed(self) -> str | None:
        """The next line, lower case without blanks ("" = Enter alone); None when nothing was typed."""
        try:
            return self._lines.get_nowait()
        except queue.Empty:
            return None

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # no keyboard, or closed meanwhile
            for line in sys.stdin:
                self._lines.put(line.strip().lower())
