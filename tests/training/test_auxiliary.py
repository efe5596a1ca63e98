"""The branch beside the pen: it helps in training, resumes with the run, and is not there at inference."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

import torch.multiprocessing as mp  # noqa: E402

from models.training.auxiliary.branch import build_auxiliary  # noqa: E402
from models.training.auxiliary.companions import PictureDrawer  # noqa: E402
from models.training.batches import Corpus, Sampler  # noqa: E402
from models.training.export import export, load_network  # noqa: E402
from models.training.loop import part_maker, train  # noqa: E402
from models.training.material import Targets, load_corpora, load_material, load_val  # noqa: E402
from models.training.monitor import Monitor  # noqa: E402
from models.training.presenting import FeaturePresenter  # noqa: E402
from models.training.run import load_run, save_run, start_run  # noqa: E402
from models.training.step import term_weights, train_step  # noqa: E402
from models.training.strokes import PackedInk  # noqa: E402
from models.training.tokens import BigramTokens  # noqa: E402
from penapp.decode.alphabet import PENAPP_ALPHABET, Alphabet  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from penapp.scores import ErrorRates, edit_distance  # noqa: E402
from tests.training.toy_ranks import train_and_tell  # noqa: E402
from tests.training.toy_training import demo_shard, toy_config, write_corpus  # noqa: E402

IMAGE = {"branch": "image", "width": 16, "slots": 2, "lr_scale": 1.0}
SMALL = {"optim": {"batch_rows": 700}}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def config_of(corpus, terms, **sections):
    auxiliary = {**IMAGE, "terms": terms, **sections.pop("auxiliary", {})}
    return toy_config(corpus, auxiliary=auxiliary, **{**SMALL, **sections})


def fresh(config):
    return start_run(config)


def one_step(config, step=1):
    run = fresh(config)
    run.step = step
    return run, train_step(run, part_maker(run, load_material(config))(step))


def weights_of(module):
    return torch.cat([p.detach().reshape(-1) for p in module.parameters()])


@pytest.mark.parametrize(
    "terms",
    [{"mse": 1.0}, {"pearson": 1.0, "kl": 0.5}, {"contrastive": 1.0}, {"triplet": 1.0}, {"infonce": 0.5}],
    ids="+".join,
)
def test_every_image_term_teaches_the_pen(corpus, terms):
    """The same step without the branch leaves other weights; the terms are reported by name."""
    run, losses = one_step(config_of(corpus, terms))
    alone, plain = one_step(toy_config(corpus, **SMALL))
    assert set(losses) == {"loss", "ctc", *terms}
    assert losses["ctc"] == pytest.approx(plain["loss"], rel=1e-5)
    assert losses["loss"] == pytest.approx(
        losses["ctc"] + sum(weight * losses[name] for name, weight in terms.items()), rel=1e-4
    )
    assert all(losses[name] != 0.0 for name in terms)
    assert (weights_of(run.network) - weights_of(alone.network)).abs().max() > 1e-6


def test_the_text_branch_teaches_the_pen(corpus):
    branch = {"branch": "text", "text": {"width": 16, "depth": 1, "heads": 2, "errors": 1}}
    run, losses = one_step(config_of(corpus, {"text": 1.0, "text_errors": 1.0}, auxiliary=branch))
    alone, _ = one_step(toy_config(corpus, **SMALL))
    assert losses["text"] > 0.0 < losses["text_errors"]
    assert (weights_of(run.network) - weights_of(alone.network)).abs().max() > 1e-6


def test_the_branch_changes_neither_the_first_weights_nor_the_network_that_ships(corpus, tmp_path):
    run = fresh(config_of(corpus, {"triplet": 1.0}))
    plain = fresh(toy_config(corpus, **SMALL))
    assert torch.equal(weights_of(run.network), weights_of(plain.network))
    save_run(run, tmp_path / "c.safetensors")
    shipped = load_network(tmp_path / "c.safetensors")
    assert sum(p.numel() for p in shipped.parameters()) == sum(p.numel() for p in plain.network.parameters())
    manifest = export(tmp_path / "c.safetensors", tmp_path / "model", demo_shard("val", 1))
    assert manifest.parameters == sum(p.numel() for p in plain.network.parameters())


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_image_recogniser_stays_and_another_learns(corpus, frozen):
    terms = {"triplet": 1.0} if frozen else {"triplet": 1.0, "image_ctc": 1.0}
    config = config_of(corpus, terms, auxiliary={"image": {"frozen": frozen, "own": 1.0}})
    before = fresh(config).auxiliary.network
    run, _ = one_step(config)
    assert torch.equal(weights_of(before), weights_of(run.auxiliary.network)) is frozen
    assert run.auxiliary.network.training is not frozen


def test_a_run_with_a_branch_resumes_as_if_it_had_not_stopped(corpus, tmp_path):
    config = config_of(
        corpus, {"triplet": 1.0, "infonce": 0.2}, auxiliary={"schedule": "dwa"}, evaluate_every=1
    )
    whole = train(fresh(config), tmp_path, until=4)
    (tmp_path / "parts").mkdir()
    train(fresh(config), tmp_path / "parts", until=2)
    resumed = load_run(tmp_path / "parts" / "last.safetensors", fresh(config))
    train(resumed, tmp_path / "parts", until=4)
    assert torch.equal(weights_of(resumed.network), weights_of(whole.network))
    assert torch.equal(weights_of(resumed.auxiliary), weights_of(whole.auxiliary))
    assert resumed.weights == whole.weights
    told = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert {"ctc", "triplet", "infonce"} <= set(told[0])


def test_two_processes_train_the_branch_that_one_trains(corpus, tmp_path):
    config = config_of(corpus, {"triplet": 1.0}, auxiliary={"image": {"frozen": False}})
    other = mp.get_context("spawn").Process(target=train_and_tell, args=(1, 2, config, 2, tmp_path))
    other.start()
    train_and_tell(0, 2, config, 2, tmp_path)
    other.join()
    assert other.exitcode == 0
    alone = train(fresh(config), tmp_path, until=2)
    both = torch.from_numpy(np.load(tmp_path / "rank0.npy"))
    torch.testing.assert_close(both, weights_of(alone.network), rtol=0, atol=1e-6)


def test_weights_of_terms_follow_the_schedule(corpus):
    ramped = fresh(config_of(corpus, {"triplet": 2.0}, auxiliary={"schedule": "ramp", "ramp": 0.5}))
    ramped.step = 7  # of 30 steps: 7/15 of the ramp
    assert term_weights(ramped) == pytest.approx({"ctc": 1.0, "triplet": 2.0 * 7 / 15})
    ramped.step = 20
    assert term_weights(ramped) == {"ctc": 1.0, "triplet": 2.0}
    averaged = fresh(config_of(corpus, {"triplet": 2.0}, auxiliary={"schedule": "dwa"}))
    assert term_weights(averaged) == {"ctc": 1.0, "triplet": 2.0}


def companions_of(config, step=3, progress=0.5):
    corpora = load_corpora(config)
    batch = Sampler(
        corpora, config, PENAPP_ALPHABET, FeaturePresenter(config.augment), lambda rows: rows // 4
    ).batch(step)
    drawer = PictureDrawer(corpora, load_val(config), config.auxiliary, seed=5, height=32)
    return batch, drawer.draw(batch, step, 0, progress)


def test_companions_show_the_label_and_another_one(corpus):
    config = config_of(corpus, {"triplet": 1.0}, auxiliary={"image": {"hard": 2}})
    batch, beside = companions_of(config)
    own = [batch.labels[k] for k in beside.words.tolist()]
    assert list(beside.positive.labels) == own
    assert all(a != b for a, b in zip(own, beside.negative.labels, strict=True))
    assert len(beside.hard.labels) == 2 * len(own)
    assert beside.positive.pixels.shape[0] == len(own)
    assert len(own) == len(batch.labels)
    _, again = companions_of(config)
    assert torch.equal(again.positive.pixels, beside.positive.pixels)


def test_negatives_come_nearer_as_the_run_goes_on(corpus):
    config = config_of(corpus, {"triplet": 1.0}, auxiliary={"triplet": {"far": 8, "near": 1, "settled": 0.5}})
    mean = []
    for progress in (0.0, 0.5):
        found = [companions_of(config, step, progress)[1] for step in (1, 2, 3)]
        pairs = [zip(f.positive.labels, f.negative.labels, strict=True) for f in found]
        mean.append(np.mean([edit_distance(a, b) for p in pairs for a, b in p]))
    assert mean[1] < mean[0]


def test_words_without_ink_are_left_out_and_a_corpus_without_any_is_refused(corpus):
    config = config_of(corpus, {"mse": 1.0}, optim={"batch_rows": 3000})
    shard = load_corpora(config)[0].shard
    blank = Corpus(replace(shard, ink=PackedInk.none(len(shard))), 1.0)
    with pytest.raises(BadInputError, match="no training shard holds ink"):
        PictureDrawer([blank], load_val(config), config.auxiliary, seed=1, height=32)
    corpora = [Corpus(shard, 0.5), Corpus(blank.shard, 0.5)]
    drawer = PictureDrawer(corpora, load_val(config), config.auxiliary, seed=1, height=32)
    batch = Sampler(
        corpora, config, PENAPP_ALPHABET, FeaturePresenter(config.augment), lambda rows: rows // 4
    ).batch(1)
    drawn = drawer.draw(batch, 1, 0, 0.0)
    assert {batch.sources[k].corpus for k in drawn.words.tolist()} == {0}


def test_ink_of_a_validation_writer_is_refused(corpus):
    config = config_of(corpus, {"mse": 1.0})
    val = load_val(config)
    with pytest.raises(BadInputError, match="may not be made into training pictures"):
        PictureDrawer([Corpus(val, 1.0)], val, config.auxiliary, seed=1, height=32)


@pytest.mark.parametrize(
    ("auxiliary", "said"),
    [
        ({"branch": "image", "terms": {"text": 1.0}}, "terms of the branch 'image': text"),
        ({"branch": "image", "terms": {}}, "terms of the branch 'image': none"),
        ({"branch": "none", "terms": {"mse": 1.0}}, "terms of the branch 'none': mse"),
        ({"branch": "image", "terms": {"image_ctc": 1.0}}, "would teach a frozen image recogniser nothing"),
        ({"branch": "image", "terms": {"mse": 1.0}, "taps": ["ear"]}, "auxiliary.taps names ear"),
        ({"branch": "image", "terms": {"mse": 1.0}, "taps": ["fine", "deep"]}, "names 2 depths"),
        ({"branch": "image", "terms": {"mse": 1.0}, "taps": "deep"}, "expected a list of names"),
        ({"branch": "text", "terms": {"text_errors": 1.0}, "text": {"errors": 0}}, "term text_errors with"),
    ],
)
def test_what_does_not_fit_together_is_said(corpus, auxiliary, said):
    with pytest.raises(BadInputError, match=said):
        fresh(toy_config(corpus, auxiliary=auxiliary))


def test_no_branch_is_the_default(corpus):
    assert build_auxiliary(toy_config(corpus).auxiliary, {"recurrent": 4}, PENAPP_ALPHABET) is None


def test_reading_needs_neither_the_image_recogniser_nor_the_gpu_of_the_run(corpus, tmp_path):
    run = fresh(config_of(corpus, {"mse": 1.0}))
    away = replace(
        run.config.auxiliary, image=replace(run.config.auxiliary.image, checkpoint="gone.safetensors")
    )
    run.config = replace(run.config, auxiliary=away, device="cuda")
    save_run(run, tmp_path / "c.safetensors")
    network = load_network(tmp_path / "c.safetensors")
    assert next(network.parameters()).device.type == "cpu"
    assert torch.equal(weights_of(network), weights_of(run.smooth))


def test_a_step_without_finite_losses_leaves_dynamic_weights_alone_and_is_counted(corpus, tmp_path):
    config = config_of(corpus, {"mse": 1.0}, auxiliary={"schedule": "dwa"})
    run = fresh(config)
    parts_of = part_maker(run, load_material(config))
    run.step = 1
    train_step(run, parts_of(1))
    before = run.weights
    spoiled = parts_of(2)
    spoiled[1].companions.positive.pixels[:] = float("nan")
    run.step = 2
    losses = train_step(run, spoiled)
    assert run.weights == before
    assert not math.isfinite(losses["loss"])
    with Monitor(tmp_path, 0, 3) as monitor:
        monitor.step({"loss": 2.0, "mse": 1.0}, 5)
        monitor.step(losses, 5)
        monitor.report(2, ErrorRates(50.0, 60.0, 1), 0.1)
    (line,) = (json.loads(text) for text in (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert (line["loss"], line["mse"], line["skipped"]) == (2.0, 1.0, 1)


def test_token_targets_have_letters_of_their_own_for_the_text_branch(corpus):
    tokens = BigramTokens.built(["äß", "ab"], 20, "abß")
    targets = Targets(29, tokens)
    assert set(targets.letters.letters) == set("abßä")
    penapp = load_material(toy_config(corpus, data={"tokens": 90})).targets
    assert penapp.letters == PENAPP_ALPHABET


def test_writers_behind_the_words_of_the_learning_curve_are_guarded_too(corpus, tmp_path):
    """The curve is of the first `val_words` words alone; the shard's other writers are as well."""
    val, train_shard = load_val(config_of(corpus, {"mse": 1.0})), demo_shard()
    names = np.array([*val.writer[:-1], train_shard.writer[0]])
    replace(val, writer=names).save(tmp_path / "val.npz")
    train_shard.save(tmp_path / "train.npz")
    config = config_of(tmp_path, {"mse": 1.0}, data={"val_words": 3})
    with pytest.raises(BadInputError, match="may not be made into training pictures"):
        part_maker(fresh(config), load_material(config))


def test_a_pretrained_image_recogniser_reads_no_other_letters(corpus):
    image = {"checkpoint": "there.safetensors", "frozen": False}
    config = config_of(corpus, {"image_ctc": 1.0}, auxiliary={"image": image})
    with pytest.raises(BadInputError, match="reads penapp's letters"):
        build_auxiliary(config.auxiliary, {"recurrent": 4}, Alphabet("abc"))
