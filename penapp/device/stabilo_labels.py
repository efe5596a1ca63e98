"""`labels.csv` of a STABILO recording: what was written, in the order in which it was."""

from __future__ import annotations

from pathlib import Path

from penapp.errors import BadInputError

LABELS = "labels.csv"


def written_text(folder: Path) -> str | None:
    """The labels with a space between them, by their start; None where there is no such file."""
    path = folder / LABELS
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()[1:]
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}.", advice="Move it away to go on.") from error
    labels = [_label(path, number, line) for number, line in enumerate(lines, start=2) if line.strip()]
    return " ".join(label for _, label in sorted(labels, key=lambda pair: pair[0])) or None


def _label(path: Path, number: int, line: str) -> tuple[float, str]:
    """(start in Millis, label) of a line."""
    try:
        label, start, _ = line.split(";")[:3]
        return float(start), label.strip()
    except ValueError:
        raise BadInputError(
            f"{path}, line {number} reads {line[:60]!r}.", advice="Expected label;start;stop."
        ) from None
