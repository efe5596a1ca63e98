"""Fonts in motion: whole alphabets, people's speeds, and the same word every time."""

import numpy as np
import pytest

from penapp.decode.alphabet import PENAPP_ALPHABET
from penapp.errors import BadInputError
from penapp.simulation.font_motion import (
    FontWriter,
    half_cycle_s,
    mean_speed_mm_s,
    random_writer,
)
from penapp.simulation.font_speed import RATE_HZ, STRAIGHT_PER_MM, SpeedLaw, in_motion
from penapp.simulation.font_style import WriterStyle
from penapp.simulation.fonts import FONT_FOLDER, font_names, load_font, load_fonts

ALL_FONTS = font_names("train") + font_names("heldout")
PLAIN = WriterStyle(mixing=0, reverse=0, reorder=0, join=0, delay_marks=0, lift=0)
WORDS = ("Handwriting", "title", "quick", "Straße", "it's", "1994", "minimum", "Übung", "kept?", "well-known")


def in_order(ink):
    """Strokes and times as one array each, to compare two writings."""
    return np.concatenate(ink.strokes), np.concatenate(ink.times)


@pytest.mark.parametrize("name", ALL_FONTS)
def test_every_font_writes_the_whole_alphabet(name):
    writer = FontWriter(load_font(name), PLAIN, seed=1)
    for letter in PENAPP_ALPHABET.letters:
        ink = writer.write(letter)
        points = np.concatenate(ink.strokes)
        assert np.isfinite(points).all()
        assert np.ptp(points, axis=0).max() < 2.5 * PLAIN.ascender_mm, f"{letter} of {name} is out of size"


@pytest.mark.parametrize("name", ALL_FONTS)
def test_dotted_letters_have_their_dots_above_the_letter(name):
    font = load_font(name)
    for letter, dots in (*dict.fromkeys("äöüÄÖÜ", 2).items(), ("i", 1), ("j", 1)):
        strokes = font.glyph(letter).strokes
        assert len(strokes) > dots
        body = max(stroke[:, 1].max() for stroke in strokes[:-dots])
        low = min(stroke[:, 1].min() for stroke in strokes[-dots:])
        assert low > body - 0.15, f"dots of {letter} in {name}"


def test_the_split_is_whole_fonts_and_named_in_the_licences():
    assert not set(font_names("train")) & set(font_names("heldout"))
    assert len(font_names("train")) >= 6
    assert 2 <= len(font_names("heldout")) <= 3
    shipped = {path.stem for path in FONT_FOLDER.glob("*.json")} - {"split"}
    assert shipped == set(ALL_FONTS)
    licences = (FONT_FOLDER / "LICENSES.md").read_text(encoding="utf-8")
    assert all(name in licences for name in shipped)
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONT_FOLDER / "OFL.txt").read_text(encoding="utf-8")
    assert "James Hurt" in licences


def test_training_writers_never_hold_a_letter_of_a_heldout_font(monkeypatch):
    asked = set()
    monkeypatch.setattr("penapp.simulation.fonts.load_font", lambda name: asked.add(name) or load_font(name))
    for seed in range(30):
        random_writer("train", seed).write("Handwriting")
    assert asked <= set(font_names("train"))
    for seed in range(10):
        assert random_writer("heldout", seed).font.name in font_names("heldout")


def test_one_seed_writes_the_same_word_whatever_came_before():
    first, second = random_writer("train", 7), random_writer("train", 7)
    second.write("something")
    second.write("else")
    for a, b in zip(in_order(first.write("Handwriting")), in_order(second.write("Handwriting")), strict=True):
        np.testing.assert_array_equal(a, b)


def test_takes_and_writers_differ():
    writer = random_writer("train", 7)
    assert not np.array_equal(writer.write("word").strokes[0], writer.write("word", take=1).strokes[0])
    assert not np.array_equal(
        writer.write("word").strokes[0], random_writer("train", 8).write("word").strokes[0]
    )


def test_strokes_are_sampled_evenly_on_one_clock():
    ink = random_writer("train", 3).write("Handwriting")
    assert not ink.pen_up_known
    for stroke, t in zip(ink.strokes, ink.times, strict=True):
        assert len(stroke) == len(t) >= 2
        np.testing.assert_allclose(np.diff(t), 1 / RATE_HZ)
    starts, ends = [t[0] for t in ink.times], [t[-1] for t in ink.times]
    assert all(start > end for start, end in zip(starts[1:], ends, strict=False))


