"""A few words of a new writer: the copy learns, the network stays, the words read stay the same."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.export import load_network  # noqa: E402
from models.training.few_samples import AdaptConfig, adapted, few_samples  # noqa: E402
from models.training.shards import first_words  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from penapp.recognise.artefact import SHIPPED  # noqa: E402
from tests.training.toy_training import demo_shard  # noqa: E402

CONFIG = AdaptConfig(steps=8, kept_words=6)


@pytest.fixture(scope="module")
def network():
    return load_network(SHIPPED / "weights.safetensors")


def one_hand(words):
    """The demo words as if one person had written them, under labels with their capitals turned round."""
    shard = first_words(demo_shard("val", 2), words)
    labels = np.array([str(label).swapcase() for label in shard.label])
    return type(shard)(**{**vars(shard), "writer": np.array(["me"] * words), "label": labels})


def test_a_writer_of_turned_capitals_is_read_better_after_a_few_words(network):
    before, after = few_samples(network, one_hand(20), [0, 12], CONFIG)
    assert before.rates.words == after.rates.words == 6
    assert after.rates.cer < 0.8 * before.rates.cer


def test_adapting_changes_a_copy_alone(network):
    kept = [p.detach().clone() for p in network.parameters()]
    own = adapted(network, one_hand(6), CONFIG)
    assert all(torch.equal(a, b) for a, b in zip(kept, network.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(kept, own.parameters(), strict=True))


def test_the_same_words_adapt_to_the_same_network(network):
    one, again = (adapted(network, one_hand(6), CONFIG) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))


def test_writers_with_too_few_words_are_told(network):
    with pytest.raises(BadInputError, match="no writer of the shard has 26 words"):
        few_samples(network, one_hand(20), [0, 20], CONFIG)
