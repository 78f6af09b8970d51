"""What an access controller tells, by whatever way: taken whole or refused in words, counted, and told once."""

import contextlib
import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from edge.access import AccessDesk, AccessError, AccessEvent, parse_events
from edge.access.desk import BURST, FLOOD_OVER_US, RATE_PER_S, TELL_AGAIN_US
from edge.agent.metrics import access_figures
from edge.contracts import SensorRow, instant

NOW_US = 1_800_000_000_000_000
PORTALS = ("east", "west")
BADGE = {"portal": "east", "kind": "badge", "person": "E-0042"}


def parse(told):
    """Events of what a controller told."""
    return parse_events(json.dumps(told).encode(), portals=PORTALS, now_us=NOW_US)


class Taken:
    """A desk, and what it handed on."""

    def __init__(self) -> None:
        self.badges, self.rows, self.at_us = [], [], 0
        self.desk = AccessDesk(
            PORTALS,
            badge=lambda *badge: self.badges.append(badge),
            note=self.rows.append,
            now_us=lambda: NOW_US,
            steady_us=lambda: self.at_us,
            log=structlog.get_logger(),
        )

    def take(self, told):
        """Let it take something as JSON."""
        return self.desk.take(json.dumps(told).encode(), "http")


def test_a_badge_names_person_and_time_and_what_else_is_told_is_passed_over():
    (event,) = parse(BADGE | {"at": "2027-01-15T07:59:58.5Z", "reader_serial": 7})
    assert event == AccessEvent(portal="east", kind="badge", at_us=NOW_US - 1_500_000, person="E-0042")
    assert parse([{"portal": "west", "kind": "held"}])[0].at_us == NOW_US, "when it came"
    assert parse(BADGE | {"at": "2027-01-15T08:00:30Z"})[0].at_us == NOW_US, "a clock that is a little ahead"


REFUSED = [
    (BADGE | {"portal": "south"}, "portal 'south' is none of this gateway: name one of east, west"),
    (BADGE | {"kind": "open"}, "not understood"),
    (BADGE | {"person": ""}, "not understood"),
    (BADGE | {"person": "a\x00b"}, "not understood"),
    ({"portal": "east", "kind": "badge"}, "a badge names a `person`"),
    (BADGE | {"kind": "forced"}, "a badge names a `person`, by the id that custody and passes have; nothing else does"),
    (BADGE | {"at": "yesterday"}, "at is 'yesterday': write UTC like"),
    (BADGE | {"at": "2027-01-15T08:01:01Z"}, "over a minute ahead: set the controller's clock"),
    (BADGE | {"at": "2027-01-15T07:49:59Z"}, "over 10 minutes ago: tell the centre of late badges"),
    ([], "0 events at once: send 1 to 50"),
    ([BADGE] * 51, "51 events at once: send 1 to 50"),
    ([BADGE, BADGE | {"portal": "south"}], "none of this gateway"),
    ([BADGE | {"x": "y" * 17_000}], "bytes are too many"),
]


@pytest.mark.parametrize(("told", "words"), REFUSED, ids=[words[:50] for _, words in REFUSED])
def test_what_cannot_be_meant_is_refused_in_words(told, words):
    with pytest.raises(AccessError) as caught:
        parse(told)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("at", "told_us"),
    [
        ("2027-01-15T08:01:01Z", NOW_US),
        ("2100-01-01T00:00:00Z", NOW_US),
        ("1970-01-01T00:00:00Z", NOW_US),
        ("2027-01-15T07:00:00Z", NOW_US - 3_600_000_000),
    ],
)
def test_a_forced_door_is_told_whichever_clock_is_wrong(at, told_us):
    """Our own may be the one: a small board's is, until its time server answers."""
    (event,) = parse({"portal": "east", "kind": "forced", "at": at})
    assert event.at_us == told_us


def test_a_badge_is_taken_as_of_now_while_our_own_clock_is_not_set():
    payload = json.dumps(BADGE | {"at": "2100-01-01T00:00:00Z"}).encode()
    (event,) = parse_events(payload, portals=PORTALS, now_us=NOW_US, believed=False)
    assert (event.at_us, event.person) == (NOW_US, "E-0042")
    payload = json.dumps(BADGE | {"at": "2027-01-15T07:59:30Z"}).encode()
    (event,) = parse_events(payload, portals=PORTALS, now_us=NOW_US, believed=False)
    assert event.at_us == NOW_US - 30_000_000, "clocks that agree are believed"


@given(st.binary(max_size=400) | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(repr).map(str.encode))
def test_any_bytes_give_events_or_the_one_error(payload):
    try:
        events = parse_events(payload, portals=PORTALS, now_us=NOW_US)
    except AccessError:
        return
    assert events


