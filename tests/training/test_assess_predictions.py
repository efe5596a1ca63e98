"""A predictions file comes back as it was written, and a broken one says what is wrong with it."""

import json
from dataclasses import replace

import pytest

from models.training.assess.predictions import (
    Header,
    Predictions,
    Sample,
    file_name,
    read_predictions,
    write_predictions,
)
from penapp.errors import BadInputError
from tests.training.assess_samples import HEADER, THREE, predictions

WHOLE = Predictions(
    replace(HEADER, fold=3, seed=7, decoding="lexicon"),
    (
        Sample(
            "a/1",
            "Straße",
            "Strasse\u2028",
            "w1",
            word_seen=True,
            writer_seen=False,
            seconds=1.25,
            rows=125,
            content="0af3",
        ),
        Sample("a/2", "x", ""),
    ),
)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "run" / file_name(WHOLE.header)
    write_predictions(path, WHOLE)
    return path


def test_what_was_written_is_read(written):
    assert read_predictions(written) == WHOLE
    assert written.name == "predictions-best-on-test-fold3.jsonl"
    assert [p.name for p in written.parent.iterdir()] == [written.name]


def test_a_file_of_before_recordings_had_a_digest_is_read(written):
    def without(lines):
        rows = [json.loads(line) for line in lines[1:-1]]
        return [lines[0], *(json.dumps({k: v for k, v in row.items() if k != "content"}) for row in rows), ""]

    changed(written, without)
    assert "content" not in written.read_text()
    first, second = read_predictions(written).samples
    assert (first, second) == (replace(WHOLE.samples[0], content=""), WHOLE.samples[1])


def test_the_file_is_a_header_and_a_line_a_sample(written):
    head, first, second = map(json.loads, written.read_text(encoding="utf-8").split("\n")[:-1])
    assert (head["schema"], head["samples"], head["run"], head["fold"]) == (1, 2, "base", 3)
    assert (first["label"], second["text"], second["seconds"]) == ("Straße", "", None)


def test_a_letter_with_a_separate_accent_is_the_same_letter():
    assert Sample("1", "a\u0308", "ä") == Sample("1", "ä", "a\u0308")


def changed(path, change):
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join(change(lines)), encoding="utf-8")


def with_value(name, value, line=1):
    def change(lines):
        lines[line] = json.dumps({**json.loads(lines[line]), name: value})
        return lines

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: [], "is empty"),
        (lambda _: ["", ""], "is empty"),
        (lambda lines: [lines[0], lines[1], ""], "holds 1 samples, its header says 2"),
        (lambda lines: [*lines[:2], lines[2][:20]], "cut short: its last line does not end"),
        (lambda lines: [lines[0], "{]", lines[2], ""], "damaged in line 2: no JSON"),
        (lambda lines: [lines[0], "[1]", lines[2], ""], "damaged in line 2: expected an object"),
        (lambda lines: lines[1:], "no schema in its first line"),
        (with_value("schema", 2, line=0), "schema 2"),
        (with_value("selection", "lucky", line=0), "selection is 'lucky'"),
        (with_value("simulated", 1, line=0), "line 1: simulated is 1"),
        (with_value("text", None), "line 2: text is None"),
        (with_value("seconds", -1.0), "line 2: seconds is -1.0"),
        (with_value("seconds", float("nan")), "line 2: seconds is nan"),
        (with_value("rows", True), "line 2: rows is True"),
        (with_value("content", None), "line 2: content is None"),
        (with_value("colour", "red"), "line 2: colour is 'red'"),
        (lambda lines: [lines[0], '{"id": "1"}', lines[2], ""], "line 2: .*missing.*'label'"),
    ],
)
def test_a_broken_file_says_what_is_wrong(written, change, said):
    changed(written, change)
    with pytest.raises(BadInputError, match=said) as caught:
        read_predictions(written)
    assert written.name in str(caught.value) or "selection" in said


def test_bytes_that_are_no_text_and_a_missing_file_are_named(tmp_path):
    path = tmp_path / "p.jsonl"
    with pytest.raises(BadInputError, match="cannot be read"):
        read_predictions(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match="no UTF-8 text"):
        read_predictions(path)


def test_no_samples_are_not_written_and_what_was_there_stays(written):
    before = written.read_bytes()
    with pytest.raises(BadInputError, match="no sample to write"):
        write_predictions(written, Predictions(WHOLE.header, ()))
    with pytest.raises(ValueError, match="JSON"):
        write_predictions(written, predictions(HEADER, THREE[0], seconds=float("nan")))
    assert written.read_bytes() == before


def test_a_selection_is_one_of_three():
    with pytest.raises(BadInputError, match="best-on-test, held-out-writers, last"):
        Header("r", "d", "WI", 0, "best", simulated=True)
