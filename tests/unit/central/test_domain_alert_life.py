"""What settles a false read, how sure a share is, and when a door is quieter."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.alert_life import ALERT_TABLE, Sighting, higher, settle_false_read, share_interval
from central.domain.places import Location, Places, Portal
from central.domain.quiet import Measure, MeasureRefused, check_measure, mode_at

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
PLACES = Places({
    name: Location(name, name.title(), kind, parent, guarded)
    for name, kind, parent, guarded in [
        ("hq", "building", None, True), ("stock", "zone", "hq", True), ("hall", "zone", "hq", False),
        ("office", "zone", "hq", False), ("street", "exterior", None, False),
    ]
})  # fmt: skip
LEFT = {"LT-1": ("hall", "street")}
DOOR = Portal("door", "Door", "g", "hall", "street", "alarm")


def seen(origin, destination=None, *, crossed=False, after_h=1, asset="LT-1"):
    return Sighting(asset, NOW + timedelta(hours=after_h), origin, destination or origin, crossed)


def settled(*sightings, now=NOW, left=None):
    found = settle_false_read(PLACES, left or LEFT, sightings, now, LATER)
    return found and found[0]


@pytest.mark.parametrize(
    "one",
    [seen("hall"), seen("hall", "stock"), seen("stock", "hall", crossed=True), seen("hall", "street", crossed=True)],
)
def test_an_asset_seen_inside_bears_a_false_read_out(one):
    assert settled(one) == "confirmed"


@pytest.mark.parametrize("one", [seen("street"), seen("hall", "street")])
def test_seen_outside_or_on_either_side_of_the_door_settles_nothing_yet(one):
    assert settled(one) is None


def test_one_that_comes_back_in_had_been_outside():
    assert settled(seen("street", "hall", crossed=True)) == "refuted"
    assert settled(seen("hall"), seen("street", "hall", crossed=True, after_h=2)) == "confirmed"


def test_what_is_not_seen_in_time_falls():
    assert settled(now=LATER) is None
    assert settled(now=LATER + timedelta(microseconds=1)) == "refuted"


def test_every_asset_of_a_cart_has_to_be_seen():
    cart = {"LT-1": ("hall", "street"), "LT-2": ("hall", "street")}
    assert settled(seen("hall"), left=cart) is None
    assert settled(seen("hall"), seen("office", asset="LT-2"), left=cart) == "confirmed"


def test_leaving_a_stockroom_falsely_is_borne_out_in_the_stockroom_only():
    assert settled(seen("office"), left={"LT-1": ("stock", "hall")}) is None
    assert settled(seen("stock"), left={"LT-1": ("stock", "hall")}) == "confirmed"


@given(st.permutations([seen("hall"), seen("hall", "street"), seen("street", "hall", crossed=True, after_h=3)]))
def test_the_order_in_which_sightings_come_changes_nothing(sightings):
    assert settled(*sightings) == "confirmed"


@given(st.lists(st.sampled_from(sorted(ALERT_TABLE)), max_size=12))
def test_any_steps_keep_to_the_table_and_severity_only_rises(steps):
    state, severity = "open", "low"
    for step in steps:
        if state in ALERT_TABLE[step]:
            if step == "reopen":
                assert ["low", "high", "critical"].index(higher(severity)) >= ["low", "high", "critical"].index(
                    severity
                )
                severity = higher(severity)
            state = ALERT_TABLE[step][state]
    assert state in {"open", "acknowledged", "investigating", "resolved"}


def test_a_share_of_nothing_may_be_anything_and_narrows_with_numbers():
    assert share_interval(0, 0) == (0.0, 1.0)
    low, high = share_interval(5, 50)
    assert (round(low, 4), round(high, 4)) == (0.0435, 0.2136)  # Wilson's interval by Newcombe's formula
    assert share_interval(50, 500)[1] < high


@given(st.integers(0, 60), st.integers(1, 60))
def test_a_share_lies_within_its_interval(hits, more):
    low, high = share_interval(hits, hits + more)
    assert 0 <= low <= hits / (hits + more) <= high <= 1


def measure(mode="observe", hours=2, ended_h=None):
    ended = None if ended_h is None else NOW + timedelta(hours=ended_h)
    return Measure(1, "door", "muted", mode, "removal", "ann", NOW, NOW + timedelta(hours=hours), ended)


def test_a_measure_ends_by_itself_or_when_somebody_ends_it():
    after = NOW + timedelta(hours=1)
    assert mode_at(DOOR, [measure()], NOW - timedelta(microseconds=1)) == "alarm"
    assert mode_at(DOOR, [measure()], NOW) == mode_at(DOOR, [measure()], after) == "observe"
    assert mode_at(DOOR, [measure()], NOW + timedelta(hours=2)) == "alarm"
    assert mode_at(DOOR, [measure(ended_h=1)], after) == "alarm"
    assert mode_at(DOOR, [measure("notify"), measure()], after) == "observe"


@pytest.mark.parametrize(
    ("kind", "mode", "until_h", "told"),
    [
        ("muted", "observe", 25, "24 hours at most"),
        ("demoted", "notify", 31 * 24, "720 hours at most"),
        ("muted", "observe", 0, "not after its start"),
    ],
)
def test_a_measure_without_an_end_soon_enough_is_refused(kind, mode, until_h, told):
    with pytest.raises(MeasureRefused, match=told):
        check_measure(DOOR, kind, mode, NOW, NOW + timedelta(hours=until_h))


def test_a_measure_that_is_not_quieter_is_refused():
    quiet = Portal("door", "Door", "g", "hall", "street", "notify")
    with pytest.raises(MeasureRefused, match="would not be quieter"):
        check_measure(quiet, "demoted", "notify", NOW, LATER)
