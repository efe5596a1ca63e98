"""Pictures to compare a word with, and the ink they may be made of."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL", reason="pictures in installed fonts need Pillow (extra `train`)")

from models.training.images.glyphs import HANDWRITING_PACKAGES, GlyphFonts
from models.training.images.look import RenderConfig
from models.training.images.pairs import ANYONE, InkIndex, WordPictures
from models.training.images.render import render
from models.training.images.words import Guard, InkWords, training_words
from models.training.strokes import PackedInk, pack
from penapp.errors import BadInputError
from penapp.simulation.demo_ink import demo_corpus
from penapp.simulation.ink import WordInk

PLAIN = RenderConfig().plain()
SHAPES = {
    "anna": [[0, 0], [3, 5]],
    "ben": [[0, 5], [4, 0]],
    "carl": [[0, 0], [0, 6]],
    "dora": [[1, 1], [9, 5]],
}


def rng(seed=0):
    return np.random.default_rng(seed)


def words(*written):
    """(label, writer) pairs in the writer's own shape."""
    inks = [
        WordInk(label, (np.array(SHAPES[writer], dtype=float),), (np.arange(2.0),), False, writer)
        for label, writer in written
    ]
    return InkWords(pack(inks), np.array([w.label for w in inks]), np.array([w.writer for w in inks]))


@pytest.fixture(scope="module")
def two_shards():
    first = words(("tea", "anna"), ("tea", "anna"), ("tea", "ben"), ("milk", "anna"))
    return [first, words(("tea", "carl"), ("sugar", "dora"))]


@pytest.fixture
def pictures(two_shards):
    return WordPictures(InkIndex(two_shards, Guard()), PLAIN)


def of(writer):
    """What a picture of this writer's ink looks like."""
    return render(words(("x", writer)).ink.word(0), PLAIN, rng())


def same(image, other):
    return image.shape == other.shape and np.array_equal(image, other)


def test_a_words_own_picture_is_of_its_own_ink(pictures, two_shards):
    found = pictures.own(two_shards[0], 2, rng())
    assert (found.label, found.source) == ("tea", "own")
    assert same(found.image, of("ben"))


def test_the_same_label_is_shown_as_every_other_writer_wrote_it_and_never_the_own(pictures):
    shown = [pictures.same_label("tea", "anna", rng(seed)) for seed in range(30)]
    assert {found.source for found in shown} == {"ink"}
    assert not any(same(found.image, of("anna")) for found in shown)
    by_ben = sum(same(found.image, of("ben")) for found in shown)
    by_carl = sum(same(found.image, of("carl")) for found in shown)
    assert by_ben + by_carl == 30
    assert min(by_ben, by_carl) >= 8


def test_writers_of_a_label_are_drawn_evenly_however_often_they_wrote_it(two_shards):
    index = InkIndex([*two_shards, words(*[("tea", "anna")] * 50)], Guard())
    drawn = [index.draw("tea", rng(seed)) for seed in range(90)]
    by_anna = sum(index.shards[shard].writer[i] == "anna" for shard, i in drawn)
    assert 15 <= by_anna <= 45
    assert index.labels() == ["milk", "sugar", "tea"]
    assert index.writers("tea", "anna") == ["ben", "carl"]
    with pytest.raises(KeyError, match="milk"):
        index.draw("milk", rng(), "anna")


def test_a_negative_is_a_picture_of_the_label_that_was_asked_for(pictures):
    found = pictures.of_label("sugar", rng())
    assert (found.label, found.source) == ("sugar", "ink")
    assert same(found.image, of("dora"))


def test_a_word_whose_ink_is_unknown_is_shown_in_other_ink_of_its_label(pictures):
    unknown = InkWords(PackedInk.none(1), np.array(["tea"]), np.array(["ben"]))
    found = pictures.own(unknown, 0, rng())
    assert found.source == "ink"
    assert not same(found.image, of("ben"))


def test_a_label_that_nobody_else_wrote_is_written_by_a_font(pictures):
    for label, writer in (("milk", "anna"), ("Zürich", ANYONE)):
        found = pictures.same_label(label, writer, rng())
        assert (found.label, found.source) == (label, "strokes")
        assert found.image.shape[1] > 30
        again = pictures.same_label(label, writer, rng())
        assert same(found.image, again.image)
    with pytest.raises(BadInputError, match="no letter"):
        pictures.of_label("日", rng())


def test_letters_of_people_are_a_further_source_where_they_spell_the_label(two_shards):
    class Letters:
        def able(self, label):
            return [7] if label == "milk" else []

        def write(self, label, rng):
            return WordInk(label, (np.array([[0.0, 0.0], [2.0, 9.0]]),), (np.arange(2.0),), False, "7")

    both = WordPictures(InkIndex(two_shards, Guard()), PLAIN, letters=Letters())
    assert {both.same_label("milk", "anna", rng(k)).source for k in range(8)} == {"letters", "strokes"}
    assert {both.of_label("cup", rng(k)).source for k in range(8)} == {"strokes"}


