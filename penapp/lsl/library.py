"""The one place that loads pylsl; without it one message says how to get it."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from penapp.errors import DeviceError

QUIET = "[log]\nlevel = -1\n"
"""Warnings and worse: the library's own lines would run through the text on the terminal."""


class LslMissingError(DeviceError):
    """pylsl, or the library behind it, is not installed."""


class LslStreamError(DeviceError):
    """No such LSL stream, or one that is no pen."""


def load_pylsl() -> Any:
    """The module pylsl; raises `LslMissingError`."""
    try:
        pylsl = import_module("pylsl")
    except ImportError as error:
        raise LslMissingError(
            f"LSL needs pylsl, which is not installed here ({error}).",
            advice='Install the extra: pip install "penapp[lsl]".',
        ) from error
    except RuntimeError as error:  # pylsl is there, the library it loads is not
        raise LslMissingError(
            f"pylsl is installed, but the library behind it does not load: {str(error).splitlines()[0]}",
            advice='pip install --force-reinstall "pylsl>=1.18.2" brings one.',
        ) from error
    if not _configured() and hasattr(pylsl, "set_config_content"):
        pylsl.set_config_content(QUIET)
    return pylsl


def _configured() -> bool:
    """Whether the user has a configuration of LSL, in one of the places where the library looks."""
    places = (Path("lsl_api.cfg"), Path.home() / "lsl_api/lsl_api.cfg", Path("/etc/lsl_api/lsl_api.cfg"))
    return "LSLAPICFG" in os.environ or any(place.is_file() for place in places)
