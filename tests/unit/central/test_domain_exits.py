"""Exits and authorisations on a small building."""

from datetime import UTC, datetime, timedelta

import pytest

from central.domain.exits import Authorisation, Standing, judge_exit
from central.domain.places import Location, PlaceError, Places, Portal

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLACES = Places({
    one.id: one
    for one in [
        Location("site", "Site", "site", None, guarded=False),
        Location("hq", "HQ", "building", "site", guarded=True),
        Location("stock", "Stock", "zone", "hq", guarded=True),
        Location("cage", "Cage", "zone", "stock", guarded=True),
        Location("hall", "Hall", "zone", "hq", guarded=False),
        Location("street", "Street", "exterior", None, guarded=False),
    ]
})  # fmt: skip


def permit(boundary, *, name="A", start=None, end=None, recorded=NOON - timedelta(days=1)):
    return Authorisation(name, "LT-1", boundary, start, end, recorded)


def standing(origin, destination, *permits):
    return judge_exit(PLACES, origin, destination, permits, NOON).standing


@pytest.mark.parametrize(
    ("origin", "destination", "left"),
    [
        ("stock", "hall", ("stock",)),
        ("hall", "stock", ()),
        ("hall", "street", ("hq",)),
        ("cage", "street", ("cage", "stock", "hq")),
        ("cage", "stock", ("cage",)),
        ("street", "hall", ()),
    ],
)
def test_a_crossing_leaves_the_guarded_subtrees_that_hold_only_its_origin(origin, destination, left):
    assert PLACES.boundaries_left(origin, destination) == left


def test_entering_is_no_exit():
    assert standing("street", "hall") is Standing.NO_EXIT


def test_an_exit_without_authorisation_is_unauthorised():
    assert standing("stock", "hall") is Standing.UNAUTHORISED


def test_an_authorisation_covers_its_boundary_and_all_inside_it():
    """A permit for the building opens the stockroom, one for the stockroom doesn't open the building."""
    assert standing("stock", "hall", permit("hq")) is Standing.AUTHORISED
    assert standing("hall", "street", permit("stock")) is Standing.UNAUTHORISED
    assert standing("stock", "street", permit("stock")) is Standing.UNAUTHORISED
    assert standing("stock", "street", permit("stock"), permit("hq", name="B")) is Standing.AUTHORISED


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (NOON, None, Standing.AUTHORISED),
        (NOON + timedelta(microseconds=1), None, Standing.UNAUTHORISED),
        (None, NOON, Standing.UNAUTHORISED),
        (None, NOON + timedelta(microseconds=1), Standing.AUTHORISED),
    ],
)
def test_validity_begins_at_valid_from_and_ends_before_valid_to(start, end, expected):
    assert standing("stock", "hall", permit("stock", start=start, end=end)) is expected


def test_an_authorisation_recorded_after_the_exit_makes_it_authorised_late():
    late = permit("hq", recorded=NOON + timedelta(hours=1))
    assert standing("stock", "hall", late) is Standing.AUTHORISED_LATE
    assert standing("stock", "hall", late, permit("stock", name="B")) is Standing.AUTHORISED


def test_the_outermost_boundary_that_decides_is_named():
    assert judge_exit(PLACES, "cage", "street", [], NOON).boundary == "hq"
    assert judge_exit(PLACES, "cage", "street", [permit("hq")], NOON).boundary == "hq"


def test_a_location_within_itself_is_refused_by_name():
    places = Places(
        {"a": Location("a", "A", "zone", "b", guarded=True), "b": Location("b", "B", "zone", "a", guarded=True)}
    )
    with pytest.raises(PlaceError, match="a > b > a"):
        places.chain("a")


def test_a_portal_crosses_by_the_registry():
    portal = Portal("door", "Door", "g", "stock", "hall", "notify")
    assert portal.crossing("out") == ("stock", "hall")
    assert portal.crossing("in") == ("hall", "stock")
    assert portal.crossing("near") is None
