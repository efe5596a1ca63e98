"""Every objective against plain loops over four examples."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.batches import collate  # noqa: E402 - behind the torch check
from models.training.objectives.classification import cross_entropy, ctc  # noqa: E402
from models.training.objectives.contrastive import contrastive  # noqa: E402
from models.training.objectives.distances import DISTANCES, distance_named, each  # noqa: E402
from models.training.objectives.infonce import (  # noqa: E402
    Temperature,
    hard_negatives,
    infonce,
    same_label,
)
from models.training.objectives.term import Term  # noqa: E402
from models.training.objectives.triplet import edit_margin, hinge, label_margin, triplet  # noqa: E402
from penapp.decode.alphabet import Alphabet  # noqa: E402
from penapp.dsp.params import DEFAULT_PARAMS  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402


def embeddings(*shape, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def learned(*shape, seed=1):
    return embeddings(*shape, seed=seed).requires_grad_()


def plain_distance(name, a, b):
    """One vector against one, as the formulas say; of slots the mean."""
    if len(np.shape(a)) == 2:
        return sum(plain_distance(name, x, y) for x, y in zip(a, b, strict=True)) / len(a)
    n = len(a)
    if name == "mse":
        return sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / n
    if name == "kl":
        p, q = ([math.exp(x) / sum(math.exp(z) for z in v) for x in v] for v in (a, b))
        return sum(x * math.log(x / y) for x, y in zip(p, q, strict=True))
    if name == "pearson":
        a, b = ([x - sum(v) / n for x in v] for v in (a, b))
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return 1 - dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


@pytest.mark.parametrize("shape", [(4, 6), (4, 3, 6)])
@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_distances_are_what_plain_loops_compute(name, shape):
    a, b = embeddings(*shape), embeddings(*shape, seed=2)
    x, y = a.tolist(), b.tolist()
    expected = [[plain_distance(name, x[i], y[j]) for j in range(4)] for i in range(4)]
    distance = distance_named(name)
    assert distance.rows(a, b).tolist() == pytest.approx([expected[i][i] for i in range(4)], rel=1e-9)
    np.testing.assert_allclose(distance.pairs(a, b[:3]).tolist(), np.array(expected)[:, :3], rtol=1e-9)
    own = torch.stack([b[[1, 2]], b[[3, 0]], b[[0, 1]], b[[2, 3]]])
    expected_own = [[expected[0][1], expected[0][2]], [expected[1][3], expected[1][0]]]
    np.testing.assert_allclose(each(distance, a, own)[:2].tolist(), expected_own, rtol=1e-9)


@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_a_distance_to_itself_is_nothing_and_never_negative(name):
    a = embeddings(4, 6).float() + 1000.0
    pairs = distance_named(name).pairs(a, a)
    assert float(pairs.min()) > -1e-6
    assert pairs.diagonal().abs().max() < 1e-5


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-12, 1e4])
@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_constant_vectors_have_finite_distances_and_gradients(name, value):
    a = torch.full((2, 5), value, requires_grad=True)
    b = torch.zeros(2, 5, requires_grad=True)
    found = distance_named(name).rows(a, b).sum() + distance_named(name).pairs(a, b).sum()
    found.backward()
    assert torch.isfinite(found)
    assert torch.isfinite(a.grad).all()
    assert torch.isfinite(b.grad).all()


def test_half_precision_is_compared_in_single_precision():
    a, b = embeddings(4, 6).bfloat16(), embeddings(4, 6, seed=2).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for distance in DISTANCES.values():
            assert distance.pairs(a, b).dtype == torch.float32
            torch.testing.assert_close(distance.pairs(a, b), distance.pairs(a.float(), b.float()))


def test_shapes_and_names_that_do_not_fit_are_errors():
    with pytest.raises(BadInputError, match="cannot be compared"):
        DISTANCES["mse"].rows(embeddings(4, 6), embeddings(3, 6))
    with pytest.raises(BadInputError, match="cosine, kl, mse, pearson"):
        distance_named("euclid")


def ctc_batch():
    alphabet = Alphabet("abcd")
    labels = ["a", "aab", "dcba", "bb"]
    rows = [
        (np.zeros((n, DEFAULT_PARAMS.size), np.float32), label)
        for n, label in zip((12, 9, 7, 5), labels, strict=True)
    ]
    return collate(rows, alphabet), embeddings(4, 12, alphabet.size).log_softmax(2)


def test_ctc_is_the_mean_over_words_of_the_loss_per_letter():
    """As torch's own mean reduction has it; plain loops recompute it in test_batches_and_loss."""
    batch, log_probs = ctc_batch()
    found = ctc(log_probs, batch.lengths, batch.targets, batch.target_lengths)
    theirs = torch.nn.functional.ctc_loss(
        log_probs.transpose(0, 1), batch.targets, batch.lengths, batch.target_lengths
    )
    torch.testing.assert_close(found.mean(), theirs, rtol=1e-12, atol=0.0)
    assert found.count == 4


