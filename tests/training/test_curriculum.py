import pytest

from models.training.curriculum import NO_LIMIT, LengthSchedule
from penapp.errors import BadInputError


def test_the_limit_grows_in_a_straight_line_and_then_falls_away():
    schedule = LengthSchedule(3, 11, 0.4)
    at = [schedule.longest_allowed(p) for p in (0.0, 0.1, 0.2, 0.3, 0.3999, 0.4, 1.0)]
    assert at == [3, 5, 7, 9, 10, NO_LIMIT, NO_LIMIT]


def test_the_limit_never_falls():
    schedule = LengthSchedule(2, 20, 0.7)
    limits = [schedule.longest_allowed(step / 1000) for step in range(1001)]
    assert limits == sorted(limits)
    assert set(limits) == {*range(2, 20), NO_LIMIT}


def test_equal_letters_are_the_opening_phase_of_short_words():
    """As `optim.short_first` has it: at most 5 letters while step < share * steps."""
    steps, share = 2000, 0.05
    for step in range(0, steps, 8):
        limit = LengthSchedule(5, 5, share).longest_allowed(step / steps)
        assert (limit == 5) == (step < share * steps)


def test_a_share_of_nothing_is_no_curriculum():
    assert LengthSchedule(3, 9, 0.0).longest_allowed(0.0) == NO_LIMIT


def test_a_corpus_without_words_that_short_still_has_some_that_are_allowed():
    assert LengthSchedule(3, 9, 0.5).longest_allowed(0.0, shortest=6) == 6
    assert LengthSchedule(3, 9, 0.5).longest_allowed(0.4, shortest=6) == 7


@pytest.mark.parametrize("wrong", [(0, 5, 0.1), (6, 5, 0.1), (3, 5, 1.5), (3, 5, -0.1)])
def test_a_schedule_that_shrinks_or_leaves_the_run_is_refused(wrong):
    with pytest.raises(BadInputError, match="expected 1 <= first <= last"):
        LengthSchedule(*wrong)
