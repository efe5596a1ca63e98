"""The baselines have the published sizes and costs: 13 channels, 60 classes."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from click.testing import CliRunner  # noqa: E402 - behind the torch check
from torch import nn  # noqa: E402

from models.training.encoders.__main__ import main  # noqa: E402
from models.training.encoders.contract import Encoded, PenEncoder  # noqa: E402
from models.training.encoders.factory import DEFAULTS, build_encoder  # noqa: E402
from models.training.encoders.macs import count_macs, encoder_facts, macs_by_layer  # noqa: E402
from models.training.encoders.settings import CnnBilstmConfig  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.toy_encoders import padded, random_words, toy_encoder  # noqa: E402

CHANNELS, CLASSES = 13, 60


def parameters(encoder):
    return sum(p.numel() for p in encoder.parameters())


@pytest.mark.parametrize(
    ("kind", "training", "inference"),
    [
        ("cnn_bilstm", 402_880, 402_880),
        ("cldnn", 745_104, 745_104),
        ("rewi_s", 539_196, 533_820),
        ("rewi_b", 3_926_844, 3_894_588),
    ],
)
def test_parameter_counts_are_the_published_ones(kind, training, inference):
    """Exact for CNN+BiLSTM; of REWI the published count is the folded one; CLDNN is known as 0.75 M only."""
    encoder = build_encoder(kind, CHANNELS, CLASSES)
    assert parameters(encoder) == training
    assert parameters(encoder.fused()) == inference


def rewi_by_hand(width, blocks, hidden, layers):
    """MACs of a fused REWI at 1,024 rows: two-frame patches, five taps and a mix per block, LSTM, output."""
    total, inputs, steps = 0, CHANNELS, 1024
    for stage in range(3):
        c, steps = width * 2**stage, steps // 2
        total += steps * (2 * inputs * c + blocks * (5 * 2 * c + 2 * c * c))
        inputs = c
    for layer in range(layers):
        total += steps * 2 * 4 * hidden * ((2 * hidden if layer else inputs) + hidden)
    return total + steps * 2 * hidden * CLASSES


@pytest.mark.parametrize(
    ("kind", "published", "by_hand"),
    [
        (
            "cnn_bilstm",
            152e6,
            1024 * 13 * 200 * 4 + 512 * 200 * 200 * 4 + 256 * (2 * 240 * (260 + 180) + 120 * 100 + 100 * 60),
        ),
        (
            "cldnn",
            291e6,
            1024 * 13 * 512 * 5
            + 512 * 512 * 256 * 3
            + 256 * 256 * 128 * 3
            + 128 * (2 * 256 * (192 + 192) + 128 * 100 + 100 * 60),
        ),
        ("rewi_s", 79e6, rewi_by_hand(64, 1, 64, 2)),
        ("rewi_b", 600e6, rewi_by_hand(128, 3, 128, 3)),
    ],
)
def test_macs_at_1024_rows_are_those_counted_by_hand_and_near_the_published(kind, published, by_hand):
    facts = encoder_facts(kind, build_encoder(kind, CHANNELS, CLASSES))
    assert facts.macs_1024 == by_hand
    assert facts.macs_1024 == pytest.approx(published, rel=0.01)
    assert facts.macs_182 == pytest.approx(facts.macs_1024 * 182 / 1024, rel=0.05)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["rewi_s", "rewi_b"])
def test_folding_the_narrow_kernels_changes_no_reading(kind):
    encoder = toy_encoder(kind)
    batch = padded(random_words(64, 41, 9))
    fused = encoder.fused()
    assert parameters(fused) < parameters(encoder)
    for folded in (fused, fused.fused()):
        torch.testing.assert_close(folded(*batch), encoder(*batch), rtol=0, atol=1e-5)


def test_folding_leaves_the_encoder_that_trains_as_it_was():
    encoder = toy_encoder("rewi_s").train()
    before = parameters(encoder)
    assert not encoder.fused().training
    assert encoder.training
    assert parameters(encoder) == before


def test_macs_of_a_toy_are_those_counted_by_hand():
    """Two features, 16 rows, filters 3, kernel 4, hidden 5, one layer, dense 6, 7 classes."""
    config = CnnBilstmConfig(filters=3, hidden=5, layers=1, dense=6)
    found = macs_by_layer(build_encoder("cnn_bilstm", 2, 7, config), 16)
    assert found == {
        "convs.0": 16 * 3 * 2 * 4,
        "convs.1": 8 * 3 * 3 * 4,
        "recurrent.ahead.0": 4 * 4 * 5 * (3 + 5),
        "recurrent.back.0": 4 * 4 * 5 * (3 + 5),
        "head.0": 4 * 10 * 6,
        "head.1": 4 * 6 * 7,
    }


class Odd(PenEncoder):
    """Grouped strided convolution, bidirectional two-layer LSTM; `strange` has a weight of its own."""

    def __init__(self, strange):
        super().__init__()
        self.features = 4
        self.conv = nn.Conv1d(4, 8, 3, stride=2, padding=1, groups=2)
        self.lstm = nn.LSTM(8, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.strange = nn.Embedding(2, 3) if strange else nn.Identity()

    def output_length(self, lengths):
        return (lengths + 1) // 2

    def encode(self, features, lengths):
        read, _ = self.lstm(self.conv(features.transpose(1, 2)).transpose(1, 2))
        return Encoded(read, self.output_length(lengths), {})


def test_groups_strides_layers_and_directions_are_counted():
    expected = 10 * 8 * 2 * 3 + 10 * 2 * (4 * 5 * (8 + 5) + 4 * 5 * (10 + 5))
    encoder = Odd(strange=False).train()
    assert count_macs(encoder, 20) == expected
    assert encoder.training
    assert not encoder.lstm._forward_hooks


def test_a_layer_that_nobody_can_count_is_named_and_not_left_out():
    with pytest.raises(BadInputError, match="strange, a Embedding"):
        count_macs(Odd(strange=True), 20)


def test_the_table_has_a_line_for_every_encoder():
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.output.splitlines()[1:]}
    assert list(lines) == list(DEFAULTS)
    assert "3,894,588     596.8 M     103.4 M       8  whole word, end of word" in lines["rewi_b"]
    assert lines["streaming"].endswith("all before it, 16 rows")