def test_only_training_words_of_an_ink_corpus_become_pictures():
    ink = demo_corpus()
    good = np.flatnonzero((ink.split == "train") & ~ink.heldout_word)[:20]
    taken = training_words(ink, good)
    assert taken.label.tolist() == ink.label[good].tolist()
    assert taken.ink.known().all()
    for split in ("val", "test", "seen_writer"):
        strange = np.flatnonzero((ink.split == split) & ~ink.heldout_word)[:1]
        with pytest.raises(BadInputError, match=f"split '{split}' may not"):
            training_words(ink, [*good, *strange])
    held = replace(ink, heldout_word=np.arange(len(ink)) == good[3])
    with pytest.raises(BadInputError, match="held-out label"):
        training_words(held, good)


def test_an_index_refuses_shards_with_held_out_labels_or_people():
    ink = demo_corpus()
    guard = Guard.of(ink)
    good = np.flatnonzero((ink.split == "train") & ~ink.heldout_word)[:20]
    shard = training_words(ink, good)
    assert InkIndex([shard], guard).labels()
    label = str(ink.label[ink.heldout_word][0]).upper()
    unseen = replace(shard, label=np.array([label, *shard.label[1:]]))
    with pytest.raises(BadInputError, match=r"held-out label.*may not be made into training pictures"):
        InkIndex([shard, unseen], guard)
    tester = str(ink.writer[ink.split == "test"][0])
    strange = replace(shard, writer=np.array([tester, *shard.writer[1:]]))
    with pytest.raises(BadInputError, match=f"words of '{tester}'"):
        InkIndex([strange], guard)
    font = replace(shard, writer=np.array(["font-heldout-3", *shard.writer[1:]]))
    with pytest.raises(BadInputError, match="font-heldout-3"):
        InkIndex([font], Guard())
    with pytest.raises(BadInputError, match="for testing only"):
        Guard.of_validation(shard).check(shard)


def test_a_shard_is_read_without_its_rows_and_one_without_ink_is_refused(tmp_path):
    shard = words(("tea", "anna"), ("milk", "ben"))
    parts = {"ink_xy": shard.ink.xy, "ink_start": shard.ink.start, "ink_off": shard.ink.off}
    np.savez(tmp_path / "with.npz", label=shard.label, writer=shard.writer, **parts)
    found = InkWords.load(tmp_path / "with.npz")
    np.testing.assert_array_equal(found.ink.word(1)[0], shard.ink.word(1)[0])
    np.savez(tmp_path / "without.npz", label=shard.label, writer=shard.writer)
    with pytest.raises(BadInputError, match="lacks ink_xy"):
        InkWords.load(tmp_path / "without.npz")


def test_words_spread_over_a_shard_keep_their_ink_and_label():
    shard = words(("tea", "anna"), ("milk", "ben"), ("cup", "carl"), ("日", "dora"), ("pot", "anna"))
    some = shard.spread(3)
    assert some.label.tolist() == ["tea", "milk", "cup", "日", "pot"]
    few = shard.spread(2)
    assert few.label.tolist() == ["tea", "cup", "pot"]
    np.testing.assert_array_equal(few.ink.word(1)[0], shard.ink.word(2)[0])
    assert shard.usable().tolist() == [0, 1, 2, 4]


@pytest.fixture(scope="module")
def sans():
    """A font file that is there wherever matplotlib is."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        pytest.skip("needs the fonts that matplotlib brings (extra `train`)")
    return Path(spec.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"


def test_installed_handwriting_fonts_are_found_by_file_name(tmp_path, sans, capsys):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "Kristi.ttf").write_bytes(sans.read_bytes())
    (tmp_path / "Arial.ttf").write_bytes(sans.read_bytes())
    assert [path.name for path in GlyphFonts.installed([tmp_path]).paths] == ["Kristi.ttf"]
    assert capsys.readouterr().err == ""


def test_without_a_handwriting_font_one_message_names_the_packages(tmp_path, capsys):
    none = GlyphFonts.installed([tmp_path, tmp_path / "missing"])
    assert len(none) == 0
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert all(package in told for package in HANDWRITING_PACKAGES)
    assert WordPictures(InkIndex([], Guard()), PLAIN, glyphs=none).of_label("tea", rng()).source == "strokes"


def test_a_font_draws_the_label_upright_at_the_height_of_the_pictures(sans):
    image = GlyphFonts([sans]).picture("Lx", PLAIN, rng())
    assert image.shape[0] == PLAIN.height
    assert image[4:28, 2:5].max(axis=1).min() > 128, "the stem of the L"
    assert image[26:, 2:12].max(axis=0).min() > 128, "its foot below"
    assert image[:8, 8:].max() == 0, "nothing above the foot and the x"
    varied = [GlyphFonts([sans]).picture("tea", RenderConfig(), rng(k)) for k in (1, 1, 2)]
    assert same(varied[0], varied[1])
    assert not same(varied[0], varied[2])
    assert GlyphFonts([sans]).picture("tea" * 30, PLAIN, rng()).shape == (32, PLAIN.widest)
    assert (GlyphFonts([sans]).picture(".", PLAIN, rng()) > 128).sum() < 150


def test_a_font_without_one_of_the_letters_is_passed_over(sans, two_shards):
    fonts = GlyphFonts([sans])
    assert fonts.able("Äöß9") == [sans]
    assert fonts.able("te\u3042") == []
    with pytest.raises(BadInputError, match="no handwriting font here can write"):
        fonts.picture("te\u3042", PLAIN, rng())
    both = WordPictures(InkIndex(two_shards, Guard()), PLAIN, glyphs=fonts)
    assert {both.of_label("cup", rng(k)).source for k in range(8)} == {"glyphs", "strokes"}
