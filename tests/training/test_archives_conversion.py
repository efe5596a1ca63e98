"""The FAU layout in both directions, what `describe` says, and the command line."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from models.training.archives.__main__ import main, run
from models.training.archives.catalogue import read
from models.training.archives.describe import describe
from models.training.archives.fau import write_fau
from models.training.archives.layouts import ReadOptions
from models.training.shards import Shard
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.errors import BadInputError
from penapp.evaluation.recordings import Recordings
from tests.training.archive_toys import (
    chars_left,
    chars_right,
    dump,
    raw_recording,
    recording,
    words,
    words500,
    zipped,
)


@pytest.fixture
def converted(tmp_path):
    """Two folds of words500 and the same as FAU folder."""
    top = words500(tmp_path, folds=("4", "1"))
    write_fau(read(top), tmp_path / "fau")
    return top, tmp_path / "fau"


def test_an_archive_comes_back_from_the_fau_layout_sample_by_sample(converted):
    top, folder = converted
    for one, other in zip(read(top), read(folder), strict=True):
        assert (one.part.fold, one.part.split) == (other.part.fold, other.part.split)
        assert (one.labels, one.writers, one.units) == (other.labels, other.writers, other.units)
        assert one.contents() == other.contents()


def test_fractions_survive_the_text_of_a_csv_exactly(tmp_path):
    top = words500(tmp_path, folds=("0",))
    dump(top / "0" / "all_x_dat_val_imu.pkl", [recording(5) / 3.0, recording(6) * np.pi])
    write_fau(read(top), tmp_path / "fau")
    (before,), (after,) = (list(read(path, split="test")) for path in (top, tmp_path / "fau"))
    assert before.contents() == after.contents()


def test_the_index_has_the_published_keys(converted):
    _, folder = converted
    index = json.loads((folder / "val.json").read_text(encoding="utf-8"))
    assert index["info"] == {
        "num_channel": 13,
        "rate": 100.0,
        "sensors": ["AF", "AR", "G", "M", "F"],
        "num_fold": 2,
        "writer_independent": True,
        "units": "counts",
    }
    assert set(index["annotations"]) == {"1", "4"}
    assert index["annotations"]["4"][1] == {
        "filename": "data/4/val/00000001.csv",
        "id": 1,
        "label": "nein",
        "id_writer": 8,
        "rate_sample_orig": 100.0,
    }
    first = (folder / "data" / "4" / "val" / "00000001.csv").read_text().splitlines()
    assert len(first) == 61
    assert all(line.count(";") == 12 for line in first)


def test_files_named_without_their_folder_are_found(converted):
    _, folder = converted
    for side in ("train", "val"):
        path = folder / f"{side}.json"
        index = json.loads(path.read_text(encoding="utf-8"))
        for items in index["annotations"].values():
            for item in items:
                item["filename"] = item["filename"].rpartition("/")[2]
        path.write_text(json.dumps(index), encoding="utf-8")
    assert [len(s) for s in read(folder)] == [3, 2, 3, 2]


def break_index(folder, change):
    path = folder / "val.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    change(index)
    path.write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(BadInputError) as error:
        list(read(folder))
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda index: index.pop("annotations"), "val.json is not an index of the FAU layout"),
        (lambda index: index.update(categories=[1, 2]), "not a list of letters"),
        (lambda index: index["annotations"].update({"../x": index["annotations"]["1"]}), "a fold is named"),
        (lambda index: index["annotations"]["1"][0].pop("label"), "not an index"),
        (lambda index: index["annotations"]["1"][0].update(label="ja#"), "item 0 ('ja#'): '#' is not among"),
        (lambda index: index["annotations"]["1"][0].update(filename="../../secret.csv"), "is missing"),
        (lambda index: index["info"].update(units="furlongs"), "not an index"),
    ],
    ids=["no annotations", "categories", "fold outside", "no label", "foreign", "file outside", "units"],
)
def test_a_damaged_index_says_what_is_wrong(converted, change, expected):
    assert expected in break_index(converted[1], change)


@pytest.mark.parametrize("content", ["1;2;3\n", "a;b\n", ";".join(["nan"] * 13) + "\n"])
def test_a_damaged_table_is_named(converted, content):
    (converted[1] / "data" / "1" / "val" / "00000000.csv").write_text(content)
    with pytest.raises(BadInputError, match=r"val\.json, item 0|00000000\.csv is no table"):
        list(read(converted[1]))


def test_an_empty_table_is_a_dropped_recording(converted):
    (converted[1] / "data" / "1" / "val" / "00000000.csv").write_text("")
    (signals,) = read(converted[1], fold="1", split="test")
    assert signals.dropped_by_reason() == {"no samples": 1}


def test_json_that_is_cut_short_is_named(converted):
    path = converted[1] / "train.json"
    path.write_text(path.read_text(encoding="utf-8")[:200], encoding="utf-8")
    with pytest.raises(BadInputError, match=r"train\.json is not an index"):
        list(read(converted[1]))


def test_nothing_is_left_behind_when_writing_fails_half_way(tmp_path):
    top = words500(tmp_path, folds=("0",))
    (top / "0" / "val_ids.pkl").write_bytes(b"broken")
    with pytest.raises(BadInputError, match=r"val_ids\.pkl"):
        write_fau(read(top), tmp_path / "fau")
    assert [p.name for p in tmp_path.iterdir()] == [top.name]
    (tmp_path / "fau").mkdir()
    with pytest.raises(BadInputError, match="exists already"):
        write_fau(read(top), tmp_path / "fau")


def test_characters_without_folds_become_fold_zero_and_unknown_writers_stay_unknown(tmp_path):
    write_fau(read(chars_left(tmp_path / "left", writers=(4, 9))), tmp_path / "fau")
    (signals,) = read(tmp_path / "fau")
    assert (signals.part.fold, signals.part.split) == ("0", "train")
    assert signals.writers == (None, None, None)


def test_pseudonyms_come_back_as_they_were(tmp_path):
    for name in ("007", "7", "Käthe"):
        raw_recording(tmp_path / "raw" / name)
    write_fau(read(tmp_path / "raw"), tmp_path / "fau")
    (signals,) = read(tmp_path / "fau")
    assert signals.writers == ("007", "007", "7", "7", "Käthe", "Käthe")


# What a person reads


def lines(path, **options):
    return "\n".join(describe(path, ReadOptions(**options)))


def test_describe_counts_recordings_writers_labels_and_what_was_dropped(tmp_path):
    text = lines(words500(tmp_path, folds=("0",)), max_rows=61)
    assert "words500 or equations, 2 parts" in text
    assert "words500-indep-R fold 0 train: 2 recordings, 2 writers" in text
    assert "label length 4 to 4, median 4, 2 different" in text
    assert "left out: 1 (too many samples)" in text
    assert "0 writers on both sides, 2 of 2 test labels not in training" in text
    assert "gravity reads 16" in text


def test_published_sizes_are_compared_only_under_the_published_limit(tmp_path):
    top = words500(tmp_path, folds=("0",))
    assert "(published" not in lines(top)
    assert "(published: 19907)" in lines(top, max_rows=1024)


def test_describe_says_how_many_characters_are_tested_twice(tmp_path):
    text = lines(chars_right(tmp_path, folds=(0, 1), empty=True))
    assert "chars-lower-indep: 1 of 3 recordings are tested more than once" in text
    assert "writers not told" in text
    assert "left out: 1 (no samples)" in text


def test_describe_warns_of_short_recordings_lost_packets_and_unlisted_writers(tmp_path):
    top = words500(tmp_path, folds=("0",))
    words(top / "0", writers=((1, 2, 44), (7, 8)))
    dump(top / "0" / "all_x_dat_val_imu.pkl", [recording(5), recording(3)])
    text = lines(top)
    assert "too short for CTC (kept): 1 at stride 1, 1 at stride 4, 2 at stride 8" in text
    assert "writers that ids_info.txt does not name: 44" in text
    raw_recording(tmp_path / "raw" / "p01", lost_at=(5,))
    assert "lost packets: 2 samples in 1 recordings" in lines(tmp_path / "raw")


def test_an_empty_label_is_kept_and_shouted(tmp_path):
    top = words500(tmp_path, folds=("0",))
    words(top / "0", val=("ja", ""))
    assert "2 different, 1 EMPTY" in lines(top)


# The command line


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_describe_reads_a_zip(tmp_path):
    packed = zipped(words500(tmp_path / "unpacked"), tmp_path / "OnHW-Words500_indep.zip")
    result = invoke("describe", packed)
    assert result.exit_code == 0
    assert "words500-indep-R fold 1 test: 2 recordings, 2 writers" in result.output


def test_convert_writes_a_fau_folder_that_describe_reads(tmp_path):
    result = invoke("convert", words500(tmp_path), tmp_path / "fau", "--to", "fau", "--fold", "1")
    assert result.exit_code == 0
    assert "5 recordings of 2 parts, 0 left out" in result.output
    assert "fau-indep fold 1 test: 2 recordings, 2 writers" in invoke("describe", tmp_path / "fau").output


def test_convert_writes_what_evaluate_reads(tmp_path):
    out = tmp_path / "words.npz"
    result = invoke("convert", words500(tmp_path), out, "--to", "recordings", "--split", "test")
    assert result.exit_code == 0
    found = Recordings.load(out)
    assert found.label.tolist() == ["ja", "nein", "ja", "nein"]
    assert found.writer.tolist() == ["7", "8", "7", "8"]
    assert np.linalg.norm(found.x[:, :3], axis=1).mean() == pytest.approx(9.81, rel=0.02)


def test_shard_writes_penapps_own_features_of_one_part(tmp_path):
    out = tmp_path / "real.npz"
    result = invoke("shard", words500(tmp_path), out, "--fold", "1", "--split", "train")
    assert result.exit_code == 0, result.output
    assert "3 recordings of words500-indep-R fold 1 train" in result.output
    shard = Shard.load(out)
    assert shard.label.tolist() == ["Haus", "üben", "Straße"]
    assert shard.fingerprint == DEFAULT_PARAMS.fingerprint()


def test_a_shard_of_several_parts_is_refused_and_says_which(tmp_path):
    result = invoke("shard", words500(tmp_path), tmp_path / "real.npz", "--fold", "1")
    assert isinstance(result.exception, BadInputError)
    assert "fold 1 train, words500-indep-R fold 1 test" in str(result.exception)
    assert not (tmp_path / "real.npz").exists()


def test_several_sources_are_not_mixed(tmp_path, monkeypatch, capsys):
    chars_right(tmp_path / "c", "lower")
    chars_right(tmp_path / "c", "upper", letters="ABK")
    command = ["convert", str(tmp_path / "c"), str(tmp_path / "out"), "--to", "fau"]
    monkeypatch.setattr(sys, "argv", ["archives", *command])
    assert run() == 1
    assert "2 sources: chars-lower-indep, chars-upper-indep. Choose one" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(sys, "argv", ["archives", *command, "--source", "chars-upper-indep"])
    assert run() == 0


def test_wrong_usage_is_two_and_an_unknown_folder_is_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["archives", "describe", str(tmp_path / "nowhere")])
    assert run() == 2
    monkeypatch.setattr(sys, "argv", ["archives", "describe", str(tmp_path)])
    assert run() == 1
    assert "has no known layout" in capsys.readouterr().err
