"""The streaming encoder reads the same whether it gets a word at once or in pieces."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

import onnxruntime  # noqa: E402 - behind the torch check

from models.training.encoders.factory import build_encoder  # noqa: E402
from models.training.encoders.onnx_files import STATE_INPUTS, export_step, export_whole_word  # noqa: E402
from models.training.encoders.settings import StreamingConfig  # noqa: E402
from penapp.decode.alphabet import PENAPP_ALPHABET  # noqa: E402
from penapp.dsp.params import DEFAULT_PARAMS  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.toy_encoders import CLASSES, FEATURES, padded, random_words, toy_encoder  # noqa: E402


def filled(words, encoder):
    """The words (B, T, F) with zero rows up to a whole frame and for the look-ahead."""
    frames = encoder.output_length(words.shape[1]) + encoder.config.lookahead_frames
    return torch.nn.functional.pad(words, (0, 0, 0, frames * encoder.stride - words.shape[1]))


def cuts(frames, seed):
    """A random split of so many frames into steps."""
    rng = np.random.default_rng(seed)
    inner = np.flatnonzero(rng.random(frames - 1) < 0.4) + 1
    return np.diff([0, *inner.tolist(), frames]).tolist()


@torch.no_grad()
@pytest.mark.parametrize("stride", [4, 8, 16])
@pytest.mark.parametrize("late", [0, 3])
@pytest.mark.parametrize("split", ["single", "whole", 1, 2])
def test_stepping_gives_what_the_whole_word_gives_for_every_split(stride, late, split):
    encoder = toy_encoder("streaming", stride=stride, lookahead_frames=late)
    words = torch.stack(random_words(101, 101))
    whole = encoder(words, torch.tensor([101, 101]))
    rows = filled(words, encoder)
    frames = rows.shape[1] // stride
    steps = {"single": [1] * frames, "whole": [frames]}.get(split) or cuts(frames, split)
    state, at, parts = encoder.initial_state(2), 0, []
    for n in steps:
        log_probs, state = encoder.step(rows[:, at * stride : (at + n) * stride], state)
        assert log_probs.shape == (2, n, CLASSES)
        parts.append(log_probs)
        at += n
    torch.testing.assert_close(torch.cat(parts, dim=1)[:, late:], whole, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("late", [0, 2])
def test_a_frame_waits_for_its_look_ahead_and_not_one_row_longer(late):
    encoder, word = toy_encoder("streaming", lookahead_frames=late), random_words(64)[0]
    assert encoder.lookahead_rows == late * encoder.stride
    before, frame = encoder(*padded([word]))[0], 5
    last_seen = (frame + 1) * encoder.stride + encoder.lookahead_rows - 1
    for row, matters in ((last_seen, True), (last_seen + 1, False)):
        touched = word.clone()
        touched[row] += 5.0
        assert bool((encoder(*padded([touched]))[0, frame] != before[frame]).any()) == matters


@torch.no_grad()
def test_the_state_is_flat_tensors_of_the_same_shape_before_and_after():
    encoder = toy_encoder("streaming", layers=3, blocks=1)
    state = encoder.initial_state(3)
    _, after = encoder.step(torch.ones(3, encoder.stride, FEATURES), state)
    assert [t.shape for t in after] == [t.shape for t in state]
    assert not any(t.any() for t in state)
    assert all(t.any() for t in after)


def test_a_step_that_is_no_multiple_of_the_stride_is_refused():
    encoder = toy_encoder("streaming")
    for rows in (0, 3, 5):
        with pytest.raises(BadInputError, match=f"{rows} feature rows, expected a multiple of 4"):
            encoder.step(torch.zeros(1, rows, FEATURES), encoder.initial_state(1))


@pytest.mark.parametrize("wrong", [{"stride": 2}, {"kernel": 2}, {"blocks": 0}, {"lookahead_frames": -1}])
def test_sizes_without_a_state_are_refused(wrong):
    with pytest.raises(BadInputError, match=next(iter(wrong)).split("_")[0].replace("lookahead", "look")):
        toy_encoder("streaming", **wrong)


@torch.no_grad()
@pytest.mark.parametrize("words", [1, 3])
def test_onnx_steps_with_its_state_as_torch_does(words, tmp_path):
    encoder = toy_encoder("streaming", stride=8)
    export_step(encoder, tmp_path / "step.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "step.onnx"))
    rows = torch.stack(random_words(*[96] * words))
    ours, theirs = encoder.initial_state(words), [t.numpy() for t in encoder.initial_state(words)]
    at = 0
    for n in (1, 2, 1, 5, 3):
        piece = rows[:, 8 * at : 8 * (at + n)]
        expected, ours = encoder.step(piece, ours)
        found, *theirs = session.run(
            None, {"rows": piece.numpy(), **dict(zip(STATE_INPUTS, theirs, strict=True))}
        )
        np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-4)
        at += n
    for after, same in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(after, same.numpy(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_exporting_leaves_the_mode_as_it_was(training, tmp_path):
    encoder = toy_encoder("streaming").train(training)
    for export in (export_step, export_whole_word):
        export(encoder, tmp_path / "encoder.onnx")
        assert all(module.training == training for module in encoder.modules())


def test_the_default_size_stays_within_what_was_asked():
    encoder = build_encoder("streaming", DEFAULT_PARAMS.size, PENAPP_ALPHABET.size, StreamingConfig())
    assert 500_000 <= sum(p.numel() for p in encoder.parameters()) <= 800_000
