"""A run on a published archive: raw channels, letters of the archive, its own folds, the published table."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.assess.predictions import read_predictions  # noqa: E402
from models.training.loop import part_maker, train  # noqa: E402
from models.training.material import Targets, archive_part, load_material  # noqa: E402
from models.training.predict import published_name  # noqa: E402
from models.training.run import load_run, save_run, start_run  # noqa: E402
from models.training.step import train_step  # noqa: E402
from models.training.tokens import BigramTokens  # noqa: E402
from models.training.validate import Reader  # noqa: E402
from penapp.decode.alphabet import ONHW_LETTERS, PENAPP_ALPHABET, Alphabet  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.archive_toys import chars_right, dump, recording, words, words500  # noqa: E402
from tests.training.test_training_commands import call  # noqa: E402, F401 - a fixture
from tests.training.toy_training import demo_shard, toy_config, write_corpus  # noqa: E402


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return words500(tmp_path_factory.mktemp("archive"))


def config_of(archive, **sections):
    data = {"archive": str(archive), "fold": "0", **sections.pop("data", {})}
    optim = {"batch_rows": 800, "steps": 2, **sections.pop("optim", {})}
    return toy_config(archive, encoder="cnn_bilstm", data=data, optim=optim, **sections)


def test_a_run_on_an_archive_reads_raw_standardised_channels_of_its_own_letters(archive, tmp_path):
    config = config_of(archive)
    material = load_material(config)
    assert material.targets == Targets(13, Alphabet(ONHW_LETTERS))
    rows = material.presenter.plain(material.corpora[0].shard, 0)
    np.testing.assert_allclose(rows.mean(0), 0.0, atol=1e-4)
    run = train(start_run(config, material.targets), tmp_path, material)
    assert run.step == 2
    assert run.network.features == 13
    assert run.network.classes == 60


def test_the_checkpoint_is_chosen_by_other_writers_or_by_the_test_fold_as_configured(archive):
    clean = load_material(config_of(archive))
    writers = [set(words.writer.tolist()) for words in (clean.corpora[0].shard, clean.val)]
    assert not writers[0] & writers[1]
    assert all(writers)
    literature = load_material(config_of(archive, data={"selection": "best-on-test"}))
    assert not set(literature.val.writer.tolist()) & set(literature.corpora[0].shard.writer.tolist())
    assert len(literature.corpora[0].shard) == len(clean.corpora[0].shard) + len(clean.val)


def test_from_an_archive_to_the_published_table(call, archive, tmp_path):  # noqa: F811
    items = [
        "name=toy", "encoder=cnn_bilstm", f'data.archive="{archive.as_posix()}"', 'data.fold="0"',
        "data.selection=best-on-test", "optim.steps=2", "optim.batch_rows=800", "raw.chance=0.25",
    ]  # fmt: skip
    sets = [word for item in items for word in ("--set", item)]
    assert call("train", "--runs", tmp_path, *sets)[::2] == (0, "")
    code, out, err = call("predict", tmp_path / "toy")
    assert (code, err) == (0, "")
    (path,) = (tmp_path / "toy").glob("predictions-*.jsonl")
    made = read_predictions(path)
    assert (made.header.dataset, made.header.split, made.header.fold) == ("words500-right", "WI", 0)
    assert not made.header.simulated
    assert made.header.selection == "best-on-test"
    code, out, err = call("compare", tmp_path / "toy", "--published")
    assert (code, err) == (0, "")
    assert "REWI-B" in out
    code, _, err = call("export", tmp_path / "toy", tmp_path / "model", "--golden", archive_shard(tmp_path))
    assert code == 1
    assert "was trained on raw channels" in err


def archive_shard(folder):
    demo_shard("val", 1).save(folder / "golden.npz")
    return folder / "golden.npz"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("words500-indep-R", ("words500-right", "WI")),
        ("words500-dep-L", ("words500-left", "WD")),
        ("chars-lower-indep", ("chars-lower-right", "WI")),
    ],
)
def test_sources_have_the_names_of_the_published_tables(source, name):
    assert published_name(source) == name


def test_a_fold_that_is_not_there_lists_those_that_are(archive):
    with pytest.raises(BadInputError, match=r"holds nothing of fold 9.*words500-indep-R fold 0 train"):
        load_material(config_of(archive, data={"fold": "9"}))


def test_token_targets_are_kept_with_the_run_and_read_back_as_text(tmp_path):
    corpus = write_corpus(tmp_path)
    config = toy_config(corpus, data={"tokens": 90})
    material = load_material(config)
    tokens = material.targets.alphabet
    assert isinstance(tokens, BigramTokens)
    assert PENAPP_ALPHABET.size < tokens.size <= 90
    run = train(start_run(config, material.targets), tmp_path, material, until=2)
    assert run.network.classes == tokens.size
    assert Targets.of(run.targets.state()) == material.targets
    path = torch.full((5, tokens.size), -5.0)
    path[[0, 1, 3], [tokens.size - 1] * 3] = 0.0
    path[[2, 4], [0, 0]] = 0.0
    assert Reader(tokens).text(path) == 2 * tokens.decode([tokens.size - 1])


def test_single_labels_are_learned_and_read_by_the_mean_of_the_frames(tmp_path):
    """One letter a recording: cross-entropy, no blank."""
    corpus = write_corpus(tmp_path)
    shard = demo_shard()
    letters = type(shard)(**{**vars(shard), "label": np.array([str(x)[0] for x in shard.label])})
    for name in ("train", "val"):
        letters.save(corpus / f"{name}.npz")
    config = toy_config(
        corpus, data={"task": "labels", "val_words": 100}, optim={"steps": 60, "batch_rows": 2500, "lr": 0.02}
    )
    material = load_material(config)
    run = train(start_run(config, material.targets), tmp_path, material)
    commonest = np.unique(letters.label, return_counts=True)[1].max() / len(letters)
    assert run.best_cer < 100.0 * (1.0 - commonest) - 4.0
    log_probs = torch.full((3, PENAPP_ALPHABET.size), -3.0)
    log_probs[:, 0] = 0.0
    log_probs[:, 5] = -1.0
    assert Reader(labels=True).text(log_probs) == PENAPP_ALPHABET.decode([5])


def test_held_out_writers_count_as_unseen_and_empty_recordings_as_errors(call, tmp_path):  # noqa: F811
    """Writers and labels that only chose the checkpoint were not learned; nothing goes missing."""
    archive = words500(tmp_path / "archive", protocol="dep", folds=("0",))
    words(archive / "0", val=("ja", "nein", "Haus"), writers=((1, 2, 2), (1, 2, 2)))
    signals = [recording(60), np.empty((0, 13)), recording(1100)]
    dump(archive / "0" / "all_x_dat_val_imu.pkl", signals)
    config = config_of(archive, optim={"batch_rows": 800, "steps": 1})
    material = load_material(config)
    run = train(start_run(config, material.targets), tmp_path, material)
    assert run.step == 1
    code, out, _ = call("predict", tmp_path / "last.safetensors")
    assert code == 0
    assert "1 not scored, more than 1024 samples" in out
    (path,) = tmp_path.glob("predictions-*.jsonl")
    read, empty = read_predictions(path).samples
    assert (read.content, empty.content) == (archive_part(config, "test").contents()[0].hex(), "")
    assert (empty.label, empty.text, empty.writer, empty.rows) == ("nein", "", "2", 0)
    learned = set(material.corpora[0].shard.writer.tolist())
    assert learned < {"1", "2"}
    assert [sample.writer_seen for sample in (read, empty)] == ["1" in learned, "2" in learned]


def test_letters_that_two_folds_test_are_counted_once_beside(call, tmp_path):  # noqa: F811
    archive = chars_right(tmp_path / "archive", folds=(0, 1))
    for fold in ("0", "1"):
        data = {"archive": str(archive), "fold": fold, "task": "labels"}
        config = toy_config(archive, encoder="cnn_bilstm", data=data)
        (tmp_path / fold).mkdir()
        save_run(start_run(config, Targets(13, Alphabet(ONHW_LETTERS))), tmp_path / fold / "best.safetensors")
        assert call("predict", tmp_path / fold)[0] == 0
    code, out, _ = call("compare", tmp_path / "0", tmp_path / "1")
    assert code == 0
    assert "each recording counted once: accuracy" in out
    assert "%; 1 of 5 were tested more than once" in out


def test_words_are_no_single_labels(archive):
    config = config_of(archive, data={"task": "labels"})
    material = load_material(config)
    with pytest.raises(BadInputError, match="labels are not one letter"):
        train(start_run(config, material.targets), archive, material)


def test_running_statistics_are_the_mean_over_the_parts_of_a_step(archive):
    """So they are the same whoever computes the parts; a step that is no number leaves them alone."""
    config = config_of(archive)
    material = load_material(config)
    made = []
    for chosen in ([0, 1], [0, 0], [1, 1]):
        run = start_run(config, material.targets)
        run.step = 1
        parts = part_maker(run, material)(1)
        train_step(run, [parts[k] for k in chosen])
        made.append(run.network.norms[0].norm.running_mean.clone())
    torch.testing.assert_close(made[0], (made[1] + made[2]) / 2)
    assert (made[0] - made[1]).abs().max() > 1e-6
    parts[0].batch.features[0, 0, 0] = float("nan")
    train_step(run, parts)
    assert torch.equal(run.network.norms[0].norm.running_mean, made[2])


def test_a_run_does_not_go_on_with_other_tokens(tmp_path):
    config = toy_config(write_corpus(tmp_path), data={"tokens": 90})
    material = load_material(config)
    save_run(start_run(config, material.targets), tmp_path / "last.safetensors")
    tokens = material.targets.alphabet.tokens
    other = Targets(material.targets.features, BigramTokens((*tokens[:-1], "zq")))
    with pytest.raises(BadInputError, match="other features, letters or tokens"):
        load_run(tmp_path / "last.safetensors", start_run(config, other))
