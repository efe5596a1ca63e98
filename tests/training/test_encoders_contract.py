"""What every encoder promises, whatever is inside."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

import onnxruntime  # noqa: E402 - behind the torch check

from models.training.device import cpu_runs_bfloat16  # noqa: E402
from models.training.encoders.factory import DEFAULTS, build_encoder, default_config  # noqa: E402
from models.training.encoders.masked import MaskedBatchNorm, frame_mask, instance_norm  # noqa: E402
from models.training.encoders.onnx_files import export_whole_word  # noqa: E402
from models.training.encoders.settings import CldnnConfig, RewiConfig  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.toy_encoders import CLASSES, FEATURES, TOYS, padded, random_words, toy_encoder  # noqa: E402

KINDS = tuple(DEFAULTS)


def assert_same(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_output_length_is_what_comes_out_for_every_length(kind):
    encoder = toy_encoder(kind)
    rounded = math.ceil if kind in ("penapp", "streaming") else math.floor
    for n in range(1, 26):
        words, lengths = padded(random_words(n))
        encoded = encoder.encode(words, lengths)
        assert encoded.log_probs.shape == (1, rounded(n / encoder.stride), CLASSES)
        assert encoded.frames.tolist() == encoder.output_length(lengths).tolist()
        assert encoder.output_length(n) == encoded.log_probs.shape[1]


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rubbish", "beyond"), [(0.0, 0), (50.0, 13)])
def test_a_reading_and_its_taps_do_not_depend_on_what_else_is_in_the_batch(kind, rubbish, beyond):
    """For every remainder of the length; float64, so that rounding can neither hide nor feign a leak."""
    encoder = toy_encoder(kind).double()
    words = [word.double() for word in random_words(3, *range(8, 25), 90)]
    together = encoder.encode(*padded(words, rubbish, beyond))
    for k, word in enumerate(words):
        alone = encoder.encode(*padded([word]))
        n = int(alone.frames)
        assert int(together.frames[k]) == n
        assert_same(together.log_probs[k, :n], alone.log_probs[0, :n])
        for name, tap in alone.taps.items():
            n, beside = int(tap.lengths), together.taps[name]
            assert int(beside.lengths[k]) == n
            assert_same(beside.values[k, :n], tap.values[0, :n])
            assert not beside.values[k, n:].any()


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_in_float32_the_batch_changes_a_reading_by_rounding_alone(kind):
    encoder, words = toy_encoder(kind), random_words(48, 77, 130)
    together = encoder(*padded(words, rubbish=50.0))
    for k, word in enumerate(words):
        alone = encoder(*padded([word]))[0]
        torch.testing.assert_close(together[k, : len(alone)], alone, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_taps_come_shallow_to_deep_with_the_widths_that_were_promised(kind):
    encoder = toy_encoder(kind)
    encoded = encoder.encode(*padded(random_words(64, 41)))
    assert {name: tap.values.shape[2] for name, tap in encoded.taps.items()} == encoder.tap_widths
    assert list(encoded.taps) == list(encoder.tap_widths)
    assert list(encoded.taps)[-1] == "recurrent"
    steps = [tap.values.shape[1] for tap in encoded.taps.values()]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] >= 32
    assert encoded.taps["recurrent"].lengths.tolist() == encoded.frames.tolist()


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_a_distribution_and_forward_is_encode(kind):
    encoder = toy_encoder(kind)
    batch = padded(random_words(64))
    log_probs = encoder(*batch)
    torch.testing.assert_close(log_probs.exp().sum(2), torch.ones(log_probs.shape[:2]))
    torch.testing.assert_close(log_probs, encoder.encode(*batch).log_probs)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_sees_what_the_encoder_says_it_sees(kind):
    """The first frame depends on the last row where nothing bounds its look-ahead; the last on the first."""
    encoder, word = toy_encoder(kind), random_words(64)[0]
    before = encoder(*padded([word]))[0]
    changed = {}
    for row in (0, -1):
        touched = word.clone()
        touched[row] += 5.0
        changed[row] = (encoder(*padded([touched]))[0] - before).abs().amax(1)
    assert changed[0][-1] > 0
    assert bool(changed[-1][0] > 0) == (encoder.lookahead_rows is None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("half", [False, True])
def test_every_weight_learns_from_a_batch_in_full_and_in_half_precision(kind, half):
    if half and not cpu_runs_bfloat16():
        pytest.skip("this processor has no recurrent layers in bfloat16")
    encoder = toy_encoder(kind).train()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        log_probs = encoder(*padded(random_words(64, 50)))
    assert log_probs.dtype == torch.float32
    log_probs[:, 1:3, 1].sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in encoder.parameters())


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_onnx_agrees_for_other_batches_and_lengths_than_it_was_exported_with(kind, tmp_path):
    encoder = toy_encoder(kind)
    export_whole_word(encoder, tmp_path / "encoder.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "encoder.onnx"))
    for sizes in ((1,), (3,), (8,), (65,), (33, 131, 40, 4, 96)):
        words, lengths = padded(random_words(*sizes), rubbish=3.0)
        theirs = session.run(None, {"features": words.numpy(), "lengths": lengths.numpy()})[0]
        ours = encoder(words, lengths)
        assert theirs.shape == tuple(ours.shape)
        for k, n in enumerate(encoder.output_length(lengths)):
            np.testing.assert_allclose(theirs[k, :n], ours[k, :n].numpy(), rtol=0, atol=1e-4)


def test_training_statistics_of_batch_norm_come_from_the_true_frames():
    norm = MaskedBatchNorm(3).train().requires_grad_(False)
    x = torch.randn(4, 3, 9, generator=torch.Generator().manual_seed(1))
    lengths = torch.tensor([9, 2, 0, 5])
    out = norm(x, frame_mask(lengths, 9))
    for c in range(3):
        true = [float(x[b, c, t]) for b in range(4) for t in range(int(lengths[b]))]
        mean, variance = np.mean(true), np.var(true)
        for b in range(4):
            for t in range(9):
                expected = (float(x[b, c, t]) - mean) / math.sqrt(variance + 1e-5) if t < lengths[b] else 0.0
                assert float(out[b, c, t]) == pytest.approx(expected, abs=1e-5)
        assert float(norm.norm.running_mean[c]) == pytest.approx(0.1 * mean, abs=1e-6)
        assert float(norm.norm.running_var[c]) == pytest.approx(0.9 + 0.1 * np.var(true, ddof=1), abs=1e-5)


def test_instance_norm_of_true_frames_is_the_plain_one_of_the_word_alone():
    x = torch.randn(3, 4, 12, generator=torch.Generator().manual_seed(1))
    lengths = torch.tensor([12, 5, 1])
    out = instance_norm(x, frame_mask(lengths, 12))
    for b, n in enumerate(lengths[:2]):
        alone = torch.nn.functional.instance_norm(x[b : b + 1, :, :n])
        torch.testing.assert_close(out[b : b + 1, :, :n], alone)
    assert not out[2].any()
    assert not out[1, :, 5:].any()


def test_an_unknown_kind_and_a_configuration_of_another_kind_are_named():
    with pytest.raises(BadInputError, match=r"unknown encoder .lstm.*cldnn"):
        default_config("lstm")
    with pytest.raises(BadInputError, match="cldnn with a RewiConfig, expected CldnnConfig"):
        build_encoder("cldnn", FEATURES, CLASSES, RewiConfig())
    assert default_config("cldnn") == CldnnConfig()
    assert set(TOYS) == set(DEFAULTS)
