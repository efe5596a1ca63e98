"""A trained network grows residual blocks that add nothing until they are trained."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.run import begin_with, save_run, start_run  # noqa: E402
from penapp.dsp.params import DEFAULT_PARAMS  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.toy_training import toy_config  # noqa: E402


def fresh(tmp_path, **network):
    return start_run(toy_config(tmp_path, network=network))


def test_a_grown_network_reads_as_the_one_it_began_with(tmp_path):
    small = fresh(tmp_path, stride=8)
    save_run(small, tmp_path / "small.safetensors")
    grown = begin_with(tmp_path / "small.safetensors", fresh(tmp_path, stride=8, fine=2, deep=3))
    rows, lengths = torch.randn(3, 96, DEFAULT_PARAMS.size), torch.tensor([96, 50, 17])
    with torch.no_grad():
        before = small.smooth.eval()(rows, lengths)
        for network in (grown.network, grown.smooth):
            torch.testing.assert_close(network.eval()(rows, lengths), before)
    assert sum(p.numel() for p in grown.network.parameters()) > sum(
        p.numel() for p in small.network.parameters()
    )


def test_a_grown_block_learns_and_keeps_padding_out(tmp_path):
    network = fresh(tmp_path, stride=8, fine=1, deep=1).network
    rows, lengths = torch.randn(2, 96, DEFAULT_PARAMS.size), torch.tensor([96, 40])
    network(rows, lengths).square().sum().backward()
    assert network.deep[0].mix.weight.grad.abs().max() > 0
    with torch.no_grad():
        for block in (*network.fine, *network.deep):
            torch.nn.init.normal_(block.mix.weight, std=0.1)
        both = network.eval()(rows, lengths)[1, :5]
        alone = network(rows[1:, :40], lengths[1:])[0]
    torch.testing.assert_close(both, alone)


def test_only_blocks_may_be_missing_at_the_start(tmp_path):
    save_run(fresh(tmp_path, stride=8), tmp_path / "small.safetensors")
    with pytest.raises(BadInputError, match="holds no weights of this network"):
        begin_with(tmp_path / "small.safetensors", fresh(tmp_path, stride=8, blocks=2))
