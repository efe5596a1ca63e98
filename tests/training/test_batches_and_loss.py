"""Which words make a step, and what CTC says about them."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

from models.training.batches import POOL_STEPS, Corpus, Sampler, collate  # noqa: E402
from models.training.objectives.classification import ctc  # noqa: E402
from models.training.presenting import MAX_ROWS, FeaturePresenter  # noqa: E402
from models.training.shards import Shard  # noqa: E402
from models.training.strokes import PackedInk  # noqa: E402
from models.training.tokens import spellable  # noqa: E402
from penapp.decode.alphabet import PENAPP_ALPHABET, Alphabet  # noqa: E402
from penapp.dsp.params import DEFAULT_PARAMS  # noqa: E402
from penapp.dsp.style import STYLE_NAMES  # noqa: E402
from penapp.errors import BadInputError  # noqa: E402
from tests.training.toy_training import PLAIN, demo_shard, toy_config  # noqa: E402


def shard_of(labels, rows=60, writers=None, sessions=None):
    """Words of constant rows: word k holds k + 1 in its first feature."""
    n = len(labels)
    values = np.zeros((n * rows, 14), np.float16)
    values[:, 0] = np.repeat(np.arange(n) + 1, rows)
    return Shard(
        values,
        np.zeros((n, len(STYLE_NAMES)), np.float32),
        np.arange(n + 1) * rows,
        np.array(labels),
        np.array(writers or ["me"] * n),
        np.array(sessions or [0] * n),
        PackedInk.none(n),
        "toy",
    )


def quarter(rows):
    return -(-rows // 4)


def sampler(shards, tmp_path, **sections):
    sections.setdefault("augment", PLAIN)
    config = toy_config(tmp_path, **sections)
    return Sampler(
        [Corpus(s, 1.0 / len(shards)) for s in shards],
        config,
        PENAPP_ALPHABET,
        FeaturePresenter(config.augment),
        quarter,
    )


def test_a_batch_depends_on_seed_step_and_part_alone(tmp_path):
    one, other = (sampler([demo_shard()], tmp_path, augment={}) for _ in range(2))
    forward = [one.batch(step) for step in range(1, 12)]
    backward = [other.batch(step) for step in range(11, 0, -1)][::-1]
    for a, b in zip(forward, backward, strict=True):
        assert a.labels == b.labels
        assert torch.equal(a.features, b.features)
    assert other.batch(3, part=1).labels != forward[2].labels
    seeded = sampler([demo_shard()], tmp_path, augment={}, seed=4)
    assert seeded.batch(3).labels != forward[2].labels


def test_words_in_a_batch_are_whole_and_padded_with_zeros(tmp_path):
    shard = demo_shard()
    known = {(str(label), int(n)) for label, n in zip(shard.label, np.diff(shard.off), strict=True)}
    batch = sampler([shard], tmp_path).batch(1)
    for k, label in enumerate(batch.labels):
        n = int(batch.lengths[k])
        assert (label, n) in known
        assert batch.features[k, n:].abs().sum() == 0
        assert batch.features[k, n - 1].abs().sum() > 0
    assert batch.features.shape[1] == int(batch.lengths.max())


def test_targets_spell_the_labels(tmp_path):
    batch = sampler([demo_shard()], tmp_path).batch(1)
    texts = [PENAPP_ALPHABET.decode(t.tolist()) for t in batch.targets.split(batch.target_lengths.tolist())]
    assert tuple(texts) == batch.labels


def test_all_steps_get_about_the_same_work(tmp_path):
    drawn = sampler([demo_shard()], tmp_path, optim={"batch_rows": 3000})
    rows = [int(drawn.batch(step).lengths.sum()) for step in range(1, 1 + POOL_STEPS)]
    assert sum(rows) == pytest.approx(3000 * POOL_STEPS, rel=0.1)
    assert max(rows) < 4000


def test_concatenated_words_carry_both_labels_and_both_signals(tmp_path):
    """Words of one session only: a and b were written in one grip, c in another."""
    shard = shard_of(["a", "b", "c"], sessions=[0, 0, 1])
    drawn = sampler([shard], tmp_path, augment={**PLAIN, "concatenate": 1.0})
    seen = set()
    for step in range(1, 30):
        batch = drawn.batch(step)
        for k, label in enumerate(batch.labels):
            signal = batch.features[k, : int(batch.lengths[k]), 0]
            assert "".join("abc"[int(v) - 1] for v in signal[::60]) == label
            came = batch.sources[k]
            assert "abc"[came.word] + ("" if came.joined is None else "abc"[came.joined]) == label
            seen.add(label)
    assert seen == {"aa", "ab", "ba", "bb", "c"}


def test_shares_decide_how_often_a_corpus_is_drawn(tmp_path):
    config = toy_config(tmp_path, augment=PLAIN, optim={"batch_rows": 6000})
    parts = [Corpus(shard_of(["a"]), 0.75), Corpus(shard_of(["b"] * 50), 0.25)]
    drawn = Sampler(parts, config, PENAPP_ALPHABET, FeaturePresenter(config.augment), quarter)
    labels = [label for step in range(1, 17) for label in drawn.batch(step).labels]
    assert labels.count("a") / len(labels) == pytest.approx(0.75, abs=0.04)


@pytest.mark.parametrize(("flatten", "expected"), [(0.0, 0.1), (0.5, 0.25), (1.0, 0.5)])
def test_flattening_lifts_a_writer_with_few_words(tmp_path, flatten, expected):
    """One writer with 1 word beside one with 9: shares by count, by root of the count, equal."""
    shard = shard_of(["a"] + ["b"] * 9, writers=["rare"] + ["busy"] * 9)
    drawn = sampler([shard], tmp_path, data={"writer_flatten": flatten}, optim={"batch_rows": 12000})
    labels = [label for step in range(1, 17) for label in drawn.batch(step).labels]
    assert labels.count("a") / len(labels) == pytest.approx(expected, abs=0.04)


def test_training_opens_with_short_words(tmp_path):
    shard = shard_of(["abc", "incomprehensible"], rows=100)
    drawn = sampler([shard], tmp_path, optim={"short_first": 0.3, "steps": 100})
    assert set(drawn.batch(1).labels) == {"abc"}
    assert set(drawn.batch(90).labels) == {"abc", "incomprehensible"}


def test_a_corpus_without_short_words_can_be_trained_on_all_the_same(tmp_path):
    drawn = sampler([shard_of(["incomprehensible"], rows=100)], tmp_path, optim={"short_first": 0.5})
    assert set(drawn.batch(1).labels) == {"incomprehensible"}


def test_words_that_cannot_be_learned_are_left_out(tmp_path):
    """Foreign letters; fewer frames than letters; longer than a word is."""
    good = shard_of(["ok", "naïve", "abcdefghijklmnopqrstuvw"])
    lengths = [60, 60, 60]
    long = Shard(
        np.concatenate([good.rows, np.ones((MAX_ROWS + 1, 14), np.float16)]),
        np.zeros((4, len(STYLE_NAMES)), np.float32),
        np.concatenate([[0], np.cumsum([*lengths, MAX_ROWS + 1])]),
        np.array([*good.label, "ok"]),
        np.array(["me"] * 4),
        np.zeros(4, np.int64),
        PackedInk.none(4),
        "toy",
    )
    drawn = sampler([long], tmp_path)
    batches = [drawn.batch(step) for step in range(1, 9)]
    assert {label for b in batches for label in b.labels} == {"ok"}
    assert drawn.left_out == [
        {"letters outside the alphabet": 1, "too short for the label": 1, f"outside 9-{MAX_ROWS} rows": 1}
    ]
    assert max(int(b.lengths.max()) for b in batches) == 60


def test_a_corpus_of_which_nothing_can_be_used_is_an_error(tmp_path):
    with pytest.raises(BadInputError, match="none of the 1 words"):
        sampler([shard_of(["naïve"])], tmp_path)


@pytest.mark.parametrize(
    ("frames", "label", "possible"),
    [
        (2, "ab", True),
        (1, "ab", False),
        (2, "aa", False),
        (3, "aa", True),
        (4, "aab", True),
        (3, "aab", False),
    ],
)
def test_a_repeated_letter_needs_a_frame_more(frames, label, possible):
    assert spellable(PENAPP_ALPHABET.encode(label), frames) is possible


def plain_ctc(log_probs, target, blank=0):
    """-ln p(target) by summing over every path with plain loops (the forward algorithm)."""
    spaced = [blank]
    for letter in target:
        spaced += [letter, blank]
    now = [0.0] * len(spaced)
    now[0], now[1] = math.exp(log_probs[0][blank]), math.exp(log_probs[0][spaced[1]])
    for frame in log_probs[1:]:
        after = []
        for s, letter in enumerate(spaced):
            total = now[s] + (now[s - 1] if s else 0.0)
            if s > 1 and letter not in (blank, spaced[s - 2]):
                total += now[s - 2]
            after.append(total * math.exp(frame[letter]))
        now = after
    return -math.log(now[-1] + now[-2])


def test_the_ctc_term_is_what_plain_loops_compute():
    alphabet = Alphabet("abcd")
    labels = ["a", "aab", "dcba", "bb"]
    rng = np.random.default_rng(7)
    rows = [
        (rng.standard_normal((n, DEFAULT_PARAMS.size)).astype(np.float32), t)
        for n, t in zip((12, 9, 7, 5), labels, strict=True)
    ]
    batch = collate(rows, alphabet)
    log_probs = torch.from_numpy(rng.standard_normal((4, 12, alphabet.size))).log_softmax(2)
    expected = [
        plain_ctc(log_probs[k, : len(rows[k][0])].tolist(), alphabet.encode(label)) / len(label)
        for k, label in enumerate(labels)
    ]
    found = float(ctc(log_probs, batch.lengths, batch.targets, batch.target_lengths).mean())
    assert found == pytest.approx(sum(expected) / 4, rel=1e-9)
