"""Which labels a network doubts, and a shard without them."""

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.export import load_network  # noqa: E402
from models.training.shards import Shard  # noqa: E402
from models.training.suspects import suspects, suspects_command  # noqa: E402
from models.training.validate import Reader, greedy_texts  # noqa: E402
from penapp.decode.alphabet import PENAPP_ALPHABET  # noqa: E402
from penapp.dsp.params import DEFAULT_PARAMS  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.toy_training import demo_shard, talkative_checkpoint  # noqa: E402

WRONG = {4: "Z", 9: "0", 11: "Q"}
"""Items of the toy shard that are labelled otherwise than the network reads them."""


def relabelled(shard, labels):
    return Shard(**{**vars(shard), "label": np.array(labels)})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return talkative_checkpoint(folder / "best.safetensors", data={"task": "labels"})


@pytest.fixture
def toy(checkpoint, tmp_path):
    """A shard labelled as the network reads it, but for the WRONG ones."""
    shard = demo_shard(sessions=2)
    labels = greedy_texts(load_network(checkpoint), shard, reader=Reader(labels=True))
    assert not {labels[i] for i in WRONG} & set(WRONG.values())
    for i, label in WRONG.items():
        labels[i] = label
    relabelled(shard, labels).save(tmp_path / "chars.npz")
    return tmp_path / "chars.npz"


def run(*arguments):
    found = CliRunner().invoke(suspects_command, [str(a) for a in arguments], standalone_mode=False)
    if found.exception is not None:
        raise found.exception
    return found.output.splitlines()


def by_hand(checkpoint, shard, i):
    """Probability of every letter for item i, alone: the mean over its frames, the blank left out."""
    network, rows = load_network(checkpoint), torch.from_numpy(shard.word(i))
    with torch.no_grad():
        (frames,) = network(rows[None], torch.tensor([len(rows)]))
    total = [sum(float(frame[c]) for frame in frames) / len(frames) for c in range(1, PENAPP_ALPHABET.size)]
    weights = np.exp(np.array(total))
    return dict(zip(PENAPP_ALPHABET.letters, weights / weights.sum(), strict=True))


def test_suspects_are_the_items_a_model_disagrees_with_most():
    log_probs = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.05, 0.95], [0.6, 0.4]]))
    target = np.array([0, 0, 0, 0])
    assert suspects(log_probs, target, 0.5).tolist() == [2, 1]
    assert suspects(log_probs, target, 1.0).tolist() == [2, 1]


def test_items_are_named_worst_first_with_what_the_model_says_and_how_sure(checkpoint, toy):
    *lines, last = run(checkpoint.parent, toy, "--share", 0.5)
    shard = Shard.load(toy)
    margins = {}
    for i, label in WRONG.items():
        chances = by_hand(checkpoint, shard, i)
        read = max(chances, key=chances.get)
        said = f"{read!r} ({100 * chances[read]:.1f} %, the label {100 * chances[label]:.1f} %)"
        line = f"item {i}, labelled {label!r}: read as {said}, writer {shard.writer[i]}"
        margins[line] = np.log(chances[read] / chances[label])
    assert lines == sorted(margins, key=lambda line: -margins[line])
    assert last == f"{toy}: 3 of {len(shard)} items are read otherwise than labelled"


def test_no_more_are_named_than_the_share(checkpoint, toy):
    few = run(checkpoint, toy, "--share", 1.5 / len(Shard.load(toy)))
    assert few[:2] == run(checkpoint, toy, "--share", 0.5)[:2]
    assert len(few) == 3


@pytest.mark.parametrize("normalisation", ["causal", "per-segment"])
def test_the_clean_shard_lacks_them_and_nothing_else_changes(tmp_path, toy, normalisation):
    data = {"task": "labels", "normalisation": normalisation}
    other = talkative_checkpoint(tmp_path / "other.safetensors", data=data)
    before = toy.read_bytes()
    *lines, last = run(other, toy, "--share", 0.2, "--out", tmp_path / "clean.npz")
    shard, clean = Shard.load(toy), Shard.load(tmp_path / "clean.npz")
    named = {int(line.split(",")[0].removeprefix("item ")) for line in lines[:-1]}
    kept = [i for i in range(len(shard)) if i not in named]
    assert len(named) > 0
    assert last == f"{tmp_path / 'clean.npz'}: {len(kept)} items"
    assert clean.fingerprint == shard.fingerprint == DEFAULT_PARAMS.fingerprint()
    for name in ("style", "label", "writer", "session"):
        np.testing.assert_array_equal(getattr(clean, name), getattr(shard, name)[kept])
    for i, same in enumerate(kept):
        np.testing.assert_array_equal(clean.word(i), shard.word(same))
        assert len(clean.ink.word(i)) == len(shard.ink.word(same)) > 0
        for found, stroke in zip(clean.ink.word(i), shard.ink.word(same), strict=True):
            np.testing.assert_array_equal(found, stroke)
    assert toy.read_bytes() == before


def test_the_shard_itself_is_never_written(checkpoint, toy, tmp_path):
    before = toy.read_bytes()
    (tmp_path / "beside").mkdir()
    for out in (toy, tmp_path / "beside" / ".." / toy.name):
        with pytest.raises(BadInputError, match="is the shard itself"):
            run(checkpoint, toy, "--out", out)
    assert toy.read_bytes() == before


def test_items_that_the_network_cannot_know_are_kept_and_counted(checkpoint, toy, tmp_path):
    shard = Shard.load(toy)
    relabelled(shard, ["ж", *shard.label[1:]]).save(tmp_path / "foreign.npz")
    lines = run(checkpoint, tmp_path / "foreign.npz", "--share", 0.5, "--out", tmp_path / "clean.npz")
    assert [line.split(",")[0] for line in lines[:3]] == [
        x.split(",")[0] for x in run(checkpoint, toy, "--share", 0.5)[:3]
    ]
    assert "1 not judged (letters outside the alphabet, or no rows)" in lines[3]
    assert Shard.load(tmp_path / "clean.npz").label[0] == "ж"
    relabelled(shard, ["ж"] * len(shard)).save(tmp_path / "foreign.npz")
    with pytest.raises(BadInputError, match=r"none of the .* items has a label that the network knows"):
        run(checkpoint, tmp_path / "foreign.npz")


def test_a_run_that_was_trained_on_the_shard_is_warned_of(toy, tmp_path):
    for known in ({"train": {"ch*.npz": 1.0}}, {"train": {}, "val": "chars.npz"}):
        data = {"task": "labels", "corpus": str(tmp_path), **known}
        own = talkative_checkpoint(tmp_path / "own.safetensors", data=data)
        assert run(own, toy)[0].startswith(f"warning: toy was trained on {toy}")


def test_words_and_raw_channels_are_refused(checkpoint, toy, tmp_path):
    words = talkative_checkpoint(tmp_path / "words.safetensors")
    with pytest.raises(BadInputError, match=r"was trained on words.*data\.task = \"labels\""):
        run(words, toy)
    raw = talkative_checkpoint(tmp_path / "raw.safetensors", data={"task": "labels", "archive": "a.zip"})
    with pytest.raises(BadInputError, match="was trained on raw channels"):
        run(raw, toy)
    demo_shard(sessions=1).save(tmp_path / "of-words.npz")
    with pytest.raises(BadInputError, match="labels are not one letter"):
        run(checkpoint, tmp_path / "of-words.npz")