def test_ctc_per_word_weighs_the_same_words_by_their_letters():
    batch, log_probs = ctc_batch()
    words = [log_probs[k : k + 1] for k in range(4)]
    targets = batch.targets.split(batch.target_lengths.tolist())
    pieces = [
        [
            ctc(w, batch.lengths[k : k + 1], targets[k], batch.target_lengths[k : k + 1], per_letter=p)
            for p in (0, 1)
        ]
        for k, w in enumerate(words)
    ]
    for (nats, per_letter), letters in zip(pieces, batch.target_lengths.tolist(), strict=True):
        assert float(nats.total) == pytest.approx(float(per_letter.total) * letters)


def test_a_mean_over_a_global_count_does_not_depend_on_the_sharding():
    batch, log_probs = ctc_batch()
    whole = ctc(log_probs, batch.lengths, batch.targets, batch.target_lengths)
    targets = batch.targets.split(batch.target_lengths.tolist())
    shards = [
        ctc(log_probs[k], batch.lengths[k], torch.cat([targets[i] for i in k]), batch.target_lengths[k])
        for k in ([0], [1, 2, 3])
    ]
    assert float(sum(s.mean(4) for s in shards)) == pytest.approx(float(whole.mean()), rel=1e-12)
    assert float((shards[0] + shards[1]).mean()) == pytest.approx(float(whole.mean()), rel=1e-12)
    assert float(Term(torch.zeros(()), 0).mean()) == 0.0


def test_a_word_without_enough_frames_counts_nothing():
    _, log_probs = ctc_batch()
    found = ctc(log_probs[:1], torch.tensor([2]), torch.tensor([1, 1]), torch.tensor([2]))
    assert float(found.total) == 0.0


def test_ctc_and_cross_entropy_do_not_see_padding():
    batch, log_probs = ctc_batch()
    rubbish = log_probs.clone()
    for k, n in enumerate(batch.lengths.tolist()):
        rubbish[k, n:] = 77.0
    arguments = batch.lengths, batch.targets, batch.target_lengths
    assert float(ctc(rubbish, *arguments).total) == pytest.approx(float(ctc(log_probs, *arguments).total))
    labels = torch.tensor([0, 3, 1, 2])
    clean, dirty = (cross_entropy(x, labels, batch.lengths).mean() for x in (log_probs, rubbish))
    assert float(clean) == pytest.approx(float(dirty))


def test_cross_entropy_is_what_plain_loops_compute():
    logits, labels = embeddings(4, 3), [0, 2, 1, 1]
    expected = [
        math.log(sum(math.exp(x) for x in row)) - row[label]
        for row, label in zip(logits.tolist(), labels, strict=True)
    ]
    found = cross_entropy(logits, torch.tensor(labels))
    assert float(found.mean()) == pytest.approx(sum(expected) / 4, rel=1e-6)
    lengths = torch.tensor([2, 2, 2, 2])
    framewise = torch.stack([logits + 1.0, logits - 1.0, logits * 9.0], 1)
    assert float(cross_entropy(framewise, torch.tensor(labels), lengths).mean()) == pytest.approx(
        float(found.mean())
    )


@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_the_contrastive_term_is_what_plain_loops_compute(name):
    a, b, same, margin = embeddings(4, 6), embeddings(4, 6, seed=2), [1, 0, 0, 1], 1.2
    expected = 0.0
    for x, y, alike in zip(a.tolist(), b.tolist(), same, strict=True):
        gap = plain_distance(name, x, y)
        expected += alike * gap + (1 - alike) * max(0.0, margin - gap)
    found = contrastive(a, b, torch.tensor(same), margin, distance_named(name))
    assert float(found.mean()) == pytest.approx(expected / 4, rel=1e-9)


@pytest.mark.parametrize("margins", [0.3, [0.1, 0.9, 2.0, 0.0]])
@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_the_triplet_term_is_what_plain_loops_compute(name, margins):
    a, p, n = (embeddings(4, 6, seed=s) for s in (1, 2, 3))
    expected = 0.0
    for k in range(4):
        margin = margins[k] if isinstance(margins, list) else margins
        near = plain_distance(name, a[k].tolist(), p[k].tolist())
        expected += max(0.0, near - plain_distance(name, a[k].tolist(), n[k].tolist()) + margin)
    margin = torch.tensor(margins) if isinstance(margins, list) else margins
    found = triplet(a, p, n, margin, distance_named(name))
    assert float(found.mean()) == pytest.approx(expected / 4, rel=1e-6)


def test_several_negatives_of_an_anchor_count_by_their_mean_and_invalid_ones_not_at_all():
    near = torch.tensor([0.5, 0.1, 0.2, 0.9])
    far = torch.tensor([[0.6, 0.2], [0.0, 0.3], [0.1, 0.1], [0.0, 9.0]])
    valid = torch.tensor([[True, True], [True, False], [False, False], [True, True]])
    found = hinge(near, far, 0.2, valid)
    expected = ((0.1 + 0.5) / 2 + 0.3 + 0.0 + (1.1 + 0.0) / 2) / 4
    assert float(found.mean()) == pytest.approx(expected)
    assert found.count == 4


