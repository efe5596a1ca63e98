"""Strokes become the picture of a word on paper."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.training.images.look import Look, RenderConfig, draw_look, on_paper
from models.training.images.render import FLOURISH, LEAST_HEIGHT_MM, NARROWEST_PX, render
from penapp.errors import BadInputError
from penapp.simulation.demo_ink import demo_corpus

VARIED = RenderConfig()
PLAIN = VARIED.plain()
DARK = 128


def line(*corners, step=0.2):
    """A stroke through corners, a point every 0.2 mm."""
    corners = np.array(corners, dtype=float)
    pieces = [np.linspace(a, b, max(int(np.hypot(*(b - a)) / step), 2)) for a, b in pairwise(corners)]
    return np.concatenate(pieces)


def picture(*strokes, config=PLAIN, seed=0):
    return render(strokes, config, np.random.default_rng(seed))


def demo_words(count=40):
    corpus = demo_corpus()
    return [corpus.word(int(i)).strokes for i in np.linspace(0, len(corpus) - 1, count)]


def test_ink_lies_where_the_strokes_are_and_up_is_up():
    """An L with a dot in its upper right corner."""
    image = picture(line([0, 10], [0, 0], [8, 0]), np.array([[8.0, 10.0]]))
    assert image.dtype == np.uint8
    assert image.shape[0] == 32
    assert image[6:26, :5].max(axis=1).min() > DARK, "the stem on the left, all the way"
    assert image[-5:, 4:-4].max(axis=0).min() > DARK, "the foot below, all the way"
    assert image[:8, -8:].max() > DARK, "the dot above on the right"
    assert image[10:24, 8:].max() == 0, "paper in between"
    assert image[:8, 8:-8].max() == 0, "no foot above"


def test_no_line_is_drawn_where_the_pen_was_lifted():
    apart = picture(line([0, 0], [0, 10]), line([12, 0], [12, 10]))
    assert apart[:, 8:-8].max() == 0


def test_a_line_covers_what_its_width_says():
    """Every pixel of a straight line, against the distance of its middle from the line."""
    config = replace(PLAIN, pen_px=(2.4, 2.4))
    image = picture(line([0, 0], [0, 10]), config=config)
    middle = image.shape[1] / 2
    for column in range(image.shape[1]):
        cover = np.clip(1.2 + 0.5 - abs(column + 0.5 - middle), 0.0, 1.0)
        np.testing.assert_allclose(image[8:24, column] / 255, cover, atol=0.03)


def test_the_word_fills_the_height_whatever_its_size():
    word = demo_words(1)[0]
    np.testing.assert_array_equal(picture(*word), picture(*(stroke * 3 + 50 for stroke in word)))
    rows = np.flatnonzero(picture(*word).max(axis=1) > DARK)
    assert rows[0] <= 4
    assert rows[-1] >= 27


def test_a_long_word_is_squeezed_to_the_widest_picture_and_none_of_it_is_lost():
    waves = line(*[[k, 6 * (k % 2)] for k in range(200)])
    image = picture(waves)
    assert image.shape == (32, PLAIN.widest)
    assert image[:, :6].max() > DARK
    assert image[:, -6:].max() > DARK
    assert picture(waves, config=replace(PLAIN, widest=100)).shape == (32, 100)


def test_a_full_stop_stays_small():
    image = picture(line([0, 0], [0.2, 0.1]))
    assert image.shape == (32, NARROWEST_PX)
    inked = np.argwhere(image > DARK)
    assert np.ptp(inked, axis=0).max() <= 0.3 / LEAST_HEIGHT_MM * 32 + 2


def test_a_flourish_does_not_shrink_the_word():
    """One point far below, as a slipped pen leaves it: the letters keep most of the height."""
    letters = line(*[[k, 5 * (k % 2)] for k in range(40)])
    image = picture(letters, np.array([[3.0, -60.0]]))
    rows = np.flatnonzero((image > DARK).sum(axis=1) > 5)
    assert np.ptp(rows) >= 28 / (1 + FLOURISH) - 3


def test_the_loops_of_a_crowded_word_stay_open_under_a_thick_pen():
    crowded = line(*[[0.25 * k, 10 * (k % 2)] for k in range(40)])
    thick = picture(crowded, config=replace(PLAIN, pen_px=(2.8, 2.8)))
    assert (thick < DARK).mean() > 0.3


def test_one_seed_makes_one_picture_and_another_seed_another():
    word = demo_words(1)[0]
    first, again, other = (picture(*word, config=VARIED, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)
    np.testing.assert_array_equal(picture(*word, seed=1), picture(*word, seed=2))


def test_every_variation_changes_the_picture_of_a_word():
    """Against the plain picture; each alone at a strength that a person would see."""
    word = demo_words(3)[1]
    ways = {
        "margin_px": (4.0, 4.0),
        "pen_px": (1.2, 1.2),
        "density": (0.6, 0.6),
        "pressure": 0.3,
        "slant": 0.3,
        "turn_deg": 5.0,
        "aspect": (1.2, 1.2),
        "wave": 0.2,
        "blur_px": (0.7, 0.7),
        "paper": 0.3,
        "noise": (0.1, 0.1),
        "ruled": 1.0,
    }
    assert set(ways) == set(RenderConfig.__dataclass_fields__) - {"height", "widest"}
    plain = picture(*word)
    for name, value in ways.items():
        varied = picture(*word, config=replace(PLAIN, **{name: value}))
        same = varied.shape == plain.shape and np.abs(varied.astype(int) - plain).max() <= 8
        assert not same, name


def test_varied_words_of_real_people_are_ink_on_paper():
    """Neither empty nor black, no wider than allowed, darker where the word is than at the sheet's edge."""
    rng = np.random.default_rng(4)
    for strokes in demo_words():
        image = render(strokes, VARIED, rng)
        assert image.shape[0] == VARIED.height
        assert NARROWEST_PX <= image.shape[1] <= VARIED.widest
        assert 0.005 < (image > DARK - 28).mean() < 0.6
        assert np.percentile(image, 98) > image[:, 0].mean() + 40


