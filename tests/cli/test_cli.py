import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penapp.cli.root import COMMANDS
from penapp.cli.run_cli import run_cli
from penapp.cli.views import TerminalView
from penapp.cli.words import status_line
from penapp.decode.types import Hypothesis, TextState
from penapp.device.errors import RecordingError
from penapp.device.recording import Recording, StreamWriter
from penapp.live_types import LinkChanged, LinkState, LiveStatus, TextCommitted, TextTentative
from tests.cli.toy_cli import WORDS, toy_modules
from tests.device.test_recording_and_replay import DESCRIPTOR, data_frames

ROOT = Path(__file__).parents[2]


@pytest.fixture
def penapp(monkeypatch, capsys):
    """Runs a command with the toy pen and the toy pipeline; gives exit code, stdout, stderr."""
    for name, module in toy_modules().items():
        monkeypatch.setitem(sys.modules, name, module)

    def call(*arguments):
        code = run_cli([str(a) for a in arguments])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


@pytest.fixture
def recording(tmp_path):
    writer = StreamWriter(tmp_path / "abc.pen", DESCRIPTOR)
    writer.append(data_frames("abc"))
    writer.close()
    return writer.path


def test_live_writes_the_committed_words_into_a_pipe(penapp):
    code, out, err = penapp("live", "--speed", 0)
    assert (code, out) == (0, " ".join(WORDS) + "\n")
    assert "6 words in 6 s of pen time, 0.0 % of samples lost" in err


def test_live_as_json_lines(penapp):
    _, out, _ = penapp("live", "--speed", 0, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert [e["text"] for e in events if e["event"] == "committed"] == list(WORDS)
    assert [e["state"] for e in events if e["event"] == "link"] == ["opening", "streaming", "ended"]
    assert events[-1]["event"] == "summary"
    assert events[-1]["samples"] == 600


def test_what_live_records_decode_reads_again(penapp, tmp_path):
    _, _, told = penapp("live", "--speed", 0, "--record", tmp_path / "s.pen")
    assert f"penapp: recorded to {tmp_path / 's.pen'}" in told
    assert penapp("decode", tmp_path / "s.pen") == (0, " ".join(WORDS) + "\n", "")
    code, out, _ = penapp("live", "--pen", tmp_path / "s.pen", "--speed", 0)
    assert (code, out) == (0, " ".join(WORDS) + "\n")


def test_a_provider_that_is_not_there_is_told_before_the_text(recording, toy_model, monkeypatch, capsys):
    from penapp.recognise import session

    monkeypatch.setattr(session.OnnxRecogniser.__init__, "__defaults__", (toy_model, "cpu"))
    monkeypatch.setattr(session, "_known_providers", lambda: ("CPUExecutionProvider",))
    assert run_cli(["decode", "--provider", "cuda", str(recording)]) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("penapp: the recogniser runs on CPU (asked for cuda: not available here). ")
    assert run_cli(["decode", "--provider", "tpu", str(recording)]) == 1
    assert capsys.readouterr().err.startswith("penapp: unknown provider 'tpu'. Known: cpu, cuda")


def test_a_recording_that_fails_is_exit_code_1_and_the_text_is_there(penapp, tmp_path, monkeypatch):
    real = StreamWriter.append

    def full(self, frames):
        if self.written_bytes > 2000:
            raise RecordingError("the disk is full.", advice="Free some space.")
        real(self, frames)

    monkeypatch.setattr(StreamWriter, "append", full)
    code, out, err = penapp("live", "--speed", 0, "--record", tmp_path / "s.pen")
    assert (code, out) == (1, " ".join(WORDS) + "\n")
    assert err.splitlines()[-1] == "penapp: the disk is full. Free some space."


def test_decode_says_that_a_recording_was_cut_short(penapp, recording):
    recording.write_bytes(recording.read_bytes()[:-7])
    code, out, err = penapp("decode", recording)
    assert (code, out) == (0, "a b c\n")
    assert "1 damaged or cut-short frames were skipped" in err


def test_decode_as_json(penapp, recording):
    _, out, _ = penapp("decode", "--json", recording)
    found = json.loads(out)
    assert (found["text"], found["samples"], found["lost"]) == ("a b c", 300, 0)
    assert found["words"][1]["start_t"] == pytest.approx(1.0, abs=0.02)


def test_decode_goes_on_after_a_bad_file_and_says_one_line_for_each(penapp, recording, tmp_path):
    empty, text = tmp_path / "empty.pen", tmp_path / "notes.pen"
    empty.touch()
    text.write_text("hello")
    code, out, err = penapp("decode", empty, text, tmp_path / "none.pen", recording)
    assert (code, out) == (1, f"{recording}: a b c\n")
    lines = err.splitlines()
    assert [line.startswith("penapp: ") for line in lines] == [True] * 3
    assert "empty.pen is empty" in lines[0]
    assert "no recording of a pen" in lines[1]
    assert "cannot be opened" in lines[2]


def test_decode_says_how_much_is_missing(penapp, tmp_path):
    writer = StreamWriter(tmp_path / "gap.pen", DESCRIPTOR)
    frames = data_frames("abc")
    writer.append(frames[:10] + frames[12:])
    writer.close()
    code, out, err = penapp("decode", tmp_path / "gap.pen")
    assert (code, out) == (0, "a b c\n")
    assert "5.3 % of the samples are missing" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["live", "--pen", "/dev/no-such-pen"], "there is no pen at /dev/no-such-pen. Plug it in"),
        (["live", "--pen", "gone.pen"], "gone.pen cannot be opened"),
    ],
)
def test_a_failure_is_one_line_and_exit_code_1(penapp, arguments, reason):
    code, _, err = penapp(*arguments)
    assert code == 1
    assert err.splitlines()[-1].startswith("penapp: ")
    assert reason in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["live", "--speed", "-1"],
        ["live", "--speed", "nan"],
        ["live", "--pen", "/dev/ttyACM0", "--speed", "2"],
        ["decode"],
        ["frobnicate"],
        ["live", "--frobnicate"],
        ["live", "--wait"],
        ["live", "--wait", "--pen", "virtual-ble"],
    ],
)
def test_wrong_usage_is_exit_code_2(penapp, arguments):
    code, out, err = penapp(*arguments)
    assert (code, out) == (2, "")
    assert "Error:" in err


