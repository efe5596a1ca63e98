"""The offline recogniser, and two steps of its pre-training on words of the demo ink."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the image recogniser needs torch (extra `train`)")

from models.training.corpus import training_mask  # noqa: E402
from models.training.images import __main__ as command  # noqa: E402
from models.training.images.batch import batch_of  # noqa: E402
from models.training.images.look import RenderConfig  # noqa: E402
from models.training.images.pretrain import (  # noqa: E402
    PretrainConfig,
    ctc_of,
    load_image_recogniser,
    pretrain,
    resume,
    start,
    train_step,
)
from models.training.images.read import evaluate, read_words  # noqa: E402
from models.training.images.recogniser import (  # noqa: E402
    STRIDE,
    TAPS,
    ImageNetworkConfig,
    ImageRecogniser,
)
from models.training.images.sampler import PictureSampler, Source  # noqa: E402
from models.training.images.words import Guard, InkWords, training_words  # noqa: E402
from models.training.strokes import PackedInk, pack  # noqa: E402
from penapp.decode.alphabet import PENAPP_ALPHABET  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from penapp.simulation.demo_ink import demo_corpus  # noqa: E402
from tests.training.toy_training import demo_shard, talkative_checkpoint  # noqa: E402

SMALL = ImageNetworkConfig(stem=4, middle=8, upper=8, width=16, blocks=2)
TOY = PretrainConfig(pictures=4, network=SMALL, evaluate_every=2, lr=0.01)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def sources():
    ink = demo_corpus()
    return [Source(training_words(ink, np.flatnonzero(training_mask(ink))[:60]), 1.0)]


@pytest.fixture(scope="module")
def val():
    """A dozen words of writers whom training never sees."""
    words = [demo_corpus().word(int(i)) for i in np.flatnonzero(demo_corpus().split == "val")[:12]]
    return InkWords(pack(words), np.array([w.label for w in words]), np.array([w.writer for w in words]))


def stored(words, path):
    """The part of a shard that pictures are made from."""
    ink = {"ink_xy": words.ink.xy, "ink_start": words.ink.start, "ink_off": words.ink.off}
    np.savez(path, label=words.label, writer=words.writer, **ink)


def pictures(*widths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (32, width), dtype=np.uint8) for width in widths]


def lively(config=SMALL, seed=1):
    """Random weights everywhere, also where training begins at zero."""
    torch.manual_seed(seed)
    network = ImageRecogniser(config, PENAPP_ALPHABET.size)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network.eval()


class Seconds:
    """A clock that is one second further at each look."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def everything(run):
    moments = [v for p in run.network.parameters() for _, v in sorted(run.optimiser.state[p].items())]
    return [*run.network.state_dict().values(), *run.smooth.state_dict().values(), *moments]


def test_pictures_of_different_widths_share_a_batch_with_white_paper_beyond():
    images = pictures(20, 33)
    pixels, widths = batch_of(images)
    assert pixels.shape == (2, 1, 32, 33)
    assert pixels.dtype == torch.float32
    assert widths.tolist() == [20, 33]
    np.testing.assert_allclose(pixels[0, 0, :, :20].numpy(), images[0] / 255, atol=1e-6)
    assert pixels[0, 0, :, 20:].abs().max() == 0
    for bad in ([], [images[0], np.zeros((16, 20), np.uint8)]):
        with pytest.raises(BadInputError, match="expected one height"):
            batch_of(bad)


