"""Spans of zones: what they hear, how well they were covered, and what clocks do to them."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.contracts import LossRow, check_row, decode_row, encode, instant, instant_us
from edge.outbox.port import MAX_ROW_BYTES
from edge.presence import Antenna, Place, decode_told
from edge.presence.cover import LOOK_LONGEST_US
from edge.presence.presence import GRACE_US, MOST_WAITING
from tests.helpers.counted import NOON_US, RACK, SECOND_US, SHELF, counted, hear, look, pass_time, reader

A, B = bytes.fromhex("3034257bf7194e4000000001"), bytes.fromhex("3034257bf7194e4000000002")
SPAN_US = 60 * SECOND_US


def row_of(rows, zone="shelf"):
    (row,) = [one for one in rows if one.zone == zone]
    return row


def one_span(presence, rows=(), *, readers=(), begin_us=NOON_US, **how):
    """Let one span of a minute pass with some reads in its middle; return its rows."""
    got = pass_time(presence, begin_us, begin_us + SPAN_US // 2, *readers, **how)
    hear(presence, rows, arrival_us=begin_us + SPAN_US // 2)
    return got + pass_time(
        presence, begin_us + SPAN_US // 2, begin_us + SPAN_US + GRACE_US + SECOND_US, *readers, **how
    )


def test_a_span_tells_who_was_heard_where_how_well_and_how_long_antennas_listened():
    at_us = NOON_US + 20 * SECOND_US
    rows = one_span(counted(span_s=60), [(A, 1, -5000, at_us, 2), (B, 2, -6000, at_us + 5, 1), (A, 2, -4900, at_us, 1)])
    shelf, rack = row_of(rows), row_of(rows, "rack")
    for row in rows:
        check_row(row)
    assert [instant_us(edge) for edge in shelf.span] == [NOON_US, NOON_US + SPAN_US]
    assert [(one.epc, one.reads, one.best_rssi_cdbm, instant_us(one.last_at)) for one in shelf.tags] == [
        (A.hex(), 3, -4900, at_us),
        (B.hex(), 1, -6000, at_us + 5),
    ]
    assert [(one.reader, one.port, one.up_s, one.rounds, one.reads) for one in shelf.antennas] == [
        ("r1", 1, 60.0, 60, 2),
        ("r1", 2, 60.0, 60, 2),
    ]
    assert (shelf.mode, shelf.part, shelf.complete) == ("zone", [1, 1], True)
    assert (rack.tags, rack.complete) == ([], True)


@settings(max_examples=50)
@given(st.data())
def test_rows_do_not_depend_on_how_reads_were_cut_into_batches(data):
    tags = [bytes([0x30, number]) for number in range(8)]
    reads = data.draw(
        st.lists(
            st.tuples(st.sampled_from(tags), st.integers(1, 3), st.integers(-8000, -3000), st.integers(-5, 90)),
            max_size=40,
        )
    )
    rows = [(epc, port, level, NOON_US + at_s * SECOND_US, 1) for epc, port, level, at_s in reads]
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=5))
    edges = [0, *sorted(cuts), len(rows)]
    whole, cut = counted(span_s=60), counted(span_s=60)
    for presence in (whole, cut):
        pass_time(presence, NOON_US, NOON_US + SPAN_US + SECOND_US, step_us=5 * SECOND_US)
        look(presence, NOON_US + SPAN_US + SECOND_US)
    hear(whole, rows, arrival_us=NOON_US + SPAN_US + SECOND_US)
    for begin, end in pairwise(edges):
        hear(cut, rows[begin:end], arrival_us=NOON_US + SPAN_US + SECOND_US)
    until_us = NOON_US + 2 * SPAN_US + 2 * GRACE_US
    one, other = (
        pass_time(each, NOON_US + SPAN_US + SECOND_US, until_us, step_us=5 * SECOND_US) for each in (whole, cut)
    )
    assert one == other
    assert whole.counters == cut.counters
    told = sum(tag.reads for row in one for tag in row.tags)
    assert told + whole.counters.late == sum(port < 3 for _, port, _, _, _ in rows)


def test_many_reads_between_two_looks_are_summed_before_and_find_their_span():
    presence = counted(span_s=60)
    look(presence, NOON_US)
    rows = [(A, 1, -5000, NOON_US + at, 1) for at in range(MOST_WAITING + 5)]
    hear(presence, rows, arrival_us=NOON_US + SECOND_US)
    (row,) = [one for one in pass_time(presence, NOON_US, NOON_US + SPAN_US + GRACE_US + SECOND_US) if one.tags]
    assert row.tags[0].reads == len(rows)


def test_spans_follow_each_other_at_multiples_of_their_length_and_begin_with_the_agent():
    begin_us = NOON_US + 17 * SECOND_US
    rows = pass_time(counted(SHELF, span_s=60), begin_us, begin_us + 3 * SPAN_US)
    edges = [[instant_us(edge) for edge in row.span] for row in rows]
    assert edges == [
        [begin_us, NOON_US + SPAN_US],
        [NOON_US + SPAN_US, NOON_US + 2 * SPAN_US],
        [NOON_US + 2 * SPAN_US, NOON_US + 3 * SPAN_US],
    ]
    assert all(row.complete for row in rows)


def test_reads_on_their_way_at_the_end_still_count_and_later_ones_are_counted_as_late():
    presence = counted(SHELF, span_s=60)
    end_us = NOON_US + SPAN_US
    pass_time(presence, NOON_US, end_us + SECOND_US)
    hear(presence, [(A, 1, -5000, end_us - 1, 1)], arrival_us=end_us + SECOND_US)
    (row,) = pass_time(presence, end_us + SECOND_US, end_us + GRACE_US + SECOND_US)
    assert [tag.epc for tag in row.tags] == [A.hex()]
    hear(presence, [(B, 1, -5000, end_us - 1, 7)], arrival_us=end_us + GRACE_US + 2 * SECOND_US)
    presence.stop(end_us + GRACE_US + 2 * SECOND_US)
    assert presence.counters.late == 7


def test_a_read_is_as_old_as_its_reader_says_and_never_younger_than_its_arrival():
    presence = counted(SHELF, span_s=60)
    look(presence, NOON_US)
    arrival_us = NOON_US + 10 * SECOND_US
    hear(presence, [(A, 1, -5000, 1_000_000, 1)], arrival_us=arrival_us, offset_us=NOON_US)
    hear(presence, [(B, 1, -5000, arrival_us + 999, 1)], arrival_us=arrival_us)
    hear(presence, [(A, 2, -32768, 77, 1)], arrival_us=arrival_us, source="host")
    (row,) = pass_time(presence, NOON_US + SECOND_US, NOON_US + SPAN_US + GRACE_US)
    assert {tag.epc: instant_us(tag.last_at) for tag in row.tags} == {A.hex(): arrival_us, B.hex(): arrival_us}


def test_a_tag_whose_reader_tells_no_level_has_the_lowest():
    rows = one_span(counted(SHELF, span_s=60), [(A, 1, -32768, NOON_US + SECOND_US, 1)])
    check_row(rows[0])
    assert rows[0].tags[0].best_rssi_cdbm == -32767


def test_a_reader_that_was_away_is_told_with_what_it_listened():
    presence = counted(SHELF, span_s=60)
    pass_time(presence, NOON_US, NOON_US + 20 * SECOND_US)
    lost = reader(state="lost", since_us=NOON_US + 18 * SECOND_US)
    pass_time(presence, NOON_US + 20 * SECOND_US, NOON_US + 40 * SECOND_US, lost)
    back = reader(since_us=NOON_US + 40 * SECOND_US)
    (row,) = pass_time(presence, NOON_US + 40 * SECOND_US, NOON_US + SPAN_US + GRACE_US, back)
    assert [one.up_s for one in row.antennas] == [38.0, 38.0]
    assert not row.complete


def test_an_antenna_at_fault_listened_until_its_last_proof_of_life():
    presence = counted(SHELF, span_s=60)
    pass_time(presence, NOON_US, NOON_US + 30 * SECOND_US)
    faulty = reader(faults=[(2, NOON_US + 25 * SECOND_US)])
    (row,) = pass_time(presence, NOON_US + 30 * SECOND_US, NOON_US + SPAN_US + GRACE_US, faulty)
    assert [one.up_s for one in row.antennas] == [60.0, 25.0]
    assert not row.complete


def test_while_a_reader_is_on_an_errand_its_antennas_do_not_listen():
    presence = counted(SHELF, span_s=60)
    pass_time(presence, NOON_US, NOON_US + 30 * SECOND_US)
    away = reader(busy_us=NOON_US + 30 * SECOND_US)
    pass_time(presence, NOON_US + 30 * SECOND_US, NOON_US + 40 * SECOND_US, away)
    (row,) = pass_time(presence, NOON_US + 40 * SECOND_US, NOON_US + SPAN_US + GRACE_US)
    assert abs(row.antennas[0].up_s - 50.0) < 1.0
    assert not row.complete


def test_where_tags_at_rest_are_kept_quiet_no_round_is_counted_and_silence_is_not_claimed():
    (row,) = one_span(counted(SHELF, span_s=60), asks_all={"r1": False})
    assert [(one.up_s, one.rounds) for one in row.antennas] == [(60.0, 0), (60.0, 0)]
    assert not row.complete
    presence = counted(SHELF, span_s=60)
    rows = pass_time(presence, NOON_US, NOON_US + 13 * SECOND_US)
    rows += pass_time(presence, NOON_US + 13 * SECOND_US, NOON_US + SPAN_US + GRACE_US, asks_all={"r1": False})
    assert (rows[0].antennas[0].rounds, rows[0].complete) == (13, True)


def test_what_a_reader_lost_makes_its_places_incomplete():
    presence = counted(span_s=60)
    look(presence, NOON_US)
    at = instant(NOON_US + 3 * SECOND_US)
    presence.lost(LossRow(seq=0, reader="r1", reason="reader_buffer_overflow", from_=at, to=at))
    rows = pass_time(presence, NOON_US, NOON_US + SPAN_US + GRACE_US)
    assert {row.zone: row.complete for row in rows} == {"shelf": False, "rack": True}


def test_nothing_is_told_of_a_place_that_nobody_listened_to():
    rows = one_span(counted(span_s=60), readers=(reader("r1"),))
    assert [row.zone for row in rows] == ["shelf"]


def test_a_stall_of_the_agent_is_no_listening():
    presence = counted(SHELF, span_s=900)
    pass_time(presence, NOON_US, NOON_US + 10 * SECOND_US)
    later_us = NOON_US + 10 * SECOND_US + 10 * LOOK_LONGEST_US
    look(presence, later_us)
    news = presence.stop(later_us + SECOND_US)
    assert (news.rows[0].antennas[0].up_s, news.rows[0].complete) == (10.0, False)


def test_at_a_stop_the_span_ends_and_is_told():
    presence = counted(SHELF, span_s=900)
    pass_time(presence, NOON_US, NOON_US + 30 * SECOND_US)
    news = presence.stop(NOON_US + 30 * SECOND_US)
    (row,) = news.rows
    assert [instant_us(edge) for edge in row.span] == [NOON_US, NOON_US + 30 * SECOND_US]
    assert row.complete
    again = counted(SHELF, span_s=900, told=decode_told(news.note))
    (row,) = pass_time(again, NOON_US + 20 * SECOND_US, NOON_US + 900 * SECOND_US + GRACE_US)
    assert instant_us(row.span[0]) == NOON_US + 30 * SECOND_US


def test_foreign_tags_are_counted_and_never_told():
    presence = counted(SHELF, span_s=60, foreign=lambda epc: epc == B)
    (row,) = one_span(presence, [(A, 1, -5000, NOON_US + SECOND_US, 1), (B, 1, -5000, NOON_US + SECOND_US, 4)])
    assert [tag.epc for tag in row.tags] == [A.hex()]
    assert presence.counters.foreign == 4
    assert row.antennas[0].reads == 5


def test_a_tag_that_a_snapshot_shows_to_be_foreign_before_the_span_ends_is_not_told():
    known = []
    presence = counted(SHELF, span_s=60, foreign=lambda epc: epc in known)
    pass_time(presence, NOON_US, NOON_US + SECOND_US)
    summed_at_once = [(B, 1, -5000, NOON_US + SECOND_US, 1)] * MOST_WAITING
    hear(presence, summed_at_once, arrival_us=NOON_US + SECOND_US)
    pass_time(presence, NOON_US + SECOND_US, NOON_US + 2 * SECOND_US)
    known.append(B)
    (row,) = pass_time(presence, NOON_US + 2 * SECOND_US, NOON_US + SPAN_US + GRACE_US)
    assert row.tags == []


def test_many_tags_go_in_parts_that_fit_an_envelope_and_too_many_make_it_incomplete():
    epcs = [bytes([0x30, *number.to_bytes(2, "big"), *bytes(59)]) for number in range(1000)]
    antennas = tuple(Antenna("r" * 40, port) for port in range(1, 65))
    presence = counted(Place("z" * 40, "zone", antennas), span_s=60, max_tags=950)
    where = {"readers": (reader("r" * 40),)}
    rows = [(epc, 1, -32000, NOON_US + SECOND_US, 60_000) for epc in epcs]
    pass_time(presence, NOON_US, NOON_US + SECOND_US, *where["readers"])
    hear(presence, rows, name="r" * 40, arrival_us=NOON_US + SECOND_US)
    told = pass_time(presence, NOON_US + SECOND_US, NOON_US + SPAN_US + GRACE_US, *where["readers"])
    assert [row.part for row in told] == [[1, 3], [2, 3], [3, 3]]
    assert [len(row.tags) for row in told] == [400, 400, 150]
    assert not any(row.complete for row in told)
    assert presence.counters.shed == 50 * 60_000
    for row in told:
        check_row(row)
        assert len(encode(row)) < MAX_ROW_BYTES
        numbered = replace(row, seq=1)
        assert decode_row(encode(numbered)) == numbered


def test_nothing_is_told_while_the_clock_is_not_set():
    presence = counted(SHELF, span_s=60)
    assert pass_time(presence, NOON_US, NOON_US + 3 * SPAN_US, synced=False) == []
    rows = pass_time(presence, NOON_US + 3 * SPAN_US, NOON_US + 4 * SPAN_US + GRACE_US)
    assert [instant_us(row.span[0]) for row in rows] == [NOON_US + 3 * SPAN_US]


def test_a_clock_set_ahead_leaves_a_hole_and_one_set_back_waits():
    presence = counted(SHELF, span_s=60)
    pass_time(presence, NOON_US, NOON_US + 10 * SECOND_US)
    ahead_us = NOON_US + 100 * SPAN_US
    rows = pass_time(presence, ahead_us, ahead_us + 10 * SECOND_US)
    assert [row.complete for row in rows] == [False]
    back_us = NOON_US + SPAN_US
    rows += pass_time(presence, back_us, back_us + SPAN_US)
    assert presence.counters.clock_steps == 1
    spans = [[instant_us(edge) for edge in row.span] for row in rows]
    assert spans[0] == [NOON_US, NOON_US + SPAN_US]
    assert spans[1][0] == ahead_us


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("pass"), st.integers(1, 40)),
            st.tuples(st.just("step"), st.integers(-400, 400)),
            st.tuples(st.just("stop"), st.just(0)),
            st.tuples(st.just("kill"), st.just(0)),
        ),
        max_size=12,
    )
)
def test_no_two_spans_of_a_zone_overlap_whatever_clocks_and_agents_do(acts):
    """Steps both ways, orderly stops, and kills that lose what wasn't told; the note of what was is kept with rows."""
    presence, now_us, note, there = counted(SHELF, span_s=60), NOON_US, None, (reader(),)
    rows = []

    def keep(news):
        nonlocal note
        if news is not None:
            rows.extend(news.rows)
            note = news.note

    for act, number in acts:
        if act == "pass":
            for _ in range(number):
                now_us += 5 * SECOND_US
                keep(presence.look(now_us, there, {}))
        elif act == "step":
            now_us += number * SECOND_US
        else:
            if act == "stop":
                keep(presence.stop(now_us))
            presence = counted(SHELF, span_s=60, told=None if note is None else decode_told(note))
    keep(presence.stop(now_us))
    spans = sorted([instant_us(edge) for edge in row.span] for row in rows)
    assert all(begin < end for begin, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    for row in rows:
        check_row(row)
        assert all(one.up_s <= (instant_us(row.span[1]) - instant_us(row.span[0])) / SECOND_US for one in row.antennas)


def test_readers_of_other_places_do_not_mix():
    presence = counted(SHELF, RACK, span_s=60)
    pass_time(presence, NOON_US, NOON_US + SECOND_US)
    hear(presence, [(A, 1, -5000, NOON_US, 1), (A, 9, -5000, NOON_US, 1)], name="r2", arrival_us=NOON_US + SECOND_US)
    hear(presence, [(A, 1, -5000, NOON_US, 1)], name="r3", arrival_us=NOON_US + SECOND_US)
    rows = pass_time(presence, NOON_US + SECOND_US, NOON_US + SPAN_US + GRACE_US)
    assert {row.zone: len(row.tags) for row in rows} == {"shelf": 0, "rack": 1}
