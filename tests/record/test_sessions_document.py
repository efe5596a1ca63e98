"""docs/sessions.md says what is so: its snippet runs, its tables are those of the code."""

import re
import subprocess
import sys
from pathlib import Path
from zlib import crc32

from penapp.record import head
from penapp.record.head import checked
from penapp.record.layout import CHANNELS, FORMAT_VERSION, FRAME_ENCODING
from penapp.record.types import EventKind, LabelAction
from tests.record.session_toys import HEAD, pen_frames, write_session

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sessions.md").read_text(encoding="utf-8")


def test_the_snippet_reads_a_session_with_mcap_and_numpy_alone(tmp_path):
    (snippet,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert "penapp" not in snippet
    path = write_session(tmp_path / "s.mcap", pen_frames(30))
    (tmp_path / "read.py").write_text(snippet)
    done = subprocess.run(
        [sys.executable, "read.py", path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    first, second, *rest = done.stdout.splitlines()
    assert first == "240 samples of 13 channels"
    assert '"kind":"marker","text":"here"' in second
    assert rest == []


def test_the_channels_are_those_of_the_table():
    stated = re.findall(r"^\| (\d) \| `(/pen/\w+)` \|", DOCUMENT, re.MULTILINE)
    assert stated == [(str(plan.number), plan.topic) for plan in CHANNELS]
    assert FRAME_ENCODING in DOCUMENT
    assert f"format version {FORMAT_VERSION}" in DOCUMENT


def test_metadata_kinds_and_actions_are_named():
    names = {head.SESSION, head.DESCRIPTOR, head.SOFTWARE, head.CALIBRATION, head.CONSENT, head.WRITER}
    names |= {head.SUMMARY, head.RECOVERED, *EventKind, *LabelAction}
    assert [name for name in sorted(names) if f"`{name}`" not in DOCUMENT] == []


def test_the_check_sum_of_metadata_is_the_one_described():
    values = HEAD.metadata()[head.CONSENT]
    parts = sorted(f"{len(n.encode())}:{n}{len(v.encode())}:{v}" for n, v in values.items())
    assert checked(values)["crc32"] == f"{crc32(''.join(parts).encode()):08x}"