def test_the_population_moves_like_people():
    """Half cycles of 75-140 ms and 24-45 mm/s, as measured on real ink; pens land slowly."""
    people = [random_writer("train", seed) for seed in range(40)]
    pages = [[writer.write(word) for word in WORDS] for writer in people]
    inks = [ink for page in pages for ink in page]
    assert 0.09 < np.median([half_cycle_s(ink) for ink in inks]) < 0.12
    each = np.array([np.median([mean_speed_mm_s(ink) for ink in page]) for page in pages])
    assert 28 < np.median(each) < 42
    assert np.mean((each > 22) & (each < 48)) > 0.9
    long_strokes = [stroke for ink in inks for stroke in ink.strokes if len(stroke) > 40]
    steps = [np.hypot(*np.diff(stroke, axis=0).T) for stroke in long_strokes]
    assert np.mean([s[0] < 0.7 * s.mean() for s in steps]) > 0.9


def test_a_hand_slows_down_where_the_line_bends():
    stroke = max(FontWriter(load_font("HersheySans1"), PLAIN, seed=1).write("o").strokes, key=len)
    corner = max(FontWriter(load_font("HersheySans1"), PLAIN, seed=1).write("v").strokes, key=len)
    speed = np.hypot(*np.diff(corner, axis=0).T) * RATE_HZ
    turn = int(np.argmin(corner[:, 1]))
    assert speed[turn - 2 : turn + 2].min() < 0.5 * speed.max()
    around = np.hypot(*np.diff(stroke, axis=0).T)[15:-15] * RATE_HZ
    assert around.min() > 0.5 * around.max(), "a circle is drawn at nearly one speed"


@pytest.mark.parametrize("exponent", [0.25, 0.4])
def test_speed_follows_the_power_law_of_curvature(exponent):
    def cruising(radius_mm):
        angle = np.arange(0, 60, 0.1) / radius_mm
        ring = radius_mm * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        law = SpeedLaw(gain_mm_s=30, exponent=exponent, accel_mm_s2=1e5)
        ((stroke,), _) = in_motion(ring, np.array([len(ring)]), law)
        return np.median(np.hypot(*np.diff(stroke, axis=0).T)) * RATE_HZ

    expected = ((1 / 2 + STRAIGHT_PER_MM) / (1 / 8 + STRAIGHT_PER_MM)) ** exponent
    assert cruising(8.0) / cruising(2.0) == pytest.approx(expected, rel=0.03)


def test_size_slant_and_gap_do_what_they_say():
    def box(**habits):
        style = WriterStyle(mixing=0, letter_warp=0, instance_warp=0, baseline_drift=0, **habits)
        points = np.concatenate(FontWriter(load_font("HersheySans1"), style, seed=1).write("lll").strokes)
        return np.ptp(points, axis=0)

    assert box(ascender_mm=8)[1] / box(ascender_mm=4)[1] == pytest.approx(2, rel=0.1)
    assert box(letter_gap=0.2)[0] > box(letter_gap=0.0)[0] + 1
    assert box(slant=0.5)[0] > box(slant=0.0)[0] + 1.5


def test_joining_hands_lift_less_and_delayed_dots_come_last():
    def strokes(**habits):
        style = WriterStyle(mixing=0, reverse=0, reorder=0, letter_warp=0.01, **habits)
        return FontWriter(load_font("HersheyScript1"), style, seed=1).write("minimum").strokes

    assert len(strokes(join=1.0, delay_marks=1.0)) < len(strokes(join=0.0, delay_marks=1.0))
    late, early = strokes(delay_marks=1.0), strokes(delay_marks=0.0)
    assert all(stroke[:, 1].min() > 2 for stroke in late[-2:]), "both dots after the word"
    assert early[-1][:, 1].min() < 2, "the word ends with a letter"


def test_mixing_changes_letters():
    fonts = tuple(load_fonts("train"))
    alone = FontWriter(fonts[0], WriterStyle(mixing=0), seed=5, others=fonts)
    mixed = FontWriter(fonts[0], WriterStyle(mixing=1), seed=5, others=fonts)
    assert len(np.concatenate(alone.write("brown").strokes)) != len(
        np.concatenate(mixed.write("brown").strokes)
    )


def test_what_cannot_be_written_is_said():
    writer = random_writer("train", 1)
    with pytest.raises(BadInputError, match="no letter '€'"):
        writer.write("5€")
    with pytest.raises(BadInputError, match="nothing to write"):
        writer.write(" ")
    with pytest.raises(BadInputError, match="no font 'Comic'"):
        load_font("Comic")
