"""Each rule on odd passages, tags and doors: what it tells of, and what it leaves alone."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.anomalies.doors import Dark, GatewayWord, portal_bypass, portal_dark
from central.domain.anomalies.records import Hours, Knowledge, Seen, Spot, Subject
from central.domain.anomalies.standing import suspect
from central.domain.anomalies.tags import ChipSeen, Visit, cloned_tag, duplicate_tag, not_unique, stranger
from central.domain.anomalies.travel import distance_m, impossible_travel
from central.domain.places import Location, Places
from edge.contracts import EpcPrefix

AT = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)  # a Monday, 22:00 in Pune
S, H = timedelta(seconds=1), timedelta(hours=1)
PLACES = Places({
    name: Location(name, name.title(), kind, parent, guarded)
    for name, kind, parent, guarded in [
        ("leeds", "site", None, False), ("hq", "building", "leeds", True), ("stock", "zone", "hq", True),
        ("hall", "zone", "hq", False), ("street", "exterior", None, False), ("pune", "site", None, False),
        ("shed", "zone", "pune", True), ("home", "remote", None, False),
    ]
})  # fmt: skip
KNOWN = Knowledge(
    PLACES,
    hours={"laptop": Hours(frozenset(range(1, 6)), time(7), time(19))},
    timezones={"shed": "Asia/Kolkata", "stock": "Europe/London"},
    spots={"leeds": Spot(53.8, -1.55), "pune": Spot(18.52, 73.86)},
    neighbours={"door": frozenset({"next-door"})},
)
LAPTOP = Subject("laptop", "S1", "in_stock")
OUT = Seen("p1", "LT-1", "30", "door", "out", AT, "stock", "hall")
BACK = replace(OUT, kind="in", origin="hall", destination="stock")
NEAR = replace(OUT, kind="near", origin=None, destination=None)


def kinds(seen, subject=LAPTOP):
    return [(one.kind, one.severity) for one in suspect(seen, subject, KNOWN)]


def test_an_ordinary_crossing_is_not_odd():
    assert kinds(OUT) == kinds(BACK) == kinds(NEAR) == []


@pytest.mark.parametrize("lifecycle", ["retired", "disposed"])
def test_retired_but_active_is_grave_where_it_crosses(lifecycle):
    gone = replace(LAPTOP, lifecycle=lifecycle)
    assert kinds(OUT, gone) == [("retired_but_active", "high")]
    assert kinds(NEAR, gone) == [("retired_but_active", "low")]


def test_lost_and_seen_again():
    assert kinds(NEAR, replace(LAPTOP, lost=True)) == [("lost_seen", "low")]


def test_what_was_withdrawn_shows_nothing():
    assert kinds(replace(NEAR, kind="retracted"), replace(LAPTOP, lifecycle="retired", lost=True)) == []


def test_custody_conflict_where_a_persons_asset_comes_into_a_stockroom():
    theirs = Subject("laptop", "S1", "in_use", "person", "ann")
    assert kinds(BACK, theirs) == [("custody_conflict", "low")]
    assert kinds(OUT, theirs) == kinds(NEAR, theirs) == kinds(BACK, replace(theirs, custody_kind="pool")) == []


@pytest.mark.parametrize("subject", [replace(LAPTOP, lifecycle="ordered"), replace(LAPTOP, serial=None)])
def test_untagged_issue_only_where_a_guarded_place_is_left(subject):
    assert kinds(OUT, subject) == [("untagged_issue", "high")]
    assert kinds(BACK, subject) == kinds(NEAR, subject) == []


def test_after_hours_by_the_clock_of_the_place():
    pune = replace(OUT, origin="shed", destination="street")
    assert kinds(OUT) == []  # 16:30 in London
    assert kinds(pune) == [("after_hours", "high")]  # 22:00 in Pune
    assert kinds(replace(OUT, at=AT + timedelta(days=5))) == [("after_hours", "high")]  # a Saturday
    assert kinds(replace(pune, synced=False)) == []
    assert kinds(pune, replace(LAPTOP, asset_class="server")) == []


@pytest.mark.parametrize(
    ("day", "hour", "may"),
    [(6, 21, False), (6, 22, True), (7, 5, True), (7, 6, False), (7, 22, False), (1, 5, False), (5, 5, False)],
)
def test_a_night_shift_goes_on_after_midnight_of_the_day_on_which_it_begins(day, hour, may):
    """Saturday night only, from ten to six."""
    shift = Hours(frozenset({6}), time(22), time(6))
    assert shift.hold(datetime(2026, 3, 1 + day, hour, tzinfo=UTC)) is may  # 2026-03-02 is a Monday


def test_an_overdue_loaner_is_told_of_when_it_is_seen():
    lent = replace(LAPTOP, loan_due=AT - H)
    assert kinds(NEAR, lent) == [("loaner_overdue", "low")]
    assert kinds(NEAR, replace(lent, loan_due=AT)) == kinds(replace(NEAR, synced=False), lent) == []


def chip(tid, after_s=0):
    return ChipSeen(f"p{after_s}", "30", tid, AT + after_s * S)


def test_cloned_tag_is_every_chip_but_the_bound_one():
    seen = [chip("e2aa"), chip("e2bb", 5), chip("e2aa", 9)]
    assert [one.passage for one, _ in cloned_tag(seen, "e2aa")] == ["p5"]
    assert [one.passage for one, _ in cloned_tag(seen, "e2bb")] == ["p0", "p9"]
    assert cloned_tag(seen[::2], None) == cloned_tag([], None) == []


@given(st.permutations([chip("e2bb", 5), chip("e2aa"), chip("e2cc", 7)]))
def test_without_a_bound_chip_the_first_one_seen_is_the_right_one_in_whatever_order_they_come(seen):
    assert [one.tid for one, _ in cloned_tag(seen, None)] == ["e2bb", "e2cc"]


def visit(portal, after_s, length_s=4, *, origin="stock", gateway=None, **more):
    start = AT + after_s * S
    return Visit(f"v{after_s}", "30", portal, gateway or portal, start, start + length_s * S, start, origin, **more)


def test_not_unique_is_an_epc_at_two_gateways_doors_at_once():
    here = visit("door", 0)
    assert [one.passage for one, _ in not_unique([visit("far", 1), here], KNOWN)] == ["v1"]
    assert not_unique([here, visit("far", 2)], KNOWN) == []  # as much as clocks may differ
    assert not_unique([here, visit("next-door", 1)], KNOWN) == []
    assert not_unique([here, visit("far", 1, gateway="door")], KNOWN) == []
    assert not_unique([here, visit("far", 1, synced=False)], KNOWN) == []


def test_duplicate_tag_is_one_wanted_for_a_second_asset():
    assert duplicate_tag("30", "LT-2", "LT-1").kind == "duplicate_tag"
    assert duplicate_tag("30", "LT-1", "LT-1") is None


def test_a_stranger_is_ours_or_foreign_only_once_we_say_which_are_ours():
    ours = EpcPrefix(hex="3034257bf0", bits=38)
    assert stranger("3034257bf7194e4000000001", [ours]) == "foreign"
    assert stranger("3034257bf2194e4000000001", [ours]) == "unknown"
    assert stranger("e28011", []) == "unjudged"


def test_impossible_travel_by_distance():
    assert 7_300_000 < distance_m(KNOWN.spots["leeds"], KNOWN.spots["pune"]) < 7_500_000
    there = visit("shed-door", 7 * 3600, origin="shed")
    assert [one.passage for one, _ in impossible_travel([there, visit("door", 0)], KNOWN)] == ["v25200"]
    assert impossible_travel([visit("door", 0), visit("shed-door", 9 * 3600, origin="shed")], KNOWN) == []


def test_a_told_travel_time_counts_before_the_distance():
    told = replace(KNOWN, travel={("leeds", "pune"): 20 * H})
    visits = [visit("door", 0), visit("shed-door", 9 * 3600, origin="shed")]
    assert len(impossible_travel(visits, told)) == 1


def test_travel_between_sites_that_nobody_placed_and_by_wrong_clocks_is_not_judged():
    visits = [visit("door", 0), visit("shed-door", 60, origin="shed")]
    assert impossible_travel(visits, replace(KNOWN, spots={})) == []
    assert impossible_travel([replace(visits[0], synced=False), visits[1]], KNOWN) == []
    assert impossible_travel([visit("door", 0), visit("hall-door", 1, origin="hall")], KNOWN) == []


@given(st.permutations([visit("door", 0), visit("shed-door", 60, origin="shed"), visit("door", 120)]))
def test_the_order_in_which_visits_come_changes_nothing(visits):
    assert [one.passage for one, _ in impossible_travel(visits, KNOWN)] == ["v60", "v120"]


def word(seconds_ago, *, online=True, stopped=False, dark=None):
    return GatewayWord(online, stopped, AT - seconds_ago * S, dark or {})


DOORS = {"door": "g1", "far": "g2"}


def test_a_silent_gateway_leaves_its_doors_dark_after_ten_seconds():
    words = {"g1": word(11), "g2": word(10)}
    assert portal_dark(DOORS, words, AT - H, AT) == [Dark("door", AT - 11 * S, "gateway g1 is silent", whole=True)]


def test_a_last_will_leaves_them_dark_at_once_and_a_dark_door_is_told_alone():
    words = {"g1": word(1, online=False), "g2": word(1, dark={"far": (AT - 5 * S, "reader r2 is lost")})}
    assert [(one.portal, one.since, one.whole) for one in portal_dark(DOORS, words, AT - H, AT)] == [
        ("door", AT - S, True), ("far", AT - 5 * S, False),
    ]  # fmt: skip


def test_a_gateway_that_was_stopped_is_a_planned_gap_until_it_ought_to_be_back():
    for seconds, planned in ((1, True), (900, True), (901, False)):
        (found,) = portal_dark({"door": "g1"}, {"g1": word(seconds, online=False, stopped=True)}, AT - H, AT)
        assert (found.since, found.planned) == (AT - seconds * S, planned)
        assert found.reason.startswith("gateway g1 was stopped")
        assert ("has not come back" in found.reason) != planned


def test_while_we_were_deaf_nobody_was_silent():
    assert portal_dark(DOORS, {"g1": word(3600)}, AT - 9 * S, AT) == []
    (found, *_) = portal_dark(DOORS, {"g1": word(3600)}, AT - 11 * S, AT)
    assert found.since == AT - 11 * S


def test_a_gateway_that_never_spoke_is_being_installed():
    silent = GatewayWord(online=False, stopped=False, last_seen=None, dark={})
    assert portal_dark(DOORS, {"g1": silent}, AT - H, AT) == []


def test_bypass_is_outside_by_other_evidence_while_no_door_saw_it_leave():
    found = portal_bypass("stock", "home", KNOWN, [])
    assert (found.kind, found.evidence["boundary"]) == ("portal_bypass", "Hq")
    assert portal_bypass("stock", "home", KNOWN, [("hall", "street")]) is None
    assert portal_bypass("stock", "home", KNOWN, [("stock", "hall")]) is not None
    assert portal_bypass("hall", "hq", KNOWN, []) is None
    assert portal_bypass("street", "home", KNOWN, []) is None