@pytest.mark.parametrize("width", [16, 17, 18, 19, 20, 41])
def test_what_else_is_in_the_batch_never_changes_a_reading(width):
    """Nor what lies beyond the width, at any depth, for every remainder of the stride."""
    network, image = lively(), pictures(width)[0]
    alone = network(*batch_of([image]))
    pixels, widths = batch_of([image, *pictures(90, 50, seed=1)])
    pixels[0, :, :, width:] = 0.7
    together = network(pixels, widths)
    frames = -(-width // STRIDE)
    assert alone.lengths.tolist() == [frames]
    assert together.lengths[0] == frames
    torch.testing.assert_close(together.log_probs[:1, :frames], alone.log_probs, rtol=0, atol=1e-5)
    for name in TAPS:
        values, lengths = together.taps[name]
        assert lengths[0] == frames
        torch.testing.assert_close(values[:1, :frames], alone.taps[name][0], rtol=0, atol=1e-5)
        assert values[0, frames:].abs().max() == 0


def test_every_tap_has_its_channels_and_differs_from_the_others():
    network = lively()
    reading = network(*batch_of(pictures(40, 60)))
    assert tuple(reading.taps) == tuple(network.tap_channels()) == TAPS
    for name, channels in network.tap_channels().items():
        assert reading.taps[name][0].shape == (2, 15, channels)
    deep = [reading.taps[name][0] for name in TAPS[1:]]
    assert all(not torch.allclose(a, b) for a, b in pairwise(deep))
    assert reading.log_probs.shape == (2, 15, PENAPP_ALPHABET.size)
    torch.testing.assert_close(reading.log_probs.exp().sum(2), torch.ones(2, 15))


def test_every_weight_learns_from_the_loss():
    network = lively().train()
    reading = network(*batch_of(pictures(40, 60)))
    ctc_of(reading.log_probs, reading.lengths, ["ab", "c"]).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_the_loss_is_the_mean_over_words_of_loss_per_letter():
    """Summed by hand over all paths of two frames, for a picture of one letter."""
    torch.manual_seed(0)
    log_probs = torch.randn(1, 2, PENAPP_ALPHABET.size).log_softmax(2)
    p, a = log_probs.exp()[0], PENAPP_ALPHABET.encode("a")[0]
    expected = -torch.log(p[0, a] * p[1, a] + p[0, a] * p[1, 0] + p[0, 0] * p[1, a])
    torch.testing.assert_close(ctc_of(log_probs, torch.tensor([2]), ["a"]), expected)


def test_the_shipped_size_is_small_and_other_heights_are_refused():
    network = ImageRecogniser(ImageNetworkConfig(), PENAPP_ALPHABET.size)
    assert 300_000 < sum(p.numel() for p in network.parameters()) < 1_000_000
    with pytest.raises(BadInputError, match="this network reads 32 px"):
        network(torch.zeros(1, 1, 48, 40), torch.tensor([40]))
    with pytest.raises(BadInputError, match="multiple of 8"):
        ImageNetworkConfig(height=30)


def test_pictures_of_a_step_depend_on_seed_and_step_alone(sources):
    one, other = (PictureSampler(sources, RenderConfig(), 4, 7) for _ in range(2))
    for step in (1, 9, 2):
        first, labels = one.batch(step)[0], one.batch(step)[2]
        assert torch.equal(first, other.batch(step)[0])
        assert labels == other.batch(step)[2]
    assert one.batch(1)[2] != one.batch(2)[2]
    assert not torch.equal(one.batch(1)[0], PictureSampler(sources, RenderConfig(), 4, 8).batch(1)[0])


def test_a_shard_on_disk_gives_the_ink_of_its_words(tmp_path):
    shard = demo_shard(sessions=1)
    shard.save(tmp_path / "s.npz")
    for words in (InkWords.of(shard), InkWords.load(tmp_path / "s.npz")):
        assert words.label.tolist() == shard.label.tolist()
        np.testing.assert_array_equal(words.ink.word(3)[0], shard.ink.word(3)[0])


def test_a_shard_without_ink_cannot_be_drawn_from():
    empty = InkWords(PackedInk.none(2), np.array(["a", "b"]), np.array(["x", "y"]))
    with pytest.raises(BadInputError, match="no word with ink"):
        PictureSampler([Source(empty, 1.0)], RenderConfig(), 4, 1)


def test_two_steps_lower_the_loss_of_their_batch(sources):
    run = start(replace(TOY, network=replace(SMALL, dropout=0.0)))
    batch = PictureSampler(sources, run.config.render, 4, 1).batch(1)
    losses = []
    for step in (1, 2, 3):
        run.step = step
        losses.append(train_step(run, batch, 0.05))
    assert losses[2] < losses[1] < losses[0]


def test_a_pretraining_stopped_in_the_middle_ends_like_one_that_was_not(sources, val, tmp_path, capsys):
    whole = pretrain(start(TOY), sources, val, tmp_path / "whole", 6.0, clock=Seconds())
    assert whole.step == 6
    part = tmp_path / "part"
    pretrain(start(TOY), sources, val, part, 6.0, until=3, clock=Seconds())
    resumed = resume(part)
    assert (resumed.step, resumed.spent_s, resumed.config) == (3, 3.0, TOY)
    pretrain(resumed, sources, val, part, 6.0, clock=Seconds())
    assert resumed.step == 6
    for a, b in zip(everything(resumed), everything(whole), strict=True):
        assert torch.equal(a, b)
    assert [point[0] for point in resumed.curve] == [2, 3, 4, 6]
    assert "val CER" in capsys.readouterr().out
    pretrain(resume(part), sources, val, part, 6.0, clock=Seconds())
    assert resume(part).step == 6, "the time is up"


def test_a_finished_recogniser_reads_as_the_smoothed_twin_did(sources, val, tmp_path):
    run = pretrain(start(TOY), sources, val, tmp_path / "out", 3.0, clock=Seconds())
    network, look = load_image_recogniser(tmp_path / "out")
    assert look == TOY.render
    assert not network.training
    plain = look.plain()
    assert read_words(network, val, plain, run.device) == read_words(run.smooth, val, plain, run.device)
    rates = evaluate(network, val, plain, run.device)
    assert rates.words == len(val.usable())
    assert rates.cer > 0


def test_a_checkpoint_of_another_kind_is_refused(tmp_path):
    path = talkative_checkpoint(tmp_path / "pen.safetensors")
    with pytest.raises(BadInputError, match="no image recogniser"):
        load_image_recogniser(path)


def test_the_command_trains_resumes_and_reports_the_unseen_writers(
    sources, val, tmp_path, monkeypatch, capsys
):
    stored(sources[0].words, tmp_path / "real-1.npz")
    stored(val, tmp_path / "val.npz")
    monkeypatch.setattr(command, "PretrainConfig", lambda: TOY)
    out = tmp_path / "image.safetensors"
    arguments = ["pretrain", "--corpus", str(tmp_path), "--out", str(out), "--minutes", "0.001"]
    command.main(arguments, standalone_mode=False)
    told = capsys.readouterr().out
    assert "no shard matches letters-*.npz" in told
    assert "plain pictures" in told
    assert "varied pictures" in told
    before = resume(out)
    command.main([*arguments[:-1], str((before.spent_s + 0.05) / 60)], standalone_mode=False)
    assert f"step {before.step}" in capsys.readouterr().out
    assert resume(out).step > before.step
    for bad, message in (("none-*.npz", "matches none"), ("real-*.npz=x", "expected PATTERN=SHARE")):
        with pytest.raises(BadInputError, match=message):
            command.load_sources(tmp_path, (bad,), Guard())
    with pytest.raises(BadInputError, match="for testing only"):
        command.load_sources(tmp_path, ("val.npz",), Guard.of_validation(val))
