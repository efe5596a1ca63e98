"""The program around the window: options, display, what it loads, how it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from penapp import app
from penapp.ui.view_state import SourceChoice, SourceKind

NO_LAST_PEN = {"XDG_CONFIG_HOME": str(Path(tempfile.gettempdir()) / "penapp-tests-without-a-last-pen")}
OFFSCREEN = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **NO_LAST_PEN}


def python(code: str, env: dict[str, str] = OFFSCREEN) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=env, check=False
    )


@pytest.mark.gui
def test_the_idle_window_loads_neither_torch_nor_the_recogniser_and_leaves_no_thread():
    run = python(
        "import sys, threading\n"
        "from penapp.app import main\n"
        "assert main(['--exit-after', '0.2', '--theme', 'dark']) == 0\n"
        "heavy = {'torch', 'onnxruntime', 'scipy', 'vqf'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert threading.enumerate() == [threading.main_thread()]\n"
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.gui
def test_a_picture_of_the_window_is_saved(tmp_path: Path):
    picture = tmp_path / "window.png"
    run = python(f"from penapp.app import main; main(['--screenshot', {str(picture)!r}, '--after', '0.2'])")
    assert run.returncode == 0, run.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_a_display_it_says_what_to_do_instead():
    env = {k: v for k, v in OFFSCREEN.items() if k not in {"QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"}}
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems always have a display")
    run = python("import sys; from penapp.app import main; sys.exit(main([]))", env)
    assert run.returncode == 1
    assert "penapp live" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("environ", "platform", "shown"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_whether_a_window_can_be_shown(environ, platform, shown):
    assert (app.display_problem(environ, platform) == "") is shown


@pytest.mark.parametrize(
    ("pen", "choice"),
    [
        ("demo", SourceChoice(SourceKind.DEMO)),
        ("pad", SourceChoice(SourceKind.PAD)),
        ("a/b.pen", SourceChoice(SourceKind.REPLAY, "a/b.pen")),
        ("COM3", SourceChoice(SourceKind.SERIAL, "COM3")),
        ("/dev/ttyACM0", SourceChoice(SourceKind.SERIAL, "/dev/ttyACM0")),
    ],
)
def test_what_a_pen_option_means(pen, choice):
    assert app.choice_from(pen) == choice


def test_a_picture_into_a_missing_folder_is_refused_with_the_folder_named(tmp_path: Path, capsys):
    assert app.main(["--screenshot", str(tmp_path / "no" / "a.png")]) == 1
    assert "no folder" in capsys.readouterr().err
