"""`penapp evaluate` over every kind of corpus, through the wire and the live pipeline; a toy recogniser."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from penapp.cli.run_cli import run_cli
from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.device.virtual import VirtualPenSource
from penapp.evaluation.corpora import evaluable, group_names
from penapp.live import LiveSession
from penapp.simulation.demo_ink import DEMO_INK, demo_corpus
from penapp.simulation.sources import SessionSource, write_ink
from tests.device.toy_pens import ToyPipeline

FACTS = {"corpus", "corpus_sha256", "model", "provider", "simulator", "seed", "rate_hz", "left_out"}
GROUP_KEYS = {
    "group", "words", "writers", "greedy_cer", "greedy_wer", "decoded_cer", "decoded_wer", "greedy_cer_given",
    "decoded_cer_given", "exact_cuts", "oov", "in_cer", "oov_cer", "writer_cer", "session_cer",
}  # fmt: skip


@pytest.fixture
def evaluate(toy_model, capsys):
    """Runs the command with the toy model; gives exit code, stdout (parsed if JSON was asked for), stderr."""

    def call(*arguments):
        code = run_cli(["evaluate", *map(str, arguments), "--model", str(toy_model)])
        seen = capsys.readouterr()
        return code, json.loads(seen.out) if "--json" in arguments and code == 0 else seen.out, seen.err

    return call


@cache
def some_words(count=3, first=0):
    ink = demo_corpus()
    chosen = np.flatnonzero((ink.split == "test") & evaluable(ink, PENAPP_ALPHABET))
    return [ink.word(int(i)) for i in chosen[first : first + count]]


def recordings(path, labels=None, **spoiled):
    """Three words of the virtual pen, each cut out with 0.1 s around it."""
    session = write_ink(some_words(), 4, gap_s=(1.2, 1.5))
    cuts = [session.values[int(100 * w.start_t) - 10 : int(100 * w.end_t) + 10] for w in session.words]
    arrays = {
        "x": np.concatenate(cuts),
        "n": np.array([len(c) for c in cuts]),
        "label": np.array(labels or [w.label for w in session.words]),
        "writer": np.array(["1", "1", "2"]),
        "rate_hz": np.array(100.0),
        **spoiled,
    }
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_json_has_groups_and_the_facts_that_pin_the_run(evaluate):
    code, found, err = evaluate(DEMO_INK, "--limit", "12", "--json")
    assert (code, err) == (0, "")
    assert {
        "corpus",
        "corpus_sha256",
        "model",
        "provider",
        "simulator",
        "seed",
        "rate_hz",
        "left_out",
    } <= set(found)
    assert found["corpus"] == "demo_ink.npz"
    assert found["model"].startswith("toy ")
    assert found["provider"] == "CPU"
    for row in found["groups"]:
        assert set(row) == GROUP_KEYS
    assert found["groups"][-1]["group"] == "all"
    assert found["groups"][-1]["words"] == sum(r["words"] for r in found["groups"][:-1]) == 12


def test_the_same_command_gives_the_same_figures_and_another_seed_others(evaluate, tmp_path):
    arguments = (DEMO_INK, "--limit", "4", "--split", "test", "--json")
    first = evaluate(*arguments, "--readings", tmp_path / "a.jsonl")
    again = evaluate(*arguments, "--readings", tmp_path / "b.jsonl")
    other = evaluate(*arguments, "--readings", tmp_path / "c.jsonl", "--seed", "2")
    assert first == again
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()
    assert (tmp_path / "a.jsonl").read_text() != (tmp_path / "c.jsonl").read_text()
    assert other[1]["corpus_sha256"] == first[1]["corpus_sha256"]
    readings = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert len(readings) == 4
    assert {"label", "writer", "group", "greedy", "decoded", "segments", "in_lexicon"} <= set(readings[0])


def test_words_can_be_chosen_by_split_and_by_whether_they_were_trained(evaluate):
    code, found, _ = evaluate(DEMO_INK, "--split", "test", "--words", "unseen", "--limit", "12", "--json")
    assert code == 0
    assert [r["group"] for r in found["groups"]] == ["unseen writer, unseen word", "all"]


def test_readings_that_cannot_be_written_are_told_before_the_work(evaluate, tmp_path, monkeypatch):
    from penapp.evaluation import run

    monkeypatch.setattr(run, "evaluate_corpus", lambda *_: pytest.fail("the work had begun"))
    code, _, err = evaluate(DEMO_INK, "--readings", tmp_path / "nowhere" / "r.jsonl")
    assert code == 1
    assert "cannot be written" in err


def test_a_rate_no_pen_has_is_wrong_usage(evaluate):
    assert evaluate(DEMO_INK, "--rate", "0")[0] == 2


def test_a_row_a_writer_on_demand(evaluate):
    code, out, _ = evaluate(DEMO_INK, "--split", "val", "--limit", "12", "--by-writer")
    assert code == 0
    assert any(line.startswith("writer ") for line in out.splitlines())


def test_a_recordings_file(evaluate, tmp_path):
    code, found, _ = evaluate(recordings(tmp_path / "mine.npz"), "--json", "--by-writer")
    assert code == 0
    rows = {r["group"]: r for r in found["groups"]}
    assert rows["all"]["words"] == rows["recordings"]["words"] == 3
    assert (rows["writer 1"]["words"], rows["writer 2"]["words"]) == (2, 1)
    assert rows["all"]["exact_cuts"] == 100.0


def test_a_word_that_the_segmenter_cuts_in_two_is_joined(evaluate, tmp_path):
    """Two words 1.3 s apart, recorded as one: both texts are charged to it."""
    session = write_ink(some_words(2), 4, gap_s=(1.2, 1.5))
    x = session.values[int(100 * session.words[0].start_t) - 10 : int(100 * session.words[1].end_t) + 10]
    first = int(100 * (session.words[0].end_t - session.words[0].start_t)) + 20
    one = recordings(tmp_path / "one.npz", ["ab"], x=x, n=np.array([len(x)]), writer=np.array(["1"]))
    evaluate(one, "--readings", tmp_path / "r.jsonl")
    (line,) = [json.loads(row) for row in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert line["segments"] == 2
    alone = recordings(
        tmp_path / "alone.npz", ["a"], x=x[:first], n=np.array([first]), writer=np.array(["1"])
    )
    evaluate(alone, "--readings", tmp_path / "a.jsonl")
    reading = json.loads((tmp_path / "a.jsonl").read_text())
    assert reading["segments"] == 1
    assert len(line["greedy"]) > len(reading["greedy"])


def test_silence_is_scored_as_deletions_and_not_left_out(evaluate, tmp_path):
    still = np.zeros((150, 13), np.float32)
    still[:, [2, 5]] = 9.81
    path = recordings(tmp_path / "s.npz", ["abc"], x=still, n=np.array([150]), writer=np.array(["1"]))
    code, found, _ = evaluate(path, "--json")
    assert code == 0
    row = found["groups"][-1]
    assert (row["words"], row["greedy_cer"], row["decoded_cer"], row["greedy_wer"]) == (
        1,
        100.0,
        100.0,
        100.0,
    )
    assert row["exact_cuts"] == 0.0


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        ({"rate_hz": None}, "it lacks rate_hz"),
        ({"label": None, "n": None}, "it lacks n, label"),
        ({"x": np.zeros((9, 12), np.float32)}, "x has the shape (9, 12), expected 13 columns"),
        ({"n": np.array([5, 5, 5])}, "n sums to 15 samples, x holds"),
        ({"n": np.array([0, 5, 5])}, "n must hold one positive number"),
        ({"n": np.array([], np.int64), "x": np.zeros((0, 13))}, "n must hold one positive number"),
        ({"label": np.array(["a", "b"])}, "label has the shape (2,), n counts 3 words"),
        ({"writer": np.array(["a"])}, "writer has the shape (1,), n counts 3 words"),
        ({"rate_hz": np.array(0.0)}, "rate_hz is 0, expected 20 to 1000"),
        ({"rate_hz": np.array([100.0, 50.0])}, "is not a recordings file"),
        ({"x": np.full((9, 13), np.nan), "n": np.array([3, 3, 3])}, "no numbers"),
    ],
)
def test_a_recordings_file_that_does_not_fit_says_what_and_what_was_expected(
    evaluate, tmp_path, spoiled, said
):
    code, _, err = evaluate(recordings(tmp_path / "bad.npz", **spoiled))
    assert code == 1
    assert said in err
    assert "rate_hz" in err.rsplit("Expected", 1)[-1]
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04torn"], ids=["empty", "text", "torn"])
def test_a_file_that_is_no_corpus_is_one_clear_line(evaluate, tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    code, _, err = evaluate(tmp_path / "x.npz")
    assert code == 1
    assert "x.npz is not a corpus" in err
    assert len(err.splitlines()) == 1


def test_a_truncated_ink_file_and_a_bare_array_are_one_clear_line(evaluate, tmp_path):
    whole = DEMO_INK.read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[: len(whole) // 2])
    np.save(tmp_path / "y.npy", np.zeros(3))
    for name in ("x.npz", "y.npy"):
        code, _, err = evaluate(tmp_path / name)
        assert code == 1
        assert f"{name} is not a corpus" in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--split", "nowhere"], 1, "holds no word to evaluate with these options"),
        (["--donor", "9999"], 1, "holds no word"),
        (["--provider", "tpu"], 1, "unknown provider 'tpu'"),
        (["--limit", "0"], 2, "--limit"),
        (["--words", "some"], 2, "--words"),
    ],
)
def test_options_that_cannot_be_met(evaluate, options, code, said):
    found, _, err = evaluate(DEMO_INK, *options)
    assert found == code
    assert said in err


def test_what_cannot_be_evaluated_is_counted(evaluate, tmp_path):
    """Characters outside the alphabet, clocks that nobody trusts: left out, and said so."""
    ink = demo_corpus()
    chosen = np.flatnonzero((ink.split == "test") & evaluable(ink, PENAPP_ALPHABET))[:6]
    label, clock_ok, split = ink.label.copy().astype("<U30"), ink.clock_ok.copy(), np.full(len(ink), "train")
    split[chosen] = "test"
    label[chosen[0]], label[chosen[1]] = "naïve", "50%"
    clock_ok[chosen[2]] = False
    from penapp.simulation.unipen_import import save_corpus

    save_corpus(replace(ink, label=label, clock_ok=clock_ok, split=split), tmp_path / "ink.npz")
    code, found, _ = evaluate(tmp_path / "ink.npz", "--json")
    assert code == 0
    assert found["groups"][-1]["words"] == 3
    assert found["left_out"] == "1 words without a credible clock, 2 with characters outside the alphabet"


def record(path):
    """The three words as the terminal would have recorded them."""
    source = VirtualPenSource(SessionSource([write_ink(some_words(), 4, gap_s=(1.2, 1.5))]), speed=None)
    session = LiveSession(source, ToyPipeline, record_to=path, on_event=lambda _: None)
    session.start()
    assert session.wait(60)
    session.stop()


def test_a_folder_of_streams(evaluate, tmp_path):
    record(tmp_path / "today.pen")
    (tmp_path / "today.txt").write_text("one two\nthree", encoding="utf-8")
    (tmp_path / "notes.md").write_text("not a stream")
    code, found, _ = evaluate(tmp_path, "--json", "--readings", tmp_path / "r.jsonl")
    assert code == 0
    assert [(r["group"], r["words"]) for r in found["groups"]] == [("streams", 1), ("all", 1)]
    line = json.loads((tmp_path / "r.jsonl").read_text())
    assert (line["label"], line["segments"], line["writer"]) == ("onetwothree", 3, "today")
    for name in ("greedy_wer", "greedy_cer_given", "exact_cuts", "oov"):
        assert found["groups"][0][name] is None, f"{name} of a stream without word boundaries"
    assert found["groups"][0]["greedy_cer"] >= 0.0


def test_a_stream_without_word_boundaries_shows_dashes(evaluate, tmp_path):
    record(tmp_path / "today.pen")
    (tmp_path / "today.txt").write_text("one two three", encoding="utf-8")
    code, shown, _ = evaluate(tmp_path)
    assert code == 0
    assert next(line for line in str(shown).splitlines() if line.startswith("streams")).count("–") == 8


def test_a_folder_without_streams_or_without_a_text_says_so(evaluate, tmp_path):
    code, _, err = evaluate(tmp_path)
    assert (code, "holds no .pen files" in err) == (1, True)
    (tmp_path / "a.pen").write_bytes(b"\x00" * 50)
    code, _, err = evaluate(tmp_path)
    assert (code, "a.txt is missing" in err) == (1, True)
    (tmp_path / "a.txt").write_text("a")
    code, _, err = evaluate(tmp_path)
    assert code == 1
    assert "no recording of a pen" in err
    assert len(err.splitlines()) == 1


def test_a_corpus_that_is_not_there_is_wrong_usage(evaluate, tmp_path):
    code, _, err = evaluate(tmp_path / "none.npz")
    assert code == 2
    assert "none.npz" in err


def test_every_word_has_its_cell():
    ink = demo_corpus()
    names = np.array(group_names(ink))
    heldout = ink.heldout_word
    assert all(name.endswith("unseen word") for name in names[heldout])
    assert not any(name.endswith("unseen word") for name in names[~heldout])
    assert set(names[ink.split == "seen_writer"]) <= {
        f"seen writer, {w} word" for w in ("seen", "unseen", "other")
    }
    assert set(names[ink.split == "test"]) <= {
        f"unseen writer, {w} word" for w in ("seen", "unseen", "other")
    }
    trained = set(ink.label[(ink.split == "train") & ~heldout])
    for name, label in zip(names[~heldout], ink.label[~heldout], strict=True):
        assert name.endswith("seen word") == (label in trained)