def test_a_slant_leans_to_the_right_above():
    look = replace(draw_look(PLAIN, np.random.default_rng(0)), linear=np.array([[1.0, 0.3], [0.0, 1.0]]))
    assert (look.linear @ [0.0, 1.0])[0] > 0
    leaning = replace(VARIED.plain(), slant=0.3)
    tops, foots = [], []
    for seed in range(6):
        image = picture(line([0, 0], [0, 10]), config=leaning, seed=seed)
        tops.append(image[4].argmax())
        foots.append(image[-5].argmax())
    assert max(np.array(tops) - foots) > 2
    assert min(np.array(tops) - foots) < -2


def test_paper_takes_ink_and_a_printed_line_and_keeps_its_shade():
    look = Look(2.0, 1.8, 1.0, 0.0, np.eye(2), (0.0, 2.0, 0.0), 0.0, (0.2, 0.0, 0.0), 0.0, (0.5, 0.4))
    ink = np.zeros((32, 40), dtype=np.float32)
    ink[10, 10] = 1.0
    seen = on_paper(ink, look, np.random.default_rng(0)) / 255
    assert seen[10, 10] == pytest.approx(1.0)
    assert seen[15, 30] == pytest.approx(0.6, abs=0.01)
    assert seen[25, 30] == pytest.approx(0.2, abs=0.01)


def test_a_word_without_ink_and_impossible_pictures_are_refused():
    with pytest.raises(BadInputError, match="without ink"):
        picture()
    with pytest.raises(BadInputError, match="without ink"):
        picture(np.zeros((0, 2)))
    with pytest.raises(BadInputError, match="4 by at most 256 px"):
        RenderConfig(height=4)
    with pytest.raises(BadInputError, match="blur_px"):
        RenderConfig(blur_px=(0.0, 2.0))