def test_the_dynamic_margin_grows_with_the_distance_of_the_labels():
    found = label_margin(torch.tensor([3, 0, 9, 5]), torch.tensor([1, 9, 8, 5]), 0.1)
    assert found.tolist() == pytest.approx([0.2, 0.9, 0.1, 0.0])
    words = (["house", "cat", "ab", "same"], ["mouse", "dog", "abba", "same"])
    assert edit_margin(*words, beta=0.5).tolist() == pytest.approx([0.5, 1.5, 1.0, 0.0])
    assert edit_margin(*words, beta=0.5, per_letter=True).tolist() == pytest.approx([0.1, 0.5, 0.5, 0.0])


def plain_infonce(pen, other, scale, labels, hard=None):
    cosine = [[1 - plain_distance("cosine", x, y) for y in other] for x in pen]
    total = 0.0
    for i in range(len(pen)):
        others = [j for j in range(len(pen)) if j == i or labels[j] != labels[i]]
        row = [scale * cosine[i][j] for j in others]
        if hard is not None:
            row += [scale * (1 - plain_distance("cosine", pen[i], h)) for h in hard[i]]
        column = [scale * cosine[j][i] for j in others]
        for side in (row, column):
            total += 0.5 * (math.log(sum(math.exp(x) for x in side)) - scale * cosine[i][i])
    return total / len(pen)


@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 6)])
@pytest.mark.parametrize("with_hard", [False, True])
def test_infonce_is_what_plain_loops_compute(shape, with_hard):
    labels = ["an", "be", "an", "co"]
    pen, other = embeddings(*shape), embeddings(*shape, seed=2)
    hard = embeddings(4, 3, *shape[1:], seed=3) if with_hard else None
    found = infonce(pen, other, torch.tensor(5.0), same_label(labels), hard)
    plain_hard = hard.tolist() if with_hard else None
    expected = plain_infonce(pen.tolist(), other.tolist(), 5.0, labels, plain_hard)
    assert float(found.mean()) == pytest.approx(expected, rel=1e-6)


def test_a_word_that_occurs_twice_is_no_negative_of_itself_but_still_an_anchor():
    """Pushing the twin's image away would be wrong; leaving the twin out would lose its pen sample."""
    pen, other = learned(4, 6), learned(4, 6, seed=2)
    scale, labels = torch.tensor(5.0), ["an", "be", "an", "co"]
    found = infonce(pen, other, scale, same_label(labels))
    assert found.count == 4
    (slope,) = torch.autograd.grad(found.total, other, retain_graph=True)
    row = 5.0 * (1.0 - DISTANCES["cosine"].pairs(pen, other))
    alone = torch.nn.functional.cross_entropy(row[0, [0, 1, 3]][None], torch.tensor([0]))
    (first,) = torch.autograd.grad(alone, other)
    assert first[2].abs().sum() == 0
    assert slope[2].abs().sum() > 0
    assert infonce(pen, other, scale).total > found.total


def test_hard_negatives_are_what_plain_loops_compute():
    pen, true, hard = embeddings(4, 6), embeddings(4, 6, seed=2), embeddings(4, 5, 6, seed=3)
    expected = 0.0
    for k in range(4):
        row = [
            1 - plain_distance("cosine", pen[k].tolist(), y) for y in [true[k].tolist(), *hard[k].tolist()]
        ]
        expected += math.log(sum(math.exp(7 * x) for x in row)) - 7 * row[0]
    found = hard_negatives(pen, true, hard, torch.tensor(7.0))
    assert float(found.mean()) == pytest.approx(expected / 4, rel=1e-6)


def test_the_temperature_is_learned_and_bounded():
    temperature = Temperature()
    assert temperature().item() == pytest.approx(1 / 0.07, rel=1e-6)
    infonce(embeddings(4, 6), embeddings(4, 6, seed=2), temperature()).total.backward()
    assert temperature.log_scale.grad != 0
    assert Temperature(start=1e6)().item() == pytest.approx(100.0)


@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_every_metric_term_teaches_both_branches(name):
    distance, margin = distance_named(name), 9.0
    for term in (
        lambda a, b: contrastive(a, b, torch.tensor([1, 0, 1, 0]), margin, distance),
        lambda a, b: triplet(a, b, b.flip(0), margin, distance),
        lambda a, b: infonce(a, b, torch.tensor(5.0)),
        lambda a, b: hard_negatives(a, b, torch.stack([b.roll(1, 0), b.roll(2, 0)], 1), torch.tensor(5.0)),
    ):
        pen, image = learned(4, 6), learned(4, 6, seed=2)
        term(pen, image).mean().backward()
        assert (pen.grad.abs().sum(1) > 0).all()
        assert (image.grad.abs().sum(1) > 0).all()
