"""What to paste into a fault report. No Qt widgets."""

from __future__ import annotations

import platform
from importlib import metadata

from penapp import __version__
from penapp.live_types import LiveStatus
from penapp.ui.readings import clock_sentence
from penapp.ui.view_state import Phase, SourceChoice

PACKAGES = ("numpy", "onnxruntime", "PySide6-Essentials", "pyserial")


def report(phase: Phase, choice: SourceChoice, status: LiveStatus | None) -> str:
    """Versions and link state; no text that was written, no file names."""
    lines = [f"penapp {__version__}", f"Python {platform.python_version()} on {platform.platform()}"]
    lines += [f"{name} {_version(name)}" for name in PACKAGES]
    lines.append(f"link {phase.value}, source {choice.kind.value}")
    if status is not None:
        lines.append(
            f"{status.link.value}: {status.samples} samples at {status.rate_hz:.1f} of "
            f"{status.nominal_hz:.0f} Hz, "
            f"{status.lost} lost, {status.damaged_frames} damaged frames, "
            f"{status.gaps.links} links lost; {status.message}"
        )
        lines.append(clock_sentence(status) or "The pen's clock is not known yet")
    return "\n".join(lines)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
