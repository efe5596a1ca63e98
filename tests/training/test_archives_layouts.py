"""The published layouts: what is found, what is read, and which damage is named."""

import pickle

import numpy as np
import pytest

from models.training.archives.catalogue import detect, read
from models.training.archives.layouts import ReadOptions
from models.training.archives.signals import Reason, Units
from penapp.errors import BadInputError
from tests.training.archive_toys import (
    chars_left,
    chars_right,
    codes,
    dump,
    objects,
    raw_recording,
    recording,
    symbols,
    words,
    words500,
    zipped,
)


def first(path, **choice):
    return next(read(path, **choice))


def problem(path, **choice):
    with pytest.raises(BadInputError) as error:
        list(read(path, **choice))
    return str(error.value)


def test_right_handed_characters_come_fold_by_fold_with_their_own_labels(tmp_path):
    chars_right(tmp_path, "lower", "indep", (0, 10, 2))
    chars_right(tmp_path, "both", "dep", (1,), letters="aBk")
    parts = detect(tmp_path).parts
    assert [(p.source, p.fold, p.split) for p in parts] == [
        ("chars-both-dep", "1", "train"),
        ("chars-both-dep", "1", "test"),
        *(("chars-lower-indep", fold, split) for fold in ("0", "2", "10") for split in ("train", "test")),
    ]
    signals = first(tmp_path, source="chars-both-dep", split="test")
    assert signals.labels == ("a", "B", "k")
    assert signals.writers == (None, None, None)
    assert (signals.units, signals.rate_hz) == (Units.COUNTS, 100.0)
    np.testing.assert_array_equal(signals.signals[0], recording(20).astype(np.float32))
    assert {s.dtype for s in signals.signals} == {np.dtype(np.float32)}


def test_recordings_without_samples_are_dropped_and_counted(tmp_path):
    signals = first(chars_right(tmp_path, empty=True), split="test")
    assert len(signals) == 2
    assert signals.dropped_by_reason() == {"no samples": 1}
    (drop,) = signals.dropped
    assert (drop.index, drop.label, drop.reason) == (2, "k", Reason.EMPTY)


def test_long_recordings_are_dropped_only_when_asked(tmp_path):
    fold = words500(tmp_path, folds=("0",)) / "0"
    assert len(first(fold, split="train")) == 3
    signals = first(fold, split="train", options=ReadOptions(max_rows=60))
    assert signals.labels == ("Haus",)
    assert [(d.index, d.samples, d.reason) for d in signals.dropped] == [
        (1, 61, Reason.LONG),
        (2, 62, Reason.LONG),
    ]


def test_left_handed_characters_know_their_writers(tmp_path):
    signals = first(chars_left(tmp_path))
    assert signals.labels == ("a", "Q", "z")
    assert signals.writers == ("4", "4", "9")
    assert (signals.part.fold, signals.part.split) == (None, "all")


def test_a_list_of_the_writers_alone_does_not_say_who_wrote_what(tmp_path):
    assert first(chars_left(tmp_path, writers=(4, 9))).writers == (None, None, None)


@pytest.mark.parametrize(
    ("suffix", "source"), [("s", "symbols"), ("e", "equation-slices"), ("es", "equations-recut")]
)
def test_symbols_are_classes_in_their_published_order(tmp_path, suffix, source):
    folder = symbols(tmp_path / "OnHW-symbols_equations_indep", suffix)
    train, test = read(folder)
    assert train.part.source == f"{source}-indep"
    assert train.labels == ("0", "\u00b7", "=")
    assert test.labels == (":", "+")


def test_words_are_read_without_their_padding(tmp_path):
    train, test = read(words500(tmp_path, "dep", "L", ("3",)))
    assert train.part.source == "words500-dep-L"
    assert train.labels == ("Haus", "üben", "Straße")
    assert train.writers == ("1", "2", "2")
    assert (test.labels, test.part.split) == (("ja", "nein"), "test")


