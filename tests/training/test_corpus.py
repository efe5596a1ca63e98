"""From ink to shards: exact cuts by the live stages, and no held-out word anywhere."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner

from models.training.corpus import cut_words, simulate, training_mask
from models.training.inks import LetterHands, Words, heldout_labels, random_string
from models.training.prepare import common_words, covered, prepare_command, sessions_for
from models.training.shards import Shard
from penapp.dsp.params import DEFAULT_PARAMS, ROW_NAMES
from penapp.errors import BadInputError
from penapp.pipeline import FrontEnd
from penapp.simulation.demo_ink import DEMO_INK, demo_corpus
from penapp.stream.block import SampleBlock

SOURCES = ("real", "reclocked", "letters", "fonts")
TRAIN_WRITER, TEST_WRITER, STRANGER = 501, 502, 503


@cache
def ink_with_traps():
    """The demo ink, with held-out labels that chance would spell, and words whose clock is not trusted."""
    ink = demo_corpus()
    label, clock_ok = ink.label.copy(), ink.clock_ok.copy()
    traps = [str(d) for d in range(10)] + ["am", "Am", "it!"]
    held = np.flatnonzero(ink.heldout_word & (ink.split == "train"))[: len(traps)]
    label[held] = traps
    clock_ok[np.flatnonzero(ink.split == "train")[::2]] = False
    writer = ink.writer.copy()
    writer[np.flatnonzero(ink.split == "test")[0]] = TEST_WRITER
    heldout = ink.heldout_word | np.isin(np.char.lower(label), [t.lower() for t in traps])
    return replace(ink, label=label, heldout_word=heldout, clock_ok=clock_ok, writer=writer)


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """Isolated letters a-z and digits of three people: a diagonal stroke and a dot each."""
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789.,?!-'"
    writers = [TRAIN_WRITER, TEST_WRITER, STRANGER]
    n = len(alphabet) * len(writers)
    stroke = np.array([[3, 4]] * 12 + [[4, 20]] + [[1, 1]] * 4, dtype=np.int16)
    pen = np.array([2] + [1] * 11 + [2] + [1] * 4, dtype=np.uint8)
    path = tmp_path_factory.mktemp("letters") / "letters.npz"
    np.savez(
        path,
        dxy=np.tile(stroke, (n, 1)),
        pen=np.tile(pen, n),
        off=np.arange(n + 1) * len(pen),
        label=np.array(list(alphabet) * len(writers)),
        writer=np.repeat(writers, len(alphabet)).astype(np.int16),
        split=np.array(["train"] * n),
        units_per_mm=np.full(n, 20.0, np.float32),
        rate_hz=np.full(n, 100.0, np.float32),
    )
    return path


def some_sessions(source, letters, split="train"):
    ink = ink_with_traps()
    sessions = sessions_for(source, ink, letters, split, 1, np.random.default_rng(4))
    return [session for session, _ in zip(sessions, range(30), strict=False)]


@pytest.mark.parametrize("source", SOURCES)
def test_no_training_source_writes_a_held_out_word(source, letters):
    forbidden = heldout_labels(ink_with_traps())
    assert {"7", "am", "it!"} <= forbidden
    written = [word.label for session in some_sessions(source, letters) for word in session]
    assert len(written) > 200
    assert sorted({w for w in written if w.lower() in forbidden}) == []


def test_chance_cannot_spell_a_held_out_word_either():
    words = Words(("am", "be"), frozenset({"am,", "am.", "be!"}), random=0.1, marked=0.9, capital=(0.3, 0.3))
    drawn = {words.draw(np.random.default_rng(seed)).lower() for seed in range(2000)}
    assert drawn & {"am,", "am.", "be!"} == set()
    assert {"am!", "be,", "be."} <= drawn


def test_common_words_are_training_labels_and_lexicon_words():
    ink = ink_with_traps()
    words = set(common_words(ink))
    assert words & set(heldout_labels(ink)) == set()
    assert {str(x) for x in ink.label[training_mask(ink) & covered(ink)]} <= words
    assert len(words) > 20_000


@pytest.mark.parametrize("source", ["real", "reclocked"])
def test_real_words_are_those_of_the_training_split_each_once(source):
    ink = ink_with_traps()
    kept = training_mask(ink) & covered(ink) & (ink.clock_ok == (source == "real"))
    sessions = list(sessions_for(source, ink, None, "train", 1, np.random.default_rng(4)))
    assert 0.98 * kept.sum() <= sum(map(len, sessions)) <= kept.sum()
    assert {w.writer for s in sessions for w in s} <= {str(w) for w in ink.writer[kept]}
    for session in sessions:
        assert len(session) <= 12
        assert len({w.writer for w in session}) == 1


def test_letters_of_people_whose_words_are_tested_are_never_used(letters):
    writers = {word.writer for session in some_sessions("letters", letters) for word in session}
    assert writers == {str(TRAIN_WRITER), str(STRANGER)}


def test_composed_words_have_a_stroke_for_each_stroke_of_their_letters(letters):
    hands = LetterHands(letters, frozenset())
    session = next(hands.sessions(Words(("abc", "hello"), random=0.0, marked=0.0), np.random.default_rng(1)))
    for word in session:
        assert len(word.strokes) == 2 * len(word.label)
        assert all(np.isfinite(s).all() for s in word.strokes)
        starts = [t[0] for t in word.times]
        assert starts == sorted(starts)


def test_a_label_is_composed_of_the_letters_of_someone_who_has_them_all(letters):
    hands = LetterHands(letters, frozenset({TEST_WRITER}))
    word = hands.write("tea!", np.random.default_rng(1))
    assert word.label == "tea!"
    assert len(word.strokes) == 2 * len(word.label)
    assert int(word.writer) in hands.able("tea!")
    assert TEST_WRITER not in hands.able("tea!")
    for nobodys in ("Zoo", ""):
        assert hands.able(nobodys) == []
        with pytest.raises(BadInputError, match="nobody has all the letters"):
            hands.write(nobodys, np.random.default_rng(1))


def test_font_writers_know_only_two_splits(letters):
    with pytest.raises(BadInputError, match="'test', expected train or heldout"):
        next(sessions_for("fonts", ink_with_traps(), letters, "test", 1, np.random.default_rng(1)))


def test_random_strings_are_letters_that_the_alphabet_knows():
    drawn = [random_string(np.random.default_rng(seed)) for seed in range(500)]
    assert all(2 <= len(s) <= 9 and s.isalpha() for s in drawn)
    assert {"ß", "Ä", "z", "Q"} <= set("".join(drawn))


def demo_session(rate_hz, number=0):
    ink = demo_corpus()
    chosen = np.flatnonzero(training_mask(ink) & covered(ink))[12 * number : 12 * number + 12]
    return simulate([ink.word(int(i)) for i in chosen], [5, number], rate_hz)


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 200.0])
def test_training_rows_are_the_rows_that_recognition_gets_live(rate_hz):
    """The train = serve lock: the same session, in small blocks, through the pipeline's own front end."""
    session, inks = demo_session(rate_hz)
    live = FrontEnd(rate_hz, DEFAULT_PARAMS)
    served = []
    for a in range(0, len(session.t), 11):
        served += live.push(SampleBlock(session.t[a : a + 11], session.values[a : a + 11]))
    served += live.finish()
    trained = list(cut_words(session, inks, 0, DEFAULT_PARAMS))
    assert len(trained) >= 8
    rows, styles = shard_rows(served)
    for word in trained:
        assert any(np.array_equal(word.rows, r) for r in rows), word.label
        assert any(np.array_equal(word.style, s) for s in styles), word.label


