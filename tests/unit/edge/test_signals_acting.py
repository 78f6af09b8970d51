"""What lights and sirens are at an instant: bounded whatever is called, and quiet where they are to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.signals import Alarm, Alive, Phase, QuietHours, SignalsError
from edge.signals.acting import MOST_TIMES
from edge.signals.lost import GONE_US, START_US, LostReaders
from tests.helpers.signals import reader

S = 1_000_000


def test_a_call_is_on_for_its_seconds_and_another_one_lengthens_it():
    alarm = Alarm("steady", 10)
    assert not alarm.phase(5 * S).on
    alarm.call(5 * S)
    assert alarm.phase(5 * S) == Phase(on=True, until_us=15 * S)
    alarm.call(12 * S)
    assert alarm.phase(14 * S) == Phase(on=True, until_us=22 * S)
    assert not alarm.phase(22 * S).on


@given(
    st.floats(0.5, 180), st.lists(st.integers(0, 5 * S), min_size=1, max_size=60), st.sampled_from(["steady", "blink"])
)
def test_nothing_is_on_for_longer_than_three_times_its_seconds_at_a_stretch(seconds, waits, pattern):
    """However often is called: walk from phase to phase and measure each stretch without a whole pause."""
    alarm, now_us, begun_us = Alarm(pattern, seconds), 0, None
    limit_us = MOST_TIMES * round(seconds * 1e6)
    for wait_us in waits:
        now_us += wait_us
        if begun_us is not None and now_us >= begun_us + limit_us:
            assert not alarm.phase(begun_us + limit_us).on
            begun_us = None
        if alarm.phase(now_us).until_us is None:
            begun_us = now_us
        alarm.call(now_us)
        assert alarm.phase(now_us).until_us <= (now_us if begun_us is None else begun_us) + limit_us
    assert not alarm.phase(now_us + limit_us).on


@given(st.integers(0, 30 * S))
def test_a_blinking_light_is_on_half_of_the_time_and_ends_in_time(at_us):
    alarm = Alarm("blink", 10)
    alarm.call(0)
    phase = alarm.phase(at_us)
    assert phase.on == (at_us < 10 * S and at_us % S < S // 2)
    assert phase.until_us is None or at_us < phase.until_us <= 10 * S


def test_what_was_hushed_stays_silent_until_it_is_called_anew():
    alarm = Alarm("steady", 10)
    alarm.call(0)
    alarm.hush(2 * S)
    assert not alarm.phase(2 * S).on
    alarm.hush(9 * S)
    alarm.call(20 * S)
    assert alarm.phase(20 * S).on


def test_a_lamp_is_steady_for_watched_blinks_for_half_blind_and_is_dark_for_broken():
    lamp = Alive()
    assert not lamp.phase(0).on
    assert lamp.look("watching", 0)
    assert lamp.phase(77 * S).on
    assert not lamp.look("watching", S)
    lamp.look("partial", 100 * S)
    assert [lamp.phase(100 * S + half * S // 2).on for half in range(8)] == [True, True, False, False] * 2
    lamp.look("dark", 200 * S)
    assert not lamp.phase(200 * S).on


@pytest.mark.parametrize(
    ("text", "quiet", "loud"),
    [
        ("22:00-06:00", (22 * 60, 23 * 60 + 59, 0, 359), (360, 12 * 60, 21 * 60 + 59)),
        ("12:30-13:00", (750, 779), (749, 780)),
    ],
)
def test_quiet_hours_may_go_past_midnight_and_end_on_the_minute(text, quiet, loud):
    span = QuietHours.parse(text)
    assert all(span.holds(minute) for minute in quiet)
    assert not any(span.holds(minute) for minute in loud)


@pytest.mark.parametrize("text", ["", "22-06", "24:00-06:00", "22:00 - 06:00", "08:00-08:00", "22:60-06:00"])
def test_hours_that_are_none_are_refused_in_words(text):
    with pytest.raises(SignalsError, match=r"22:00-06:00|left out"):
        QuietHours.parse(text)


def test_a_reader_is_lost_once_after_a_while_and_again_only_when_it_was_back():
    lost = LostReaders()
    assert not lost.look([reader("r1")], 0)
    assert not lost.look([reader("r1", "lost")], S)
    assert lost.look([reader("r1", "lost")], S + GONE_US) == {"r1"}
    assert not lost.look([reader("r1", "lost")], 60 * S)
    lost.look([reader("r1")], 61 * S)
    lost.look([reader("r1", "lost")], 62 * S)
    assert not lost.look([reader("r1")], 63 * S), "a hiccup"
    lost.look([reader("r1", "lost")], 64 * S)
    assert lost.look([reader("r1", "lost")], 64 * S + GONE_US) == {"r1"}


def test_a_reader_that_still_boots_is_waited_for():
    lost = LostReaders()
    lost.look([reader("r1", "lost")], 0)
    assert not lost.look([reader("r1", "connecting")], START_US - 1)
    assert lost.look([reader("r1", "lost")], START_US) == {"r1"}
