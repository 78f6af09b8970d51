"""Sweeps: when they are due, when doorways are quiet, and what is told of them."""

from hypothesis import given
from hypothesis import strategies as st

from edge.contracts import SensorRow, check_row, instant, instant_us
from edge.presence import Antenna, DoorSensor, Place, Quiet, decode_told, is_due
from tests.helpers.counted import NOON_US, SECOND_US, SHELF, counted, hear, look, pass_time

MINUTE_US, DAY_US = 60 * SECOND_US, 86_400 * SECOND_US
MIDNIGHT_US = NOON_US - NOON_US % DAY_US
ROOM = Place("room", "sweep", (Antenna("r1", 1), Antenna("r1", 2)))
A, B = b"\x30\x01", b"\x30\x02"


def test_a_sweep_is_due_once_a_day_at_its_times():
    eight_us = MIDNIGHT_US + 20 * 60 * MINUTE_US
    assert not is_due([1200], 0, eight_us - 2, eight_us - 1)
    assert is_due([1200], 0, eight_us - 1, eight_us)
    assert not is_due([1200], 0, eight_us, eight_us + 1)
    assert is_due([0], 0, MIDNIGHT_US - 1, MIDNIGHT_US + 1)
    assert not is_due([], 0, MIDNIGHT_US - 1, MIDNIGHT_US + DAY_US)


@given(st.integers(1, 1440), st.integers(0, 3 * 1440), st.integers(0, 3 * 1440))
def test_a_sweep_by_interval_is_due_at_its_multiples_from_midnight_on(every_min, before_min, later_min):
    before_us, now_us = MIDNIGHT_US + before_min * MINUTE_US, MIDNIGHT_US + (before_min + later_min) * MINUTE_US
    wanted = any(minute % 1440 % every_min == 0 for minute in range(before_min + 1, before_min + later_min + 1))
    assert is_due([], every_min, before_us, now_us) == wanted
    assert not is_due([], every_min, now_us, before_us)


def sensor(gpi, *, high):
    return SensorRow(seq=0, reader="b1", gpi=gpi, kind="door", state=high, at=instant(0))


def doorways():
    door, beam = DoorSensor("door", "door", active_high=True), DoorSensor("door", "beam", active_high=False)
    return Quiet({("b1", 1): door, ("b1", 2): beam}, now_us=NOON_US)


def test_a_doorway_is_quiet_when_it_has_been_for_long_enough():
    quiet = doorways()
    assert not quiet.is_quiet({"door"}, 10, NOON_US + 9)
    assert quiet.is_quiet({"door"}, 10, NOON_US + 10)
    assert quiet.is_quiet(set(), 10, NOON_US)


def test_an_open_door_a_broken_beam_and_an_open_passage_are_no_quiet_and_their_end_begins_it():
    def sensed(gpi, *, high, at_us):
        return lambda one: one.sense(sensor(gpi, high=high), NOON_US + at_us)

    for stir, calm in (
        (sensed(1, high=True, at_us=100), sensed(1, high=False, at_us=200)),
        (sensed(2, high=False, at_us=100), sensed(2, high=True, at_us=200)),
        (
            lambda one: one.passages([("p", "door")], [], NOON_US + 100),
            lambda one: one.passages([], ["p", "other"], NOON_US + 200),
        ),
    ):
        quiet = doorways()
        assert stir(quiet) in ("door", {"door"})
        assert not quiet.is_quiet({"door"}, 10, NOON_US + 199)
        assert quiet.is_quiet({"elsewhere"}, 10, NOON_US + 199)
        assert not calm(quiet)
        assert not quiet.is_quiet({"door"}, 10, NOON_US + 209)
        assert quiet.is_quiet({"door"}, 10, NOON_US + 210)


def test_inputs_of_no_doorway_and_a_clock_set_back_hold_nothing_up():
    quiet = doorways()
    assert quiet.sense(sensor(7, high=True), NOON_US + 100) is None
    quiet.passages([("p", "door")], ["p"], NOON_US + DAY_US)
    assert quiet.is_quiet({"door"}, 10, NOON_US + 100)


