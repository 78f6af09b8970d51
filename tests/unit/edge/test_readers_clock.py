"""The offset between a reader's clock and the host's."""

from hypothesis import given
from hypothesis import strategies as st

from edge.readers.clock import STEP_US, ClockFilter

S = 1_000_000
START_US = 1_700_000_000 * S
YEAR_2000_US = 946_704_236_596_234


def feed(clock, offset_us, delays_us, *, start_us=START_US, step_us=S // 4):
    """Feed reports of a reader whose clock is `offset_us` behind the host's; return the last state."""
    state = clock.state()
    for index, delay_us in enumerate(delays_us):
        reader_us = start_us + index * step_us
        state = clock.observe(reader_us + offset_us + delay_us, utc_us=reader_us, uptime_us=None)
    return state


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 900_000), min_size=20, max_size=100))
def test_offset_is_the_true_one_plus_the_least_delay(offset_us, delays_us):
    state = feed(ClockFilter(), offset_us, delays_us)
    assert state.source == "reader"
    assert state.offset_us - offset_us == min(delays_us)
    assert 0 <= state.spread_us <= max(delays_us)
    assert not state.stepped


def test_first_sample_says_that_it_knows_little():
    assert feed(ClockFilter(), 0, [10]).spread_us == 500_000
    assert feed(ClockFilter(), 0, [10] * 40).spread_us == 0


def test_reader_without_times_is_on_host_time():
    clock = ClockFilter()
    state = clock.observe(START_US, utc_us=None, uptime_us=None)
    assert (state.source, state.offset_us, state.stepped) == ("host", 0, False)


def test_reader_that_knows_only_its_uptime_is_mapped_by_it():
    state = ClockFilter().observe(START_US, utc_us=None, uptime_us=5 * S)
    assert (state.source, state.offset_us) == ("uptime", START_US - 5 * S)


def test_utc_wins_over_uptime_for_good():
    clock = ClockFilter()
    clock.observe(START_US, utc_us=None, uptime_us=5 * S)
    clock.observe(START_US + S, utc_us=START_US, uptime_us=6 * S)
    state = clock.observe(START_US + 2 * S, utc_us=None, uptime_us=7 * S)
    assert (state.source, state.offset_us) == ("reader", S)


def test_reader_at_the_year_2000_has_a_large_but_steady_offset():
    state = feed(ClockFilter(), START_US - YEAR_2000_US, [500, 200, 900], start_us=YEAR_2000_US)
    assert state.offset_us == START_US - YEAR_2000_US + 200
    assert not state.stepped


def test_queued_reports_after_the_greeting_change_nothing():
    """Minutes-old reports that the reader had queued are late, not a step."""
    clock = ClockFilter()
    clock.greet(START_US + 100, utc_us=START_US, uptime_us=None)
    for age_s in range(300, 0, -10):
        state = clock.observe(START_US + 5000, utc_us=START_US - age_s * S, uptime_us=None)
        assert (state.offset_us, state.stepped) == (100, False)


def test_a_queue_of_another_clock_than_the_greetings_makes_no_step():
    """The greeting told the uptime, the reports tell UTC: what waited comes in with times far ahead of the arrivals."""
    clock = ClockFilter()
    clock.greet(START_US, utc_us=None, uptime_us=5 * S)
    for number in range(120):
        state = clock.observe(START_US + number * 5000, utc_us=START_US - (600 - 5 * number) * S, uptime_us=None)
        assert not state.stepped
    assert state.offset_us == 119 * 5000 + 5 * S
    assert state.spread_us >= 500 * S, "what was learnt just now may not be the last word"


@given(st.floats(1.5, 50), st.lists(st.integers(40_000, 150_000), min_size=30, max_size=200))
def test_a_clock_that_is_far_too_fast_makes_no_steps(speed, spans_us):
    """Reports come without a pause; what is ahead goes on as it began."""
    clock, host_us = ClockFilter(), START_US
    clock.greet(host_us, utc_us=host_us, uptime_us=None)
    for span_us in [40_000, *spans_us]:
        host_us += span_us
        state = clock.observe(host_us, utc_us=START_US + round((host_us - START_US) * speed), uptime_us=None)
        assert not state.stepped


def test_a_clock_set_forward_right_after_the_greeting_is_a_step():
    clock = ClockFilter()
    clock.greet(START_US, utc_us=YEAR_2000_US, uptime_us=None)
    feed(clock, START_US - YEAR_2000_US, [900, 100], start_us=YEAR_2000_US)
    state = clock.observe(START_US + S, utc_us=START_US + S - 1000, uptime_us=None)
    assert (state.stepped, state.offset_us) == (True, 1000)


def test_clock_set_back_is_a_step_and_is_followed():
    clock = ClockFilter()
    feed(clock, 0, [100] * 20)
    now_us = START_US + 10 * S
    state = clock.observe(now_us, utc_us=START_US - 3600 * S, uptime_us=None)
    assert (state.stepped, state.offset_us) == (True, now_us - START_US + 3600 * S)
    again = clock.observe(now_us + S, utc_us=START_US - 3599 * S, uptime_us=None)
    assert (again.stepped, again.offset_us) == (False, state.offset_us)


def test_clock_set_forward_is_a_step_and_is_followed():
    clock = ClockFilter()
    feed(clock, 0, [100] * 20)
    now_us = START_US + 10 * S
    state = clock.observe(now_us, utc_us=now_us + 2 * STEP_US, uptime_us=None)
    assert (state.stepped, state.offset_us) == (True, -2 * STEP_US)


def test_recording_of_another_year_replaces_the_greeting():
    """A replayed capture greets with today's time and reports the recorded one."""
    clock = ClockFilter()
    clock.greet(START_US, utc_us=START_US, uptime_us=None)
    state = clock.observe(START_US + S, utc_us=YEAR_2000_US, uptime_us=None)
    assert (state.stepped, state.offset_us) == (True, START_US + S - YEAR_2000_US)


@given(st.floats(-100e-6, 100e-6))
def test_drift_of_a_crystal_is_followed_within_a_minute_of_it(drift):
    clock = ClockFilter()
    for second in range(600):
        reader_us = START_US + second * S
        arrival_us = START_US + round(second * S * (1 + drift)) + 1000
        state = clock.observe(arrival_us, utc_us=reader_us, uptime_us=None)
    assert not state.stepped
    assert abs(state.offset_us - (arrival_us - reader_us)) <= 61 * 100


def test_a_sample_from_before_a_long_silence_gives_way_to_a_new_one():
    clock = ClockFilter()
    feed(clock, 0, [100] * 20)
    late_us = START_US + 3600 * S
    assert clock.observe(late_us + 30_000, utc_us=late_us, uptime_us=None).offset_us == 30_000