def test_a_fold_is_named_by_its_folder_not_by_its_place_in_a_listing(tmp_path):
    top = words500(tmp_path, folds=("4", "1"))
    words(top / "1", val=("eins", "elf"))
    words(top / "4", val=("vier", "acht"))
    assert first(top, fold="4", split="test").labels == ("vier", "acht")
    assert first(top, fold="1", split="test").labels == ("eins", "elf")
    assert "It holds: words500-indep-R fold 1 train" in problem(top, fold="0")


@pytest.mark.parametrize("depth", ["above", "top", "fold"])
def test_a_folder_may_be_named_at_any_depth(tmp_path, depth):
    top = words500(tmp_path, folds=("2",))
    path = {"above": tmp_path, "top": top, "fold": top / "2"}[depth]
    assert [str(p) for p in detect(path).parts] == [
        "words500-indep-R fold 2 train",
        "words500-indep-R fold 2 test",
    ]


def test_a_zip_reads_like_its_folder(tmp_path):
    top = words500(tmp_path / "unpacked")
    packed = zipped(top, tmp_path / "OnHW-Words500_indep.zip")
    for one, other in zip(read(top), read(packed), strict=True):
        assert one.part.fold == other.part.fold
        assert (one.labels, one.writers, one.contents()) == (other.labels, other.writers, other.contents())


def test_a_writer_on_both_sides_of_an_independent_fold_is_an_error(tmp_path):
    top = tmp_path / "Words500_indep_R"
    words(top / "0", writers=((1, 2, 2), (2, 8)))
    assert "1 writers are on both sides: 2" in problem(top)
    words(tmp_path / "Words500_dep_R" / "0", writers=((1, 2, 2), (2, 8)))
    assert len(list(read(tmp_path / "Words500_dep_R"))) == 2


def test_folds_without_dep_or_indep_in_a_name_above_are_refused(tmp_path):
    words(tmp_path / "mine" / "Words500" / "0")
    assert "named dep or indep" in problem(tmp_path / "mine" / "Words500")


def test_a_label_that_the_archive_does_not_know_is_named(tmp_path):
    message = problem(chars_right(tmp_path, letters="a4k"), split="test")
    assert "X_test.npy, item 1 ('4'): '4' is not among the 26 letters of chars-lower-indep" in message


@pytest.mark.parametrize("code", [60, -1, 59])
def test_a_class_outside_the_letters_or_padding_inside_a_word_is_named(tmp_path, code):
    fold = words500(tmp_path, folds=("0",)) / "0"
    dump(fold / "all_val_gt.pkl", [codes("ja"), [7, code, 3, 59]])
    assert f"item 1: class {code} of [7, {code}, 3] is outside the 59 letters" in problem(fold, split="test")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_none_names_file_item_sample_and_channel(tmp_path, bad):
    fold = words500(tmp_path, folds=("0",)) / "0"
    broken = recording(30)
    broken[12, 7] = bad
    dump(fold / "all_x_dat_val_imu.pkl", [recording(30), broken])
    message = problem(fold, split="test")
    assert "all_x_dat_val_imu.pkl, item 1 ('nein')" in message
    assert f"{bad} in sample 12, channel 7" in message


@pytest.mark.parametrize("shape", [(30, 12), (30,), (2, 30, 13)])
def test_a_recording_of_another_shape_names_what_is_expected(tmp_path, shape):
    fold = words500(tmp_path, folds=("0",)) / "0"
    dump(fold / "all_x_dat_val_imu.pkl", [recording(30), np.zeros(shape)])
    assert f"the shape {shape}, expected (samples, 13)" in problem(fold, split="test")


def test_lists_of_different_length_are_refused(tmp_path):
    fold = words500(tmp_path, folds=("0",)) / "0"
    dump(fold / "val_ids.pkl", [7])
    assert "2 recordings, 2 labels, 1 writers" in problem(fold, split="test")


def test_a_missing_file_is_named(tmp_path):
    fold = words500(tmp_path, folds=("0",)) / "0"
    (fold / "all_val_gt.pkl").unlink()
    assert "all_val_gt.pkl is missing" in problem(fold, split="test")