def test_bytes_that_are_no_text_are_refused_like_all_else():
    with pytest.raises(AccessError, match="not understood"):
        parse_events(b'{"portal":"\xff\xfe","kind":"badge"}', portals=PORTALS, now_us=NOW_US)


@given(st.text(max_size=40))
def test_any_time_is_one_or_is_refused(text):
    try:
        (event,) = parse(BADGE | {"at": text})
    except AccessError:
        return
    assert event.at_us <= NOW_US


def test_badges_go_to_the_windows_and_doors_become_rows():
    taken = Taken()
    assert taken.take([BADGE, {"portal": "west", "kind": "forced"}]) == 2
    assert taken.badges == [("east", "E-0042", NOW_US)]
    assert taken.rows == [
        SensorRow(seq=0, reader="access", gpi=1, kind="forced", state=True, at=instant(NOW_US), portal="west")
    ]
    assert (taken.desk.counters.badges, taken.desk.counters.doors, taken.desk.counters.refused) == (1, 1, {})


def test_garbage_is_counted_and_told_once_until_something_good_comes_and_no_person_is_named():
    taken = Taken()
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            with pytest.raises(AccessError):
                taken.take([BADGE, {"portal": "south", "kind": "held"}])
        assert taken.badges == [], "all of it or nothing"
        taken.take(BADGE)
        with pytest.raises(AccessError):
            taken.desk.take(b"\xff", "http")
    assert taken.desk.counters.refused == {("http", "unfit"): 5, ("http", "unreadable"): 1}
    assert [one.get("why", one["event"]) for one in logs] == [
        "unfit",
        "access events are understood again",
        "unreadable",
    ]
    assert "E-0042" not in repr(logs)


def test_each_kind_of_refusal_is_told_once_a_source_and_counted_apart():
    taken = Taken()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            for payload in (b"{", b'{"portal": "south", "kind": "held"}', b" " * 20_000):
                with pytest.raises(AccessError):
                    taken.desk.take(payload, "http")
        with pytest.raises(AccessError):
            taken.desk.take(b"{", "mqtt")
    told = [(one["source"], one["why"]) for one in logs]
    assert told == [("http", "unreadable"), ("http", "unfit"), ("http", "oversized"), ("mqtt", "unreadable")]
    assert taken.desk.counters.refused_by("http") == {"unreadable": 2, "unfit": 2, "oversized": 2}
    (figure,) = [one for one in access_figures(taken.desk.counters) if one.name == "stockgate_edge_access_refused"]
    assert {
        (one.labels["source"], one.labels["why"]): one.value for one in figure.samples
    } == taken.desk.counters.refused


def test_strangers_are_told_again_only_after_a_rest_however_good_the_controller_is():
    taken = Taken()
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            taken.desk.refuse(AccessError("send the token", "stranger"), "http")
            taken.take(BADGE)
        taken.at_us += TELL_AGAIN_US + 1
        taken.desk.refuse(AccessError("send the token", "stranger"), "http")
    assert [one.get("why") for one in logs] == ["stranger", "stranger"]
    assert taken.desk.counters.heard_us == {"http": NOW_US}


def test_a_flood_is_refused_beyond_what_a_door_can_have_and_ends_by_itself():
    taken = Taken()
    for _ in range(BURST):
        taken.take(BADGE)
    with pytest.raises(AccessError, match="too many badges: no more than 20 a second"):
        taken.take(BADGE)
    assert (taken.desk.counters.refused, len(taken.badges)) == ({("http", "flood"): 1}, BURST)
    taken.at_us += 1_000_000
    assert taken.take([BADGE] * RATE_PER_S) == RATE_PER_S


def test_a_flood_of_badges_hides_no_forced_door_and_no_other_side_and_is_told_once():
    """A broken badge reader shows a card 200 times a second, and somebody breaks the door open."""
    taken, forced = Taken(), {"portal": "east", "kind": "forced"}
    with structlog.testing.capture_logs() as logs:
        for _ in range(20):
            for _ in range(BURST):
                with contextlib.suppress(AccessError):
                    taken.take(BADGE)
            assert taken.take(forced) == 1
            taken.at_us += 1_000_000
        assert taken.desk.take(json.dumps(BADGE).encode(), "mqtt") == 1
    assert [(one["source"], one["why"]) for one in logs] == [("http", "flood")]
    taken.at_us += FLOOD_OVER_US
    with structlog.testing.capture_logs() as logs:
        taken.take(BADGE)
    assert [one["event"] for one in logs] == ["access events are understood again"]
