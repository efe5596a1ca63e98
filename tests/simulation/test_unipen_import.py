"""UNIPEN files written by hand, in and out."""

import numpy as np
import pytest
from click.testing import CliRunner

from penapp.errors import BadInputError
from penapp.simulation.ink import InkCorpus
from penapp.simulation.unipen import UnipenFormatError, read_unipen
from penapp.simulation.unipen_cli import import_unipen_command
from penapp.simulation.unipen_import import import_unipen, save_corpus

HEADER = """.VERSION 1.0
.COMMENT the tablet of the lab
 with a second line .PEN_DOWN in the middle
.COORD X Y
.POINTS_PER_SECOND 100
.X_POINTS_PER_INCH 254
.Y_POINTS_PER_INCH 254
.WRITER_ID anna
.HAND R
"""
INK = """.PEN_DOWN
 10 100
 20 110
 30 120
.PEN_UP
.PEN_DOWN
 40 100
 50 130
.PEN_UP
.PEN_DOWN
 60 100
 70 90
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "lab").mkdir(parents=True)
    (tmp_path / "include" / "lab").mkdir(parents=True)
    return tmp_path


def words(folder, text, **included):
    (folder / "data" / "lab" / "a.dat").write_text(text, encoding="latin-1")
    for name, content in included.items():
        (folder / "include" / "lab" / f"{name}.dat").write_text(content, encoding="latin-1")
    corpus, report = import_unipen(folder)
    return [corpus.word(i) for i in range(len(corpus))], corpus, report


def test_empty_pen_ups_do_not_count_as_components(folder):
    (first, second), _, _ = words(
        folder, HEADER + '.SEGMENT WORD 0-1 OK "go"\n.SEGMENT WORD 2 OK "l"\n' + INK
    )
    assert first.label == "go"
    assert [len(stroke) for stroke in first.strokes] == [3, 2]
    assert second.label == "l"
    np.testing.assert_allclose(second.strokes[0] - second.strokes[0][0], [[0, 0], [1.0, -1.0]])


def test_scale_and_clock_become_millimetres_and_seconds(folder):
    (word,), corpus, _ = words(folder, HEADER + '.SEGMENT WORD 0-1 OK "go"\n' + INK)
    np.testing.assert_allclose(word.strokes[0], [[0, 0], [1, 1], [2, 2]])
    np.testing.assert_allclose(word.strokes[1], [[3, 0], [4, 3]])
    np.testing.assert_allclose(np.concatenate(word.times), [0, 0.01, 0.02, 0.03, 0.04])
    assert bool(corpus.clock_ok[0])
    assert word.hand == "R"
    assert not word.pen_up_known


def test_points_per_mm_and_a_different_vertical_scale(folder):
    header = HEADER.replace(".X_POINTS_PER_INCH 254", ".X_POINTS_PER_MM 20")
    (word,), _, _ = words(folder, header + '.SEGMENT WORD 0 OK "l"\n' + INK)
    np.testing.assert_allclose(word.strokes[0], [[0, 0], [0.5, 1], [1, 2]])


def test_coord_order_says_which_column_is_which(folder):
    text = HEADER.replace(".COORD X Y", ".COORD T Y P X").replace(".POINTS_PER_SECOND 100\n", "")
    text += '.SEGMENT WORD 0 OK "l"\n.PEN_DOWN\n0 100 7 10\n5 120 7 40\n10 130 7 50\n'
    (word,), corpus, _ = words(folder, text)
    np.testing.assert_allclose(word.strokes[0], [[0, 0], [3, 2], [4, 3]])
    assert corpus.rate_hz[0] == 200, "the points' own times are the clock when no rate is given"


@pytest.mark.parametrize("line", [".X_POINTS_PER_INCH 254", ".POINTS_PER_SECOND 100"])
def test_a_missing_scale_or_clock_is_said_not_invented(folder, line):
    (word,), corpus, _ = words(folder, HEADER.replace(line + "\n", "") + '.SEGMENT WORD 0 OK "l"\n' + INK)
    assert not corpus.clock_ok[0]
    assert min(corpus.units_per_mm[0], corpus.rate_hz[0]) == 0
    assert len(word.strokes[0]) == 3


def test_an_incredible_clock_is_marked(folder):
    text = HEADER.replace(".POINTS_PER_SECOND 100", ".POINTS_PER_SECOND 10000")
    _, corpus, _ = words(folder, text + '.SEGMENT WORD 0 OK "l"\n' + INK)
    assert not corpus.clock_ok[0]


def test_movement_in_the_air_is_kept_and_known(folder):
    text = (
        HEADER + '.SEGMENT WORD 0-2 OK "ab"\n.PEN_DOWN\n0 0\n5 5\n.PEN_UP\n9 9\n12 9\n.PEN_DOWN\n20 0\n30 5\n'
    )
    (word,), corpus, _ = words(folder, text)
    assert corpus.pen.tolist() == [2, 1, 3, 0, 2, 1]
    assert word.pen_up_known
    assert [len(stroke) for stroke in word.strokes] == [2, 2]
    assert word.times[1][0] == pytest.approx(0.04)


def test_withheld_ink_is_left_out_and_counted(folder):
    text = HEADER + '.SEGMENT WORD 0 OK "here"\n.SEGMENT WORD 1-2 OK "secret"\n'
    text += ".PEN_DOWN\n10 10\n30 20\n.PEN_DOWN\n 0 0\n.PEN_DOWN\n5 5\n8 8\n"
    found, _, report = words(folder, text)
    assert [word.label for word in found] == ["here"]
    assert report.skipped["ink withheld by the publisher"] == 1


def test_labels_lose_their_escapes(folder):
    text = HEADER + '.SEGMENT WORD 0 OK "say \\"a\\@b\\""\n' + INK
    (word,), _, _ = words(folder, text)
    assert word.label == 'say "a@b"'


def test_includes_are_read_from_the_include_folder(folder):
    text = '.INCLUDE lab/head.dat\n.SEGMENT WORD 0-1 ? "go"\n.INCLUDE lab/ink.dat\n'
    (word,), _, _ = words(folder, text, head=HEADER, ink=INK)
    np.testing.assert_allclose(word.strokes[1], [[3, 0], [4, 3]])


def test_segments_may_cut_components_at_points(folder):
    (word,), _, _ = words(folder, HEADER + '.SEGMENT WORD 0:1-1:0,2 OK "x"\n' + INK)
    assert [len(stroke) for stroke in word.strokes] == [2, 1, 2]


def test_other_levels_do_not_become_words(folder):
    found, _, _ = words(folder, HEADER + '.SEGMENT CHARACTER 0 OK "g"\n.SEGMENT WORD 0-1 OK "go"\n' + INK)
    assert [word.label for word in found] == ["go"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEADER + '.SEGMENT WORD 0-9 OK "far"\n' + INK,
            r"a\.dat:10: components 0-9 of 'far', but the file has 3",
        ),
        (HEADER + ".PEN_DOWN\n1 2 3\n", r"a\.dat:10: 3 values .* rows of X Y"),
        (HEADER + ".PEN_DOWN\n1 two\n", r"a\.dat:10: .* expected numbers"),
        (".COORD P T\n", r"a\.dat:1: columns 'P T', expected X and Y"),
        (".POINTS_PER_SECOND often\n", r"a\.dat:1: \.POINTS_PER_SECOND 'often', expected a number"),
        (".INCLUDE lab/gone.dat\n", r"a\.dat:1: includes 'lab/gone\.dat'.*include"),
        (HEADER + ".SEGMENT WORD\n", r"a\.dat:10: segment"),
    ],
)
def test_mistakes_are_named_with_file_and_line(folder, text, message):
    with pytest.raises(BadInputError, match=message):
        words(folder, text)


def test_a_file_that_includes_itself_ends(folder):
    (folder / "include" / "lab" / "loop.dat").write_text(".INCLUDE lab/loop.dat\n")
    with pytest.raises(UnipenFormatError, match="nest deeper"):
        read_unipen(folder / "include" / "lab" / "loop.dat", folder / "include")


def test_one_broken_file_does_not_cost_the_others(folder):
    (folder / "data" / "lab" / "b.dat").write_text(".COORD P\n")
    found, _, report = words(folder, HEADER + '.SEGMENT WORD 0-1 OK "go"\n' + INK)
    assert len(found) == 1
    assert len(report.problems) == 1


def test_the_command_writes_a_corpus_that_loads(folder, tmp_path):
    words(folder, HEADER + '.SEGMENT WORD 0-1 OK "go"\n' + INK)
    out = tmp_path / "out.npz"
    result = CliRunner().invoke(import_unipen_command, [str(folder), str(out)])
    assert result.exit_code == 0, result.output
    assert "1 words of 1 writers" in result.output
    corpus = InkCorpus.load(out)
    assert corpus.word(0).label == "go"
    assert str(corpus.split[0]) in ("train", "seen_writer", "val", "test")


def test_the_command_says_in_one_line_that_a_folder_is_empty(tmp_path):
    result = CliRunner().invoke(import_unipen_command, [str(tmp_path), str(tmp_path / "out.npz")])
    assert result.exit_code == 1
    assert "holds no UNIPEN files" in result.output
    assert not (tmp_path / "out.npz").exists()


def test_a_writer_is_in_one_split_only(folder):
    text = HEADER + "".join(f'.SEGMENT WORD 0-1 OK "w{k}"\n' for k in range(50)) + INK
    _, corpus, _ = words(folder, text)
    assert {str(part) for part in corpus.split} in ({"train", "seen_writer"}, {"val"}, {"test"})
    assert 0 < corpus.heldout_word.sum() < 25


def test_saving_replaces_whole_files(folder, tmp_path):
    _, corpus, _ = words(folder, HEADER + '.SEGMENT WORD 0 OK "l"\n' + INK)
    out = tmp_path / "ink.npz"
    out.write_bytes(b"old")
    save_corpus(corpus, out)
    assert len(InkCorpus.load(out)) == 1
    assert list(tmp_path.glob("*.partial")) == []
