"""The encoder's promises: lengths, padding, order."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.config import NetworkConfig  # noqa: E402 - behind the torch check
from models.training.encoders.penapp import Recogniser  # noqa: E402

FEATURES, CLASSES = 14, 20


def network(stride=4, **sizes):
    torch.manual_seed(1)
    small = {"stem": 12, "width": 12, "blocks": 2, "hidden": 8, "layers": 2, **sizes}
    return Recogniser(NetworkConfig(stride=stride, **small), FEATURES, CLASSES).eval()


def words(*lengths):
    rng = np.random.default_rng(2)
    return [torch.from_numpy(rng.standard_normal((n, FEATURES)).astype(np.float32)) for n in lengths]


@torch.no_grad()
def alone(net, word):
    return net(word[None], torch.tensor([len(word)]))[0]


@torch.no_grad()
@pytest.mark.parametrize("stride", [2, 4, 8])
def test_output_length_is_the_real_one_for_every_length(stride):
    net = network(stride, layers=1, blocks=1)
    for n in range(1, 101):
        promised = int(net.output_length(torch.tensor([n]))[0])
        assert alone(net, words(n)[0]).shape == (promised, CLASSES)
        assert promised == -(-n // stride)


@torch.no_grad()
@pytest.mark.parametrize("stride", [4, 8])
@pytest.mark.parametrize("rubbish", [0.0, 50.0])
def test_a_reading_does_not_depend_on_what_else_is_in_the_batch(stride, rubbish):
    """Neither the other words nor what stands in the padding, for every remainder of the length."""
    net = network(stride)
    batch = words(*range(20, 29), 150)
    lengths = torch.tensor([len(w) for w in batch])
    padded = torch.full((len(batch), 160, FEATURES), rubbish)
    for k, word in enumerate(batch):
        padded[k, : len(word)] = word
    together = net(padded, lengths)
    for k, word in enumerate(batch):
        frames = int(net.output_length(lengths[k]))
        torch.testing.assert_close(together[k, :frames], alone(net, word), rtol=0, atol=2e-6)


def test_every_frame_is_a_distribution():
    torch.testing.assert_close(alone(network(), words(90)[0]).exp().sum(1), torch.ones(23))


def test_the_end_of_a_word_reaches_its_beginning_and_the_other_way_round():
    """Both directions of the recurrent layers really run over the whole word."""
    net, word = network(), words(60)[0]
    before = alone(net, word)
    for row, frame in ((-1, 0), (0, -1)):
        touched = word.clone()
        touched[row] += 5.0
        assert (alone(net, touched)[frame] - before[frame]).abs().max() > 0


def test_the_shipped_sizes_stay_within_what_was_asked():
    count = sum(p.numel() for p in Recogniser(NetworkConfig(stride=8, blocks=1), 14, 76).parameters())
    assert 500_000 <= count <= 800_000
