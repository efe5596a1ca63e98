"""What turns feature maps into embeddings, and the text branch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.objectives.attention import AttentionPool, sinusoids  # noqa: E402 - behind the check
from models.training.objectives.common import Head, HeadConfig, Heads, slot_means  # noqa: E402
from models.training.objectives.corruptions import KINDS, corrupted  # noqa: E402
from models.training.objectives.text_branch import TextBranch, TextConfig, text_terms  # noqa: E402
from penapp.decode.alphabet import ONHW_LETTERS, Alphabet  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from penapp.scores import edit_distance  # noqa: E402

CONFIGS = {
    "mean": HeadConfig(width=8),
    "slots": HeadConfig(width=8, slots=3),
    "attention": HeadConfig(width=8, pooling="attention", heads=2),
}
SMALL = TextConfig(width=16, depth=2, heads=4, context=12, embedding=8, dropout=0.0)


def feature_map(*lengths, channels=5, frames=None, padding=0.0):
    values = torch.full((len(lengths), frames or max(lengths), channels), padding)
    for k, n in enumerate(lengths):
        rng = np.random.default_rng(k)
        values[k, :n] = torch.from_numpy(rng.standard_normal((n, channels))).float()
    return values, torch.tensor(lengths)


def test_slots_are_the_means_of_equal_stretches_in_order():
    values = torch.arange(1.0, 8.0)[None, :, None]
    assert slot_means(values, torch.tensor([6]), 3).flatten().tolist() == pytest.approx([1.5, 3.5, 5.5])
    assert slot_means(values, torch.tensor([7])).flatten().tolist() == pytest.approx([4.0])
    assert slot_means(values, torch.tensor([3]), 2).flatten().tolist() == pytest.approx([4 / 3, 8 / 3])


def test_a_word_of_fewer_frames_than_slots_has_a_value_in_each():
    values = torch.tensor([2.0, 6.0])[None, :, None]
    assert slot_means(values, torch.tensor([2]), 4).flatten().tolist() == pytest.approx([2, 2, 6, 6])
    assert slot_means(values, torch.tensor([0]), 2).flatten().tolist() == [0.0, 0.0]


def test_slots_are_what_plain_loops_compute():
    values, lengths = feature_map(9, 4, 7, 1)
    found = slot_means(values, lengths, 3)
    for k, n in enumerate(lengths.tolist()):
        fine = np.repeat(
            values[k, :n].numpy(), 3, axis=0
        )  # thirds of frames: slots are whole numbers of them
        expected = fine.reshape(3, n, -1).mean(1)
        np.testing.assert_allclose(found[k].numpy(), expected, atol=2e-6)


@torch.no_grad()
@pytest.mark.parametrize("padding", [0.0, 1e4, float("nan"), float("inf")])
@pytest.mark.parametrize("name", CONFIGS)
def test_padding_and_neighbours_never_change_an_embedding(name, padding):
    torch.manual_seed(1)
    head = Head(5, CONFIGS[name])
    together = head(*feature_map(9, 4, 1, frames=14, padding=padding))
    for k, n in enumerate((9, 4, 1)):
        values, _ = feature_map(9, 4, 1)
        alone = head(values[k : k + 1, :n], torch.tensor([n]))
        torch.testing.assert_close(together[k], alone[0], rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", CONFIGS)
def test_embeddings_have_length_one_unless_told_otherwise(name):
    torch.manual_seed(1)
    embedding = Head(5, CONFIGS[name])(*feature_map(9, 4))
    assert embedding.shape == ((2, 3, 8) if name == "slots" else (2, 8))
    torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(embedding.shape[:-1]))
    free = HeadConfig(width=8, normalise=False)
    assert not torch.allclose(Head(5, free)(*feature_map(9, 4)).norm(dim=1), torch.ones(2))


def test_there_is_one_head_for_each_tap():
    torch.manual_seed(1)
    heads = Heads({"convolution": 5, "recurrent": 3}, HeadConfig(width=8))
    maps = {"convolution": feature_map(9, 4), "recurrent": feature_map(5, 2, channels=3)}
    found = heads(maps)
    assert {tap: tuple(e.shape) for tap, e in found.items()} == {"convolution": (2, 8), "recurrent": (2, 8)}
    found["recurrent"].sum().backward()
    assert heads.heads["recurrent"].pool.project.weight.grad is not None
    assert heads.heads["convolution"].pool.project.weight.grad is None
    with pytest.raises(BadInputError, match="recurrent"):
        heads({"convolution": maps["convolution"]})


@pytest.mark.parametrize("wrong", [{"pooling": "max"}, {"slots": 0}, {"pooling": "attention", "slots": 2}])
def test_a_head_that_cannot_be_is_refused(wrong):
    with pytest.raises(BadInputError):
        HeadConfig(**wrong)


@torch.no_grad()
def test_attention_pooling_is_what_plain_loops_compute():
    torch.manual_seed(1)
    pool = AttentionPool(5, 8, heads=2)
    values, lengths = feature_map(6, 3)
    found = pool(values, lengths).numpy()
    part = pool.attention
    for k, n in enumerate(lengths.tolist()):
        frames = [pool.input(values[k, t]) for t in range(n)]
        tokens = [sum(frames) / n, *frames]
        tokens = [x + sinusoids(n + 1, 8, values.device)[t] for t, x in enumerate(tokens)]
        answers = []
        for head in range(2):
            own = slice(4 * head, 4 * head + 4)
            query = part.query(tokens[0])[own]
            scores = torch.stack([query @ part.key(x)[own] / 2.0 for x in tokens]).softmax(0)
            answer = sum(s * part.value(x)[own] for s, x in zip(scores, tokens, strict=True))
            answers.append(answer * torch.sigmoid(part.gate(tokens[0])[head]))
        np.testing.assert_allclose(found[k], part.output(torch.cat(answers)).numpy(), atol=1e-5)


def test_the_published_sizes_give_the_published_number_of_weights():
    """ECHWR: text 9.8 million, pooling 1.3 million."""
    text, pool = TextBranch(TextConfig(), Alphabet(ONHW_LETTERS)), AttentionPool(512, 512)
    assert sum(p.numel() for p in text.parameters()) == pytest.approx(9.8e6, rel=0.01)
    assert sum(p.numel() for p in pool.parameters()) == pytest.approx(1.3e6, rel=0.02)


def test_texts_become_unit_vectors_that_know_the_order_of_the_letters():
    torch.manual_seed(1)
    branch = TextBranch(SMALL, Alphabet("abcd")).eval()
    found = branch.embed(["ab", "ba", "abcd"])
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    assert (found[0] - found[1]).abs().max() > 1e-3
    with pytest.raises(BadInputError, match="13 letters"):
        branch.embed(["a" * 13])


@torch.no_grad()
def test_masked_padding_makes_a_text_independent_of_the_context():
    torch.manual_seed(1)
    masked = TextConfig(**{**SMALL.__dict__, "mask_padding": True})
    branch = TextBranch(masked, Alphabet("abcd")).eval()
    tokens = branch.tokens(["abc"])
    torch.testing.assert_close(branch(tokens), branch(tokens[:, :3]))


@pytest.mark.parametrize("label", ["house", "a", "aa"])
def test_corrupted_words_are_one_edit_away_and_never_empty(label):
    rng = np.random.default_rng(3)
    words = [word for _ in range(50) for word in corrupted(label, "ahouse", rng)]
    assert len(words) == 50 * 2 * KINDS
    assert {edit_distance(label, word) for word in words} == {1}
    assert min(len(word) for word in words) > 0
    lengths = [len(word) - len(label) for word in words[:KINDS]]
    assert lengths == ([1, -1, 0] if len(label) > 1 else [1, 0, 0])


def test_a_word_that_cannot_be_corrupted_is_an_error():
    with pytest.raises(BadInputError, match="cannot be corrupted"):
        corrupted("a", "a", np.random.default_rng(1))


def test_the_text_terms_teach_the_pen_and_the_text_branch():
    torch.manual_seed(1)
    branch = TextBranch(SMALL, Alphabet("abcd"))
    head = Head(5, HeadConfig(width=8, pooling="attention", heads=2))
    pen, labels = head(*feature_map(9, 4, 7, 5)), ["ab", "dc", "ab", "b"]
    terms = text_terms(pen, labels, branch, torch.tensor(5.0), np.random.default_rng(1), 2)
    assert {name: term.count for name, term in terms.items()} == {"text": 4, "text_errors": 4}
    for name, term in terms.items():
        wrong = torch.autograd.grad(
            term.total, [*head.parameters(), *branch.parameters()], retain_graph=True, allow_unused=True
        )
        assert all(g is not None and torch.isfinite(g).all() for g in wrong), name
        assert sum(float(g.abs().sum()) > 0 for g in wrong) > 0.8 * len(wrong)
    alone = text_terms(pen, labels, branch, torch.tensor(5.0), np.random.default_rng(1), 0)
    assert list(alone) == ["text"]