def shard_rows(words):
    """Rows and styles of live words, as a shard keeps them."""
    first = len(ROW_NAMES)
    values = [word.features.values for word in words]
    return [v[:, :first].astype(np.float16) for v in values], [v[0, first:] for v in values]


def test_only_words_that_the_segmenter_cut_exactly_are_trained_on():
    session, inks = demo_session(100.0)
    whole = {w.label for w in cut_words(session, inks, 0, DEFAULT_PARAMS)}
    first = session.words[0]
    assert first.label in whole
    halves = (
        replace(first, label="left", end_t=(first.start_t + first.end_t) / 2),
        replace(first, label="right", start_t=(first.start_t + first.end_t) / 2),
    )
    split = replace(session, words=(*halves, *session.words[1:]))
    assert {w.label for w in cut_words(split, [inks[0], *inks], 0, DEFAULT_PARAMS)} == whole - {first.label}


def prepare(out, *options):
    arguments = ["real", str(out), "--ink", str(DEMO_INK), "--words", "30", *options]
    done = CliRunner().invoke(prepare_command, arguments)
    assert done.exit_code == 0, done.output
    return Shard.load(out)


def test_prepare_gives_the_same_shard_for_the_same_seed_and_another_for_another(tmp_path):
    one, again = prepare(tmp_path / "a.npz", "--seed", "1"), prepare(tmp_path / "b.npz", "--seed", "1")
    other = prepare(tmp_path / "c.npz", "--seed", "2")
    assert len(one) >= 30
    np.testing.assert_array_equal(one.rows, again.rows)
    assert one.label.tolist() == again.label.tolist() != other.label.tolist()
    assert one.fingerprint == DEFAULT_PARAMS.fingerprint()


def test_letters_need_their_file():
    done = CliRunner().invoke(prepare_command, ["letters", "x.npz", "--ink", str(DEMO_INK), "--seed", "1"])
    assert done.exit_code == 2
    assert "--letters" in done.output