def test_a_session_file_in_place_of_a_folder_is_told_what_reads_it(penapp, recording):
    code, _, err = penapp("sessions", recording)
    assert code == 2
    assert f"`penapp sessions check {recording}`" in err


def test_your_sessions_are_listed_with_the_folder_they_lie_in(penapp, tmp_path, monkeypatch):
    monkeypatch.setattr("penapp.record.folder.user_data_path", lambda _: tmp_path)
    penapp("live", "--speed", 0, "--record")
    code, out, err = penapp("sessions")
    assert code == 0
    assert "session-" in out
    assert err == f"penapp: these lie in {tmp_path / 'sessions'}\n"


def test_devices_lists_the_virtual_pens_first(penapp):
    code, out, _ = penapp("devices", "--no-ble", "--json")
    assert code == 0
    assert [place["address"] for place in json.loads(out)[:2]] == ["virtual", "virtual-ble"]
    assert penapp("devices", "--no-ble")[1].startswith("virtual")


def test_run_without_a_display_decodes_in_the_terminal(penapp, monkeypatch):
    monkeypatch.setattr("penapp.cli.run.window_problem", lambda: "there is no display")
    monkeypatch.setattr("penapp.cli.sources._pace", lambda _: None)
    code, out, err = penapp("run")
    assert (code, out.split()) == (0, list(WORDS))
    assert "there is no display, so this is the terminal" in err


@pytest.mark.parametrize(
    ("arguments", "window"),
    [([], []), (["run"], ["--pen", "demo"]), (["run", "--pen", "COM3"], ["--pen", "COM3"])],
)
def test_where_there_is_a_display_the_window_opens(penapp, monkeypatch, arguments, window):
    asked = []
    monkeypatch.setattr("penapp.cli.run.window_problem", lambda: "")
    monkeypatch.setattr("penapp.app.main", lambda a: asked.append(a) or 0)
    assert penapp(*arguments)[0] == 0
    assert asked == [window]


