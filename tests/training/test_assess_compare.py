"""`compare` from files to lines: who reads better, what may not be compared, when a run got how far."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from models.training.assess.compare import compare_command, difference_lines, step_lines, system_lines
from models.training.assess.predictions import Predictions, Sample, file_name, write_predictions
from models.training.assess.report import write_report
from models.training.assess.systems import common_cer, load_systems, read_curve
from penapp.errors import BadInputError
from tests.training.assess_samples import HEADER, THREE, predictions

SIMULATED = replace(HEADER, dataset="made up", simulated=True)


def stored(folder, header, *rows, curve=(), **more):
    write_predictions(folder / file_name(header), predictions(header, *rows, **more))
    if curve:
        lines = [json.dumps({"step": step, "loss": 1.0, "val_cer": cer}) for step, cer in curve]
        (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def many(wrong):
    """Twelve writers with two words each; the first `wrong` letters of every word are wrong."""
    return [(f"w{i:02d}", "abcdefgh", "x" * wrong + "abcdefgh"[wrong:]) for i in range(12) for _ in range(2)]


@pytest.fixture
def two(tmp_path):
    better = stored(
        tmp_path / "better", replace(HEADER, run="better"), *many(1), curve=[(10, 30.0), (20, 8.0)]
    )
    worse = stored(tmp_path / "worse", replace(HEADER, run="worse"), *many(2), curve=[(10, 12.0), (30, 9.5)])
    return better, worse


def run(*arguments):
    found = CliRunner().invoke(compare_command, [str(a) for a in arguments], standalone_mode=False)
    if found.exception is not None:
        raise found.exception
    return found.output


def test_two_run_folders_are_compared(two):
    said = run(*two, "--resamples", 200)
    assert "better: words500-right WI, 24 samples, 192 characters, 1 seed" in said
    assert "all samples: CER 12.50 % (12.50 to 12.50)" in said
    assert "worse makes more errors than better: +12.50 points CER" in said
    assert "writers, CER at 10 / 50 / 90 %: 25.00 / 25.00 / 25.00 %" in said
    assert "Steps until the validation CER was 9.50 % or less:" in said
    assert "better: 20 (lowest 8.00 %)" in said
    assert "worse: 30 (lowest 9.50 %)" in said
    assert "Simulated" not in said


def test_published_figures_stand_beside_when_asked_for(two):
    said = run(*two, "--resamples", 200, "--published")
    assert "REWI-B" in said
    assert "ours: worse, seed 0" in said


def test_simulated_figures_say_so_and_are_refused_beside_published_ones(tmp_path):
    folder = stored(tmp_path, SIMULATED, *many(1))
    assert run(folder, "--resamples", 200).startswith("Simulated pen:")
    with pytest.raises(BadInputError, match="never put side by side"):
        run(folder, "--resamples", 200, "--published")


def test_folds_and_seeds_of_one_run_are_one_system(tmp_path):
    for seed in (1, 2):
        for fold in (0, 1):
            header = replace(HEADER, fold=fold, seed=seed)
            rows = many(seed)[fold * 12 : fold * 12 + 12]
            made = predictions(header, *rows)
            named = tuple(replace(s, id=f"{fold}/{s.id}") for s in made.samples)
            write_predictions(tmp_path / str(seed) / file_name(header), Predictions(header, named))
    (system,) = load_systems([tmp_path / "1", tmp_path / "2"])
    assert [s.pooled.cer for s in system.scores] == [12.5, 25.0]
    said = "\n".join(system_lines(system, 200))
    assert "2 seeds" in said
    assert "CER 18.75 % (12.50 to 25.00)" in said
    assert "seed 2, mean over 2 folds: CER 25.00 %, std 0.00 (population), 0.00 (sample)" in said


def folds_of(folder, *folds, seed=0):
    """One run whose folds read (label, text, content)."""
    for number, rows in enumerate(folds):
        header = replace(HEADER, fold=number, seed=seed)
        read = tuple(
            Sample(f"fold {number}/{i}", label, text, "ann", content=content)
            for i, (label, text, content) in enumerate(rows)
        )
        write_predictions(folder / str(seed) / file_name(header), Predictions(header, read))
    return folder / str(seed)


def test_recordings_that_several_folds_test_are_also_counted_once(tmp_path):
    """Letters: c1 is right in one of its two tests; words: its edits are averaged."""
    letters = folds_of(tmp_path / "l", [("a", "a", "c1"), ("b", "x", "c2")], [("a", "o", "c1")])
    (system,) = load_systems([letters])
    assert "  accuracy of single letters 33.33 %" in system_lines(system, 200)
    once = "  each recording counted once: accuracy 25.00 %; 1 of 2 were tested more than once"
    assert once in system_lines(system, 200)
    write_report(tmp_path / "page.html", [system], resamples=50)
    assert once.strip() in (tmp_path / "page.html").read_text(encoding="utf-8")
    words = folds_of(tmp_path / "w", [("abcd", "abcd", "c1"), ("of", "", "c2")], [("abcd", "", "c1")])
    (system,) = load_systems([words])
    once = "  each recording counted once: CER 66.67 %; 1 of 2 were tested more than once"
    assert once in system_lines(system, 200)


def test_the_rate_of_recordings_counted_once_is_the_mean_over_seeds(tmp_path):
    first = folds_of(tmp_path, [("a", "a", "c1")], [("a", "a", "c1"), ("b", "b", "c2")], seed=1)
    other = folds_of(tmp_path, [("a", "o", "c1")], [("a", "o", "c1"), ("b", "b", "c2")], seed=2)
    (system,) = load_systems([first, other])
    once = "  each recording counted once: accuracy 75.00 %; 1 of 2 were tested more than once"
    assert once in system_lines(system, 200)


def test_where_no_recording_repeats_or_none_is_known_there_is_no_such_line(tmp_path):
    apart = folds_of(tmp_path / "a", [("a", "a", "c1"), ("b", "x", "c2")], [("a", "o", "c3")])
    unknown = folds_of(tmp_path / "u", [("a", "a", ""), ("b", "x", "")], [("a", "o", "")])
    for folder in (apart, unknown):
        (system,) = load_systems([folder])
        assert "counted once" not in "\n".join(system_lines(system, 200))


def test_two_selections_in_a_folder_are_two_systems_and_not_compared(tmp_path):
    stored(tmp_path, HEADER, *THREE)
    stored(tmp_path, replace(HEADER, selection="held-out-writers"), *THREE)
    systems = load_systems([tmp_path])
    assert [s.header.selection for s in systems] == ["best-on-test", "held-out-writers"]
    assert len({s.name for s in systems}) == 2
    (line,) = difference_lines(systems, 200)
    assert "not compared: selection best-on-test against held-out-writers" in line
    assert "as published" in "\n".join(system_lines(systems[0], 200))
    assert "clean" in "\n".join(system_lines(systems[1], 200))


def test_different_samples_are_said_instead_of_compared(tmp_path):
    one = stored(tmp_path / "a", replace(HEADER, run="a"), *THREE)
    other = stored(tmp_path / "b", replace(HEADER, run="b"), *THREE[:2])
    (line,) = difference_lines(load_systems([one, other]), 200)
    assert "1 samples only in the first, 0 only in the second, 2 in both" in line


def test_without_writers_there_are_figures_and_no_interval(tmp_path):
    rows = [("", "a", "a"), ("", "b", "x")]
    one = stored(tmp_path / "a", replace(HEADER, run="a"), *rows)
    other = stored(tmp_path / "b", replace(HEADER, run="b"), *rows)
    said = run(one, other)
    assert "CER 50.00 % (no writers known, no interval)" in said
    assert "accuracy of single letters 50.00 %" in said
    assert "a are not compared: the samples name no writers" in said


def test_the_four_cells_are_told_when_they_are_known(tmp_path):
    folder = stored(tmp_path, HEADER, *THREE, word_seen=False, writer_seen=True)
    assert "seen writer, unseen word: CER 40.00, WER 66.67 % (3)" in run(folder, "--resamples", 200)


def test_a_run_given_twice_is_refused(two):
    with pytest.raises(BadInputError, match="one is there twice"):
        load_systems([two[0], two[0]])


def test_a_folder_without_predictions_is_named(tmp_path):
    with pytest.raises(BadInputError, match=r"holds no predictions-\*\.jsonl"):
        load_systems([tmp_path])


def test_steps_needed_are_the_first_measured_ones(two):
    systems = load_systems(two)
    assert common_cer(systems) == 9.5
    assert step_lines(systems, 12.0)[1:] == [
        "  better: 20 (lowest 8.00 %)",
        "  worse: 10 (lowest 9.50 %)",
    ]
    assert step_lines(systems, 9.0)[2] == "  worse: not reached in 30 steps (lowest 9.50 %)"


def test_a_folder_without_curve_has_none_and_a_broken_curve_is_named(tmp_path):
    assert read_curve(tmp_path, "x") is None
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n')
    with pytest.raises(BadInputError, match=r"metrics\.jsonl is no learning curve.*val_cer"):
        read_curve(tmp_path, "x")
