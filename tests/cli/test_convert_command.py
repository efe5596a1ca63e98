"""Recordings of other pens at the command line and in the window's list of what can be played."""

import numpy as np
import pytest

from penapp.app import choice_from
from penapp.cli.run_cli import run_cli
from penapp.device.recording import Recording
from penapp.device.stabilo_units import MAX_COUNTS, MAX_SI
from penapp.evaluation.corpora import stream_sessions
from penapp.offline import decode_recording
from penapp.pipeline import default_pipeline
from penapp.simulation.demo_ink import demo_sentences, sentence_ink
from penapp.simulation.sources import write_ink
from penapp.ui.view_state import SourceChoice, SourceKind, source_problem
from tests.device.stabilo_toys import toy_counts, toy_lines, toy_recording


@pytest.fixture
def penapp(capsys):
    def call(*arguments):
        code = run_cli([str(a) for a in arguments])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def test_convert_writes_a_stream_with_the_gaps_and_tells_what_it_guessed(penapp, tmp_path):
    counter = np.arange(100)
    counter[50:] += 3
    folder = toy_recording(tmp_path / "rec", toy_lines(toy_counts(100), counter=counter))
    code, out, err = penapp("convert", folder, tmp_path / "o.pen")
    assert (code, out) == (0, f"{tmp_path / 'o.pen'}: 100 samples, 3 lost (2.91 %), 1 segment(s)\n")
    assert "2.4 mT, not confirmed" in err
    recording = Recording(tmp_path / "o.pen")
    frames = [frame for batch in recording.frames() for frame in batch]
    recording.close()
    assert recording.descriptor.name.startswith("STABILO")
    assert frames[-1].index + frames[-1].n == 103
    code, _, err = penapp("convert", folder, tmp_path / "o.pen")
    assert code == 1
    assert "is already there" in err


def test_the_labels_become_the_text_that_evaluate_wants(penapp, tmp_path):
    folder = toy_recording(tmp_path / "rec", toy_lines(toy_counts(40)))
    (folder / "labels.csv").write_text("label;start;stop\nB;1200;1290\nHaus;1000;1100\n", encoding="utf-8")
    _, _, err = penapp("convert", folder, tmp_path / "o.pen")
    assert "o.txt, as `penapp evaluate` takes it" in err
    assert (tmp_path / "o.txt").read_text(encoding="utf-8") == "Haus B\n"
    (session,) = stream_sessions(tmp_path)
    assert session.references[0].label == "HausB"
    (folder / "labels.csv").write_text("label;start;stop\nB\n", encoding="utf-8")
    code, _, err = penapp("convert", folder, tmp_path / "p.pen")
    assert code == 1
    assert "labels.csv, line 2 reads 'B'. Expected label;start;stop." in err
    assert not (tmp_path / "p.pen").exists()


def test_axes_said_at_the_command_line_are_in_the_converted_pen(penapp, tmp_path):
    folder = toy_recording(tmp_path / "rec", toy_lines(toy_counts(40)))
    assert penapp("convert", "--axes", "y,-x,z", folder, tmp_path / "o.pen")[0] == 0
    recording = Recording(tmp_path / "o.pen")
    recording.close()
    assert {m.axis_map for m in recording.descriptor.mounts} == {((0, 1, 0), (-1, 0, 0), (0, 0, 1))}


@pytest.mark.parametrize(
    ("name", "target", "reason"),
    [
        ("none", "o.pen", "cannot be opened"),
        ("rec", "o.csv", "no name for a recorded stream, expected o.pen"),
        ("old.pen", "o.pen", "is a recorded stream already"),
    ],
)
def test_what_cannot_be_converted_is_one_line(penapp, tmp_path, name, target, reason):
    folder = toy_recording(tmp_path / "rec", toy_lines(toy_counts(40)))
    penapp("convert", folder, tmp_path / "old.pen")
    code, out, err = penapp("convert", tmp_path / name, tmp_path / target)
    assert (code, out) == (1, "")
    assert reason in err
    assert len(err.splitlines()) == 1


def test_the_window_takes_the_folder_as_a_recording(tmp_path):
    folder = toy_recording(tmp_path / "rec", toy_lines(toy_counts(40)))
    choice = choice_from(str(folder))
    assert choice == SourceChoice(SourceKind.REPLAY, str(folder))
    assert not source_problem(choice)


def test_the_same_writing_gives_the_same_text_from_the_csv_and_from_its_conversion(penapp, tmp_path):
    """Written by the simulator with the Digipen's scales: the whole way from the csv to words."""
    session = write_ink(sentence_ink(demo_sentences()[0])[:2], 1)
    scale = MAX_SI / MAX_COUNTS
    counts = np.clip(np.rint(session.values / scale), -MAX_COUNTS, MAX_COUNTS - 1).astype(int)
    folder = toy_recording(tmp_path / "rec", toy_lines(counts))
    decoded = decode_recording(folder, default_pipeline)
    assert decoded.text == "the grass"
    penapp("convert", folder, tmp_path / "o.pen")
    again = decode_recording(tmp_path / "o.pen", default_pipeline)
    assert again.words == decoded.words
