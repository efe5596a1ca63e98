"""`python -m models.training …`: a run from configuration to a card, and what goes wrong in one line."""

import json
import sys

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training import __main__ as program  # noqa: E402
from models.training import few_samples  # noqa: E402
from models.training.assess.predictions import read_predictions  # noqa: E402
from models.training.card import read_result, write_card  # noqa: E402
from models.training.checkpoint import load_checkpoint  # noqa: E402
from models.training.commands import checkpoint_of  # noqa: E402
from models.training.config import load_config  # noqa: E402
from penapp.dsp.params import DEFAULT_PARAMS  # noqa: E402
from penapp.errors import BadInputError, ModelMismatchError  # noqa: E402
from penapp.recognise.artefact import read_manifest  # noqa: E402
from tests.training.toy_training import write_corpus  # noqa: E402

TINY = ["network.stem=8", "network.width=8", "network.hidden=8", "network.layers=1", "network.blocks=0"]


@pytest.fixture
def call(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
        code = program.run()
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    threads = torch.get_num_threads()
    yield run
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def train_arguments(corpus, runs, *more):
    items = [
        *TINY,
        "name=tiny",
        f'data.corpus="{corpus.as_posix()}"',
        'data.train={"train.npz"=1.0}',
        "data.val_words=6",
        "optim.steps=3",
        "optim.batch_rows=1200",
        *more,
    ]
    return ["train", "--runs", runs, *(word for item in items for word in ("--set", item))]


def test_from_configuration_to_artefact(call, corpus, tmp_path):
    code, out, err = call(*train_arguments(corpus, tmp_path / "runs"))
    assert (code, err) == (0, "")
    assert "step 0 of 3" in out
    run = tmp_path / "runs" / "tiny"
    assert load_config(None).optim.steps != program.stored_config(run).optim.steps == 3
    code, out, err = call("export", run, tmp_path / "model", "--golden", corpus / "val.npz", "--name", "tiny")
    assert (code, err) == (0, "")
    assert read_manifest(tmp_path / "model").name == "tiny"
    assert call("resume", run)[1].startswith("tiny: step 3 of 3")


def test_a_finished_run_of_another_configuration_is_not_overwritten(call, corpus, tmp_path):
    call(*train_arguments(corpus, tmp_path))
    before = {p.name: p.read_bytes() for p in (tmp_path / "tiny").iterdir()}
    code, _, err = call(*train_arguments(corpus, tmp_path, "optim.lr=0.5"))
    assert code == 1
    assert "holds a run with another configuration" in err
    assert {p.name: p.read_bytes() for p in (tmp_path / "tiny").iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["train", "--set", "optim.foo=1"], 1, "unknown configuration key optim.foo"),
        (["train", "--set", 'data.train={"none.npz"=1.0}'], 1, "no shard matches none.npz"),
        (["export", ".", "out", "--golden", "x.npz"], 2, "'x.npz' does not exist"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(call, tmp_path, monkeypatch, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    found, _, err = call(*arguments)
    assert found == code
    assert said in err
    assert "Traceback" not in err


def test_a_run_folder_stands_for_its_best_checkpoint(tmp_path):
    with pytest.raises(BadInputError, match="holds no checkpoint"):
        checkpoint_of(tmp_path)
    (tmp_path / "last.safetensors").touch()
    assert checkpoint_of(tmp_path).name == "last.safetensors"
    (tmp_path / "best.safetensors").touch()
    assert checkpoint_of(tmp_path).name == "best.safetensors"
    assert checkpoint_of(tmp_path / "last.safetensors").name == "last.safetensors"


def test_evaluate_reads_a_corpus_with_an_exported_artefact(call, toy_model):
    from penapp.simulation.demo_ink import DEMO_INK

    options = ["--split", "val", "--limit", "12"]
    code, out, _ = call("evaluate", toy_model, DEMO_INK, "--json", *options)
    assert code == 0
    assert json.loads(out)["groups"][-1]["words"] == 12


def result_file(path, model, **facts):
    row = {
        "group": "all", "words": 9, "writers": 2, "greedy_cer": 20.123, "greedy_wer": 50.0,
        "decoded_cer": 10.0, "decoded_wer": 30.0, "greedy_cer_given": 19.0, "exact_cuts": 97.0, "oov": 5.0,
        "writer_cer": [10.0, 20.0, 31.25],
    }  # fmt: skip
    path.write_text(json.dumps({"corpus": "test.npz", "model": model, "seed": 1, **facts, "groups": [row]}))
    return path


def test_the_card_holds_manifest_and_figures(toy_model, tmp_path):
    manifest = read_manifest(toy_model)
    results = [read_result(result_file(tmp_path / "r.json", f"toy {manifest.sha256[:12]}"))]
    template = program.main.commands["card"].params[-1].default
    write_card(tmp_path, manifest, results, template)
    card = (tmp_path / "CARD.md").read_text(encoding="utf-8")
    assert card.startswith("# toy v1\n")
    assert manifest.sha256 in card
    assert manifest.fingerprint in card
    assert "| all | 9 | 2 | 20.1 | 50.0 |" in card
    assert "10.0 / 20.0 / 31.2 |" in card
    assert "corpus test.npz; seed 1" in card
    assert "$" not in card


def test_figures_of_another_model_are_not_put_on_a_card(toy_model, tmp_path):
    manifest = read_manifest(toy_model)
    results = [read_result(result_file(tmp_path / "r.json", "toy 000000000000"))]
    with pytest.raises(ModelMismatchError, match=f"toy 000000000000.*toy {manifest.sha256[:12]}"):
        write_card(tmp_path, manifest, results, tmp_path / "none.md")
    assert not (tmp_path / "CARD.md").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"groups": []}', '{"corpus": 1, "model": 2, "groups": [{}]}']
)
def test_a_file_that_is_no_evaluation_is_named(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(BadInputError, match=r"r\.json is not an evaluation"):
        read_result(tmp_path / "r.json")


def test_figures_on_the_words_that_chose_the_checkpoint_are_labelled_so(call, corpus, tmp_path):
    call(*train_arguments(corpus, tmp_path))
    (corpus / "other.npz").write_bytes((corpus / "val.npz").read_bytes())
    assert call("predict", tmp_path / "tiny", corpus / "val.npz")[0] == 0
    assert call("predict", tmp_path / "tiny", corpus / "other.npz")[0] == 0
    made = sorted(path.name for path in (tmp_path / "tiny").glob("predictions-*"))
    assert made == ["predictions-other-held-out-writers.jsonl", "predictions-val-best-on-test.jsonl"]


@pytest.mark.parametrize("name", ["val.npz", "other.npz"])
def test_what_the_last_checkpoint_reads_is_labelled_as_chosen_by_nothing(call, corpus, tmp_path, name):
    call(*train_arguments(corpus, tmp_path))
    shard = corpus / name
    shard.write_bytes((corpus / "val.npz").read_bytes())
    for which in ([], ["--last"]):
        assert call("predict", tmp_path / "tiny", shard, *which)[0] == 0
    path = tmp_path / "tiny" / f"predictions-{shard.stem}-last.jsonl"
    assert read_predictions(path).header.selection == "last"
    code, out, _ = call("compare", tmp_path / "tiny", "--resamples", 100)
    assert code == 0
    assert "selection last (none: the last checkpoint)" in out
    chosen = "best-on-test" if name == "val.npz" else "held-out-writers"
    assert f"not compared: selection {chosen} against last" in out


def test_without_the_training_shards_nobody_is_called_unseen(call, corpus, tmp_path):
    own = write_corpus(tmp_path / "corpus")
    call(*train_arguments(own, tmp_path))
    (own / "train.npz").unlink()
    code, out, _ = call("predict", tmp_path / "tiny", corpus / "val.npz")
    assert code == 0
    assert "no train.npz in" in out
    (path,) = (tmp_path / "tiny").glob("predictions-*")
    assert {sample.writer_seen for sample in read_predictions(path).samples} == {None}


def test_a_run_that_begins_with_other_weights_keeps_them_before_its_first_step(
    call, corpus, tmp_path, monkeypatch
):
    call(*train_arguments(corpus, tmp_path))
    first = tmp_path / "tiny" / "best.safetensors"
    monkeypatch.setattr(program, "train", lambda *_: None)  # killed at once
    code, out, _ = call(*train_arguments(corpus, tmp_path / "second"), "--start-from", first)
    assert code == 0
    assert f"begins with the weights of {first}" in out
    kept, _ = load_checkpoint(tmp_path / "second" / "tiny" / "last.safetensors")
    given, _ = load_checkpoint(first)
    assert all(torch.equal(kept[f"network.{k[7:]}"], v) for k, v in given.items() if k.startswith("smooth."))


def test_few_samples_reads_rows_as_the_network_was_trained_on_and_refuses_other_targets(
    call, corpus, tmp_path, monkeypatch
):
    shown = []
    monkeypatch.setattr(few_samples, "few_samples", lambda _network, words, *_: shown.append(words) or [])
    call(*train_arguments(corpus, tmp_path / "own", "data.normalisation=per-segment"))
    assert call("few-samples", tmp_path / "own" / "tiny", corpus / "val.npz")[0] == 0
    assert shown[0].fingerprint != DEFAULT_PARAMS.fingerprint()
    call(*train_arguments(corpus, tmp_path / "tokens", "data.tokens=90"))
    code, _, err = call("few-samples", tmp_path / "tokens" / "tiny", corpus / "val.npz")
    assert code == 1
    assert "was trained on raw channels, tokens" in err


def test_a_disk_that_fills_up_outside_a_checkpoint_is_one_line_too(call, corpus, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "metrics.jsonl")

    monkeypatch.setattr("models.training.monitor.Monitor.report", full)
    code, _, err = call(*train_arguments(corpus, tmp_path / "runs"))
    assert code == 1
    assert "No space left on device: 'metrics.jsonl'. What was saved stays" in err
    assert "Traceback" not in err