def test_help_names_every_command_and_shows_examples(penapp):
    code, out, _ = penapp("--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)
    assert "penapp decode today.mcap" in out
    for command in COMMANDS:
        code, out, _ = penapp(command, "--help")
        assert code == 0
        assert "Examples:" in out


def test_help_loads_nothing_heavy():
    """What makes `penapp --help` fast: neither numpy nor Qt nor a runtime is imported for it."""
    program = (
        "import sys; from penapp.cli.run_cli import run_cli; run_cli(['--help']);"
        "heavy = {'numpy', 'PySide6', 'onnxruntime', 'torch', 'scipy', 'serial'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_ends_cleanly_and_keeps_every_recorded_byte(tmp_path):
    path = tmp_path / "s.pen"
    command = [
        sys.executable,
        "-m",
        "tests.cli.toy_cli",
        "live",
        "--json",
        "--speed",
        "20",
        "--record",
        str(path),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as program:
        lines = []
        while not any('"committed"' in line for line in lines):
            lines.append(program.stdout.readline())
            assert lines[-1], program.stderr.read()
        program.send_signal(signal.SIGINT)
        rest, errors = program.communicate(timeout=20)
    assert program.returncode == 130
    assert "Traceback" not in errors
    end = json.loads(rest.splitlines()[-1])
    assert end["event"] == "summary"
    assert path.stat().st_size == end["recorded_bytes"]
    stream = Recording(path)
    assert sum(f.n for batch in stream.frames() for f in batch) == end["samples"] > 0
    stream.close()


def word(text, state=TextState.COMMITTED):
    return Hypothesis(text, (), (), 1.0, state)


def test_the_terminal_shows_tentative_text_dim_and_committed_text_plain():
    out = io.StringIO()
    view = TerminalView(out, width=60)
    view.event(TextCommitted(word("hello"), 0))
    view.event(TextTentative(word("wor", TextState.TENTATIVE), 0))
    assert "hello\x1b[2m wor\x1b[0m\n" in out.getvalue()
    view.event(TextTentative(None, 0))
    assert out.getvalue().rsplit("\r", 1)[1].startswith("\x1b[1A\x1b[Jhello\x1b[2m\x1b[0m")


def test_a_line_is_never_erased_without_its_text_following_in_the_same_write():
    class Terminal(io.StringIO):
        def write(self, text):
            writes.append(text)
            return len(text)

    writes = []
    view = TerminalView(Terminal(), width=20)
    for k in range(5):
        view.event(TextCommitted(word(f"word{k}"), 0))
    assert not any(text.endswith("\x1b[J") for text in writes)


def test_a_full_line_stays_and_none_is_wider_than_the_terminal():
    out = io.StringIO()
    view = TerminalView(out, width=20)
    for k in range(12):
        view.event(TextCommitted(word(f"word{k:02}"), 0))
        view.event(TextTentative(word("tentative" * 4, TextState.TENTATIVE), 0))
    view.close(LiveStatus())
    shown = screen(out.getvalue())
    assert " ".join(shown[:-1]).split() == [f"word{k:02}" for k in range(12)]
    assert max(map(len, shown)) < 20


def screen(output):
    """What stands on the terminal after the escapes the view uses."""
    lines, x = [""], 0
    for ch in (
        output.replace("\x1b[2m", "")
        .replace("\x1b[0m", "")
        .replace("\x1b[1A", "\x01")
        .replace("\x1b[J", "\x02")
    ):
        if ch == "\n":
            lines, x = [*lines, ""], 0
        elif ch == "\r":
            x = 0
        elif ch == "\x01":
            lines_below = lines.pop()
            assert lines_below is not None
        elif ch == "\x02":
            lines[-1] = lines[-1][:x]
        else:
            lines[-1] = lines[-1][:x] + ch
            x += 1
    return [line for line in lines if line]


def test_the_status_line_shows_rate_loss_and_what_is_wrong():
    status = LiveStatus(LinkState.STREAMING, "pen", 99.6, 100.0, 1000, 50, 4.8, 3)
    assert status_line(status) == "live · pen · 100 of 100 Hz · 4.8 % lost · pen up · 3 damaged"
    wrong = LiveStatus(LinkState.STREAMING, "pen", message="it is silent.", advice="Wake it.")
    assert status_line(wrong) == "it is silent. Wake it."
    assert LinkChanged(status).status is status