def test_a_truncated_pickle_or_npy_is_named(tmp_path):
    fold = words500(tmp_path, folds=("0",)) / "0"
    whole = (fold / "all_x_dat_val_imu.pkl").read_bytes()
    (fold / "all_x_dat_val_imu.pkl").write_bytes(whole[: len(whole) // 2])
    assert "all_x_dat_val_imu.pkl cannot be read" in problem(fold, split="test")
    chars = chars_right(tmp_path / "chars") / "onhw2_lower_indep_0" / "X_test.npy"
    chars.write_bytes(chars.read_bytes()[:300])
    assert "X_test.npy cannot be read" in problem(tmp_path / "chars", split="test")


def test_a_pickle_that_is_a_program_is_refused_and_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path / "ran").touch, ()

    fold = words500(tmp_path, folds=("0",)) / "0"
    (fold / "val_ids.pkl").write_bytes(pickle.dumps([Evil(), 2]))
    assert "val_ids.pkl was refused" in problem(fold, split="test")
    assert not (tmp_path / "ran").exists()


def test_a_damaged_zip_is_an_error(tmp_path):
    packed = zipped(words500(tmp_path / "unpacked"), tmp_path / "w.zip")
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2])
    assert "neither a folder nor a .zip" in problem(packed)
    flipped = bytearray(whole)
    for place in range(200, len(whole) // 2, 50):
        flipped[place] ^= 0xFF
    packed.write_bytes(bytes(flipped))
    assert "w.zip" in problem(packed)


def test_an_unknown_folder_says_what_was_found_and_what_is_known(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    message = problem(tmp_path)
    assert "1 files, such as notes.txt" in message
    for known in ("onhw2_", "all_x_dat_train_imu.pkl", "sensor_data.csv", "train.json"):
        assert known in message
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "found no files" in problem(empty)


def test_two_layouts_or_two_copies_in_one_folder_are_not_guessed_apart(tmp_path):
    words500(tmp_path / "a")
    chars_right(tmp_path / "b")
    assert "several layouts: characters, right-handed; words500" in problem(tmp_path)
    words500(tmp_path / "copies" / "one")
    words500(tmp_path / "copies" / "two")
    assert "fold 0 train twice: in one/Words500_indep_R/0 and in two/" in problem(tmp_path / "copies")


def test_the_litter_of_a_zip_is_not_read(tmp_path):
    top = words500(tmp_path, folds=("0",))
    litter = tmp_path / "__MACOSX" / "Words500_indep_R" / "0"
    litter.mkdir(parents=True)
    (litter / "._all_x_dat_train_imu.pkl").write_bytes(b"rubbish")
    (litter / "all_x_dat_train_imu.pkl").write_bytes(b"rubbish")
    assert len(detect(tmp_path).parts) == len(detect(top).parts) == 2


# Raw recordings of the challenge


def test_raw_slices_hold_the_samples_from_start_to_just_before_stop(tmp_path):
    raw_recording(tmp_path / "p01")
    signals = first(tmp_path)
    assert signals.labels == ("a", "B")
    assert [len(s) for s in signals.signals] == [10, 9]
    np.testing.assert_array_equal(signals.signals[1], recording(40)[20:29].astype(np.float32))
    assert signals.units == Units.COUNTS


def test_a_recording_belongs_to_its_person_in_both_nestings(tmp_path):
    raw_recording(tmp_path / "2020" / "p01")
    raw_recording(tmp_path / "2020" / "p02")
    assert first(tmp_path / "2020").writers == ("p01", "p01", "p02", "p02")
    raw_recording(tmp_path / "2021" / "p01" / "r1")
    raw_recording(tmp_path / "2021" / "p01" / "r2")
    assert first(tmp_path / "2021").writers == ("p01",) * 4
    raw_recording(tmp_path / "stages" / "one" / "p01")
    options = ReadOptions(persons_hold_recordings=False)
    assert first(tmp_path / "stages", options=options).writers == ("p01", "p01")


def test_lost_packets_are_counted_inside_the_recording_they_hit(tmp_path):
    raw_recording(tmp_path / "p01", lost_at=(5, 20, 25))
    assert first(tmp_path).lost == (2, 2)  # the gap at 20 lies before the second letter, not in it


def test_counts_become_si_units_by_the_published_formula(tmp_path):
    raw_recording(tmp_path / "p01")
    signals = first(tmp_path, options=ReadOptions(calibrated=True))
    raw = recording(40)[3]
    expected = [
        *(raw[0:3] / (32768 / (2 * 9.80665))),
        *(raw[3:6] / (8192 / (2 * 9.80665))),
        *((raw[6:9] - [10, -20, 0]) / (32768 / np.deg2rad(1000.0))),
        *((raw[9:12] - 5) / (8192 / 2400.0) / [1.0, 2.0, 0.5]),
        raw[12] / (4096 / 5.32),
    ]
    np.testing.assert_allclose(signals.signals[0][3], expected, rtol=1e-5)
    assert signals.units == Units.SI


def test_without_a_calibration_file_counts_are_scaled_alone(tmp_path):
    raw_recording(tmp_path / "p01", calibration=False)
    signals = first(tmp_path, options=ReadOptions(calibrated=True))
    assert signals.signals[0][0, 6] == pytest.approx(recording(40)[0, 6] * np.deg2rad(1000.0) / 32768)


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("calibration.txt", "bgx: 1\nbgy: 2\n", "it lacks bgz, bmx"),
        ("calibration.txt", "bgx 1 bgy 1 bgz 1 bmx 1 bmy 1 bmz 1 smx 1 smy 0 smz 1", "scale is 0"),
        ("sensor_data.csv", "Millis;X\n1;2\n", "sensor_data.csv is no sensor table"),
        ("sensor_data.csv", "Millis;X\n" + ";".join(["x"] * 15), "sensor_data.csv is no sensor table"),
        ("labels.csv", "label;start;stop\na;1000\n", "labels.csv, line 2 reads 'a;1000'"),
        ("labels.csv", "label;start;stop\na;1100;1000\n", "line 2 stops before it starts"),
        ("labels.csv", "label;start;stop\n?;1000;1100\n", "p01, item 0 ('?'): '?' is not among"),
        ("labels.csv", b"label;start;stop\n\xff;1000;1100\n", "labels.csv is no text"),
    ],
)
def test_damage_in_a_raw_recording_names_the_file(tmp_path, file, content, expected):
    folder = raw_recording(tmp_path / "p01")
    (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert expected in problem(tmp_path, options=ReadOptions(calibrated=True))


def test_a_label_without_samples_is_a_dropped_recording(tmp_path):
    raw_recording(tmp_path / "p01", labels=(("a", 1000, 1050), ("b", 5000, 6000)))
    signals = first(tmp_path)
    assert signals.labels == ("a",)
    assert signals.dropped_by_reason() == {"no samples": 1}


def test_numeric_npy_files_of_equally_long_recordings_are_read_too(tmp_path):
    folder = chars_right(tmp_path) / "onhw2_lower_indep_0"
    np.save(folder / "X_test.npy", np.stack([recording(20), recording(20, 1), recording(20, 2)]))
    np.save(folder / "y_test.npy", np.array(["x", "y", "z"]))
    signals = first(tmp_path, split="test")
    assert signals.labels == ("x", "y", "z")
    assert [len(s) for s in signals.signals] == [20, 20, 20]


def test_object_arrays_of_lists_of_numbers_are_read_too(tmp_path):
    folder = chars_right(tmp_path) / "onhw2_lower_indep_0"
    listed = [recording(4).tolist(), [], recording(6).tolist()]
    np.save(folder / "X_test.npy", objects(listed), allow_pickle=True)
    assert [len(s) for s in first(tmp_path, split="test").signals] == [4, 6]
