"""Words of a shard as samples: how long they took, and whether training held them."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from models.training.assess.predictions import Header, Sample, read_predictions
from models.training.assess.shard_samples import Trained, read_command, samples_of, trained_on
from models.training.shards import Shard
from models.training.strokes import PackedInk
from penapp.dsp.params import DEFAULT_PARAMS
from penapp.errors import BadInputError
from penapp.recognise.artefact import SHIPPED

SHARD = Shard(
    np.zeros((5, 14), np.float16),
    np.zeros((2, 15), np.float32),
    np.array([0, 2, 5]),
    np.array(["of", "tea"]),
    np.array(["7", "8"]),
    np.array([0, 1]),
    PackedInk.none(2),
    "print",
)


def test_samples_know_their_time_and_what_was_trained():
    trained = Trained(frozenset({"of"}), frozenset({"8"}))
    assert samples_of(SHARD, ["of", "ten"], 100.0, name="val", trained=trained) == [
        Sample("val/0", "of", "of", "7", word_seen=True, writer_seen=False, seconds=0.02, rows=2),
        Sample("val/1", "tea", "ten", "8", word_seen=False, writer_seen=True, seconds=0.03, rows=3),
    ]


def test_every_word_needs_a_text():
    with pytest.raises(BadInputError, match="1 texts for 2 words"):
        samples_of(SHARD, ["of"], 100.0, name="val")


def test_without_the_training_shards_seen_is_not_known():
    first, _ = samples_of(SHARD, ["of", ""], 50.0, name="val")
    assert (first.word_seen, first.writer_seen, first.seconds) == (None, None, 0.04)


def test_labels_and_writers_of_training_are_those_of_its_shards(tmp_path):
    SHARD.save(tmp_path / "a.npz")
    assert trained_on([tmp_path / "a.npz"]) == Trained(frozenset({"of", "tea"}), frozenset({"7", "8"}))


def test_predict_reads_a_shard_into_a_file(tmp_path):
    replace(SHARD, fingerprint=DEFAULT_PARAMS.fingerprint()).save(tmp_path / "val.npz")
    options = ["--dataset", "made up", "--split", "WI", "--fold", "2", "--selection", "best-on-test"]
    arguments = [SHIPPED, tmp_path / "val.npz", tmp_path / "mine", *options, "--pen", "simulated"]
    arguments += ["--train", tmp_path / "val.npz"]
    found = CliRunner().invoke(read_command, [str(a) for a in arguments])
    assert found.exit_code == 0, found.output
    read = read_predictions(tmp_path / "mine" / "predictions-best-on-test-fold2.jsonl")
    assert read.header == Header("mine", "made up", "WI", 2, "best-on-test", simulated=True)
    assert [(s.id, s.label, s.text, s.word_seen) for s in read.samples] == [
        ("made up/2/0", "of", "", True),
        ("made up/2/1", "tea", "", True),
    ]


def test_predict_asks_whether_the_pen_was_real(tmp_path):
    SHARD.save(tmp_path / "val.npz")
    options = ["--dataset", "made up", "--split", "WI", "--selection", "best-on-test"]
    found = CliRunner().invoke(read_command, [str(SHIPPED), str(tmp_path / "val.npz"), "o", *options])
    assert found.exit_code == 2
    assert "'--pen'" in found.output
