"""Rounds and the coverage ledger: any order and cutting of spans ends alike, and no coverage is never a count."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from central.domain.presence.coverage import Coverage, Doors, Sighting, at, ledger, share
from central.domain.presence.fold import Place, fold
from central.domain.presence.spans import Heard, Span, rounds
from tests.helpers.shelves import stays, tag

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)


def minute(number):
    """Instant so many minutes after T0."""
    return T0 + timedelta(minutes=number)


@st.composite
def listening(draw):
    """Spans of two zones within hours, and sweeps apart from each other; each with tags heard in it."""
    spans = []
    for zone in ("z1", "z2"):
        for hour in draw(st.sets(st.integers(0, 5), max_size=4)):
            start, end = sorted(draw(st.tuples(st.integers(0, 59), st.integers(1, 60)).filter(lambda p: p[0] < p[1])))
            spans.append(_span(draw, zone, "zone", hour * 60 + start, hour * 60 + end))
    sweeps = draw(st.sets(st.integers(0, 5), max_size=3))
    return spans + [_span(draw, "z1", "sweep", sweep * 60 + 10, sweep * 60 + 30) for sweep in sweeps]


def _span(draw, zone, mode, start, end):
    heard = draw(st.dictionaries(st.integers(0, 4), st.integers(start, end - 1), max_size=4))
    up = draw(st.sampled_from([0.0, 0.4, 1.0]))
    tags = tuple(Heard(tag(index), minute(when)) for index, when in heard.items())
    return Span(zone, mode, minute(start), minute(end), up, tags)


def cut(span, edges):
    """The same listening told in pieces, each tag in the one in which it was heard last."""
    times = [
        span.from_at,
        *sorted(minute(edge) for edge in edges if span.from_at < minute(edge) < span.to_at),
        span.to_at,
    ]
    return [
        Span(span.zone, span.mode, start, end, span.up, tuple(one for one in span.heard if start <= one.last_at < end))
        for start, end in pairwise(times)
    ]


def parted(span, parts):
    """The same span in parts, as many tags in each as there are."""
    return [
        Span(span.zone, span.mode, span.from_at, span.to_at, span.up, span.heard[n::parts], n + 1, parts)
        for n in range(parts)
    ]


@given(listening(), st.data())
def test_order_repetition_and_cutting_of_spans_change_no_round(spans, data):
    pieces = []
    for span in spans:
        how = data.draw(st.sampled_from(["whole", "cut", "parts"]))
        if how == "cut":
            pieces += cut(span, data.draw(st.sets(st.integers(0, 359), max_size=4)))
        else:
            pieces += parted(span, data.draw(st.integers(1, 3))) if how == "parts" else [span]
    told = data.draw(st.permutations(pieces + pieces[:3]))
    assert rounds(told) == rounds(spans)


@given(listening(), st.integers(0, 20))
def test_folding_first_the_older_and_then_the_newer_rounds_ends_alike(spans, split):
    book, all_rounds = stays(5, since=T0 - timedelta(days=1)), rounds(spans)
    ends = sorted({one.to_at for one in all_rounds})
    edge = ends[split % len(ends)] if ends else T0
    first = fold(Place(), book, [one for one in all_rounds if one.to_at <= edge])
    assert fold(first, book, [one for one in all_rounds if one.to_at > edge]) == fold(Place(), book, all_rounds)


sightings = st.lists(
    st.tuples(st.integers(0, 100), st.integers(1, 40), st.sampled_from([0.5, 0.85, 0.95])).map(
        lambda one: Sighting(minute(one[0]), minute(one[0] + one[1]), one[2])
    ),
    max_size=6,
)
outages = st.lists(
    st.tuples(st.integers(0, 150), st.integers(0, 40)).map(lambda one: (minute(one[0]), minute(one[0] + one[1]))),
    max_size=4,
)


@given(sightings, outages, st.booleans(), st.data())
@settings(max_examples=200)
def test_order_and_cutting_of_sightings_and_outages_change_no_line(seen, dark, closed, data):
    upto = minute(160)
    plain = ledger(seen, Doors(closed, tuple(dark)), upto)
    pieces = []
    for one in seen:
        edge = minute(data.draw(st.integers(0, 140)))
        inside = one.from_at < edge < one.to_at
        pieces += (
            [Sighting(one.from_at, edge, one.probability), Sighting(edge, one.to_at, one.probability)]
            if inside
            else [one]
        )
    again = ledger(data.draw(st.permutations(pieces)), Doors(closed, tuple(data.draw(st.permutations(dark)))), upto)
    assert again == plain


@given(sightings, outages, st.booleans())
def test_the_ledger_has_no_holes_and_says_of_each_minute_what_the_rule_says(seen, dark, closed):
    """Minute by minute against the sentence of the contract."""
    upto = minute(160)
    lines = ledger(seen, Doors(closed, tuple(dark)), upto)
    good = [one for one in seen if one.probability >= 0.8]
    assert bool(lines) == bool(good)
    for left, right in pairwise(lines):
        assert left.to_at == right.from_at
        assert (left.kind, left.probability) != (right.kind, right.probability)
    for number in range(160):
        middle = minute(number + 0.5)
        past = [one.to_at for one in good if one.to_at <= middle]
        line = at(lines, middle)
        if any(one.from_at < middle < one.to_at for one in good):
            assert line.kind == "sighted"
        elif not past:
            assert line is None
        elif line.kind != "sighted":  # a hole that is short enough is no hole
            trusted = closed and not any(start < middle and end > max(past) for start, end in dark)
            assert line.kind == ("balanced" if trusted else "none")


def test_a_dark_door_ends_the_trust_until_the_next_sighting():
    seen = [Sighting(minute(0), minute(10), 0.9), Sighting(minute(60), minute(70), 0.9)]
    lines = ledger(seen, Doors(closed=True, dark=((minute(20), minute(25)),)), minute(90))
    assert [(line.kind, line.to_at) for line in lines] == [
        ("sighted", minute(10)), ("balanced", minute(20)), ("none", minute(60)),
        ("sighted", minute(70)), ("balanced", minute(90)),
    ]  # fmt: skip
    assert share(lines, minute(0), minute(100), {"sighted", "balanced"}) == 0.5
    assert at(lines, minute(95)) is None


def test_an_open_boundary_is_never_balanced():
    lines = ledger([Sighting(minute(0), minute(10), 0.9)], Doors(closed=False), minute(30))
    assert [line.kind for line in lines] == ["sighted", "none"]


def test_listening_that_would_have_missed_too_many_tags_is_no_sighting():
    assert ledger([Sighting(minute(0), minute(10), 0.79)], Doors(closed=True), minute(30)) == ()


def test_the_first_line_is_the_sighting_itself():
    line = ledger([Sighting(minute(0), minute(10), 0.9)], Doors(closed=True), minute(5))
    assert line == (Coverage(minute(0), minute(5), "sighted", 0.9),)


def test_a_part_that_has_not_come_and_a_sweep_broken_off_prove_no_silence():
    whole = Span("z", "sweep", minute(0), minute(10), 1.0, (Heard(tag(1), minute(3)),))
    assert [one.silence for one in rounds([whole])] == [True]
    assert [one.silence for one in rounds(parted(whole, 2)[:1])] == [False]
    assert [one.silence for one in rounds([Span("z", "sweep", minute(0), minute(10), 1.0, complete=False)])] == [False]


def test_antennas_that_worked_for_less_than_half_the_hour_prove_no_silence():
    assert [one.silence for one in rounds([Span("z", "zone", minute(0), minute(29), 1.0)])] == [False]
    assert [one.silence for one in rounds([Span("z", "zone", minute(0), minute(60), 0.4)])] == [False]
    assert [one.silence for one in rounds([Span("z", "zone", minute(0), minute(31), 1.0)])] == [True]


def test_a_span_of_hours_is_one_chance_and_not_one_an_hour():
    """It tells of a tag only when it was heard last: hours taken for chances would make silences out of nothing."""
    (told,) = rounds([Span("z", "zone", minute(0), minute(180), 1.0, (Heard(tag(1), minute(70)),))])
    assert (told.from_at, told.to_at, told.silence) == (minute(0), minute(180), True)
    assert told.heard == ((tag(1), minute(70)),)


def test_a_span_across_two_hours_is_one_of_the_first():
    told = rounds([Span("z", "zone", minute(30), minute(61), 1.0), Span("z", "zone", minute(61), minute(120), 1.0)])
    assert [(one.from_at, one.to_at) for one in told] == [(minute(0), minute(61)), (minute(60), minute(120))]


def test_doors_sight_no_room():
    assert rounds([Span("d", "portal", minute(0), minute(60), 1.0)]) == []


def test_two_zones_that_share_a_room_sight_it_together():
    """Each hears only its shelf; together they hear everything."""
    spans = []
    for hour in range(30):
        start, end = minute(60 * hour), minute(60 * hour + 60)
        for zone, indices in (("z1", range(10)), ("z2", range(10, 20))):
            heard = tuple(Heard(tag(index), start) for index in indices)
            spans.append(Span(zone, "zone", start, end, 1.0, heard))
    place = fold(Place(), stays(20, since=T0 - timedelta(days=1)), rounds(spans))
    assert place.sightings[-1].probability > 0.95
    assert {round(one.probability, 2) for one in place.assets.values()} == {1.0}
    assert not place.strangers


def test_a_tag_that_the_book_has_not_got_is_a_stranger_with_its_rounds():
    span = Span("z", "sweep", minute(0), minute(10), 1.0, (Heard(tag(9), minute(3)),))
    stranger = fold(Place(), stays(2, since=T0), rounds([span])).strangers[tag(9)]
    assert (stranger.rounds, stranger.swept, stranger.last_at) == (1, True, minute(3))