def test_a_sweep_tells_whom_it_heard_how_often_its_antennas_were_started_and_for_how_long():
    presence = counted(SHELF, span_s=900)
    pass_time(presence, NOON_US, NOON_US + SECOND_US)
    assert presence.begin_sweep(ROOM, NOON_US + SECOND_US)
    assert not presence.begin_sweep(ROOM, NOON_US + 2 * SECOND_US), "it goes on"
    hear(presence, [(A, 1, -5000, NOON_US + 2 * SECOND_US, 1)], arrival_us=NOON_US + 2 * SECOND_US)
    presence.swept("room", NOON_US + SECOND_US, NOON_US + 4 * SECOND_US)
    presence.swept("room", NOON_US + 6 * SECOND_US, NOON_US + 8 * SECOND_US)
    hear(presence, [(B, 2, -5000, NOON_US + 9 * SECOND_US, 1)], arrival_us=NOON_US + 9 * SECOND_US)
    (row,) = presence.end_sweep("room", NOON_US + 8 * SECOND_US, complete=True).rows
    check_row(row)
    assert (row.zone, row.mode, row.complete) == ("room", "sweep", True)
    assert [instant_us(edge) for edge in row.span] == [NOON_US + SECOND_US, NOON_US + 8 * SECOND_US]
    assert [tag.epc for tag in row.tags] == [A.hex()]
    assert [(one.up_s, one.rounds, one.reads) for one in row.antennas] == [(5.0, 2, 1), (5.0, 2, 0)]
    assert presence.counters.late == 0


def test_a_sweep_that_never_ran_tells_nothing_and_one_cut_off_by_a_stop_is_incomplete():
    presence = counted(SHELF, span_s=900)
    look(presence, NOON_US)
    assert presence.begin_sweep(ROOM, NOON_US)
    assert presence.end_sweep("room", NOON_US + SECOND_US, complete=False) is None
    assert presence.end_sweep("room", NOON_US + SECOND_US, complete=True) is None
    assert presence.begin_sweep(ROOM, NOON_US)
    presence.swept("room", NOON_US, NOON_US + SECOND_US)
    news = presence.stop(NOON_US + 2 * SECOND_US)
    (row,) = [one for one in news.rows if one.mode == "sweep"]
    assert not row.complete


def test_time_that_was_swept_is_not_swept_twice_though_a_clock_was_set_back():
    presence = counted(SHELF, span_s=900)
    assert presence.begin_sweep(ROOM, NOON_US)
    presence.swept("room", NOON_US, NOON_US + 10 * SECOND_US)
    news = presence.end_sweep("room", NOON_US + 10 * SECOND_US, complete=True)
    again = counted(SHELF, span_s=900, told=decode_told(news.note))
    assert not again.begin_sweep(ROOM, NOON_US + 5 * SECOND_US)
    assert again.begin_sweep(ROOM, NOON_US - 5 * SECOND_US)
    again.swept("room", NOON_US - 5 * SECOND_US, NOON_US + 2 * SECOND_US)
    (row,) = again.end_sweep("room", NOON_US + 2 * SECOND_US, complete=True).rows
    assert [instant_us(edge) for edge in row.span] == [NOON_US - 5 * SECOND_US, NOON_US]
    assert not row.complete


def test_a_sweep_that_paused_is_told_in_stretches_which_are_complete_together():
    presence = counted(SHELF, span_s=900)
    at = [NOON_US + second * SECOND_US for second in range(200)]
    assert not presence.resume_sweep("room", at[0])
    presence.begin_sweep(ROOM, at[0])
    presence.swept("room", at[0], at[2])
    presence.pause_sweep("room", at[2])
    for second, epc in ((1, A), (5, b"\x30\x09"), (31, B)):
        hear(presence, [(epc, 1, -5000, at[second], 1)], arrival_us=at[second])
    assert presence.resume_sweep("room", at[30])
    presence.swept("room", at[30], at[33])
    rows = presence.end_sweep("room", at[33], complete=True).rows
    assert [[instant_us(edge) for edge in row.span] for row in rows] == [[at[0], at[2]], [at[30], at[33]]]
    assert [[tag.epc for tag in row.tags] for row in rows] == [[A.hex()], [B.hex()]]
    assert [(row.antennas[0].up_s, row.antennas[0].rounds, row.complete) for row in rows] == [
        (2, 1, True),
        (3, 1, True),
    ]
    presence.begin_sweep(ROOM, at[40])
    presence.swept("room", at[40], at[41])
    presence.pause_sweep("room", at[41])
    assert not presence.resume_sweep("room", at[199]), "too long ago for one count"


def test_many_tags_of_a_sweep_go_in_parts_and_one_without_room_makes_it_incomplete():
    presence = counted(SHELF, span_s=900, max_tags=500)
    presence.begin_sweep(ROOM, NOON_US)
    rows = [(b"\x30" + number.to_bytes(2, "big"), 1, -5000, NOON_US + 1, 1) for number in range(600)]
    hear(presence, rows, arrival_us=NOON_US + 1)
    presence.swept("room", NOON_US, NOON_US + SECOND_US)
    told = presence.end_sweep("room", NOON_US + SECOND_US, complete=True).rows
    assert [(row.part, len(row.tags), row.complete) for row in told] == [([1, 2], 400, False), ([2, 2], 100, False)]
