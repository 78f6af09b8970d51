"""Places: what they inherit, whether every way out is watched, and who answers for a role there."""

from central.domain.people import Holder, holders
from central.domain.places import Location, PlaceOpening, Places, Portal, Situation


def place(name, parent=None, **told):
    return Location(name, name, "zone", parent, guarded=True, **told)


PLACES = Places(
    {
        one.id: one
        for one in (
            place("gb", country="GB", timezone="Europe/London", owner_role="branch-admin"),
            place("england", "gb", subdivision="ENG"),
            place("leeds", "england"),
            place("annex", "leeds", country="IN", timezone="Asia/Kolkata"),
            place("room", "leeds", owner_role="stockroom-owner"),
        )
    }
)
DOOR = Portal("door", "Door", "g", "room", "leeds", "notify")
INNER = Portal("gate", "Gate", "g", "leeds", "gb", "notify")


def test_what_a_place_does_not_say_it_has_from_the_places_around_it():
    assert PLACES.situation("room") == Situation("GB", "ENG", "Europe/London", "stockroom-owner")


def test_a_subdivision_is_not_taken_from_another_country():
    assert PLACES.situation("annex") == Situation("IN", None, "Asia/Kolkata", "branch-admin")


def test_a_place_is_closed_only_if_all_its_openings_are_listed_and_watched():
    door = PlaceOpening("o1", "room", "portal", "door")
    alarmed = PlaceOpening("o2", "room", "alarmed_door", None)
    window = PlaceOpening("o3", "room", "unmonitored", None)
    portals = [DOOR, INNER]
    assert PLACES.is_closed("room", [door, alarmed], portals)
    assert not PLACES.is_closed("room", [door, alarmed, window], portals)
    assert not PLACES.is_closed("room", [alarmed], portals)
    assert PLACES.unlisted("room", [alarmed], portals) == ["door"]
    assert not PLACES.is_closed("leeds", [], portals)


def test_the_nearest_holders_of_a_role_answer_for_a_place():
    held = [Holder("admin", "gb", "p1"), Holder("admin", "leeds", "p3"), Holder("admin", "leeds", "p2"),
            Holder("admin", None, "p0"), Holder("other", "room", "p9")]  # fmt: skip
    assert holders("admin", "room", PLACES, held) == ["p2", "p3"]
    assert holders("admin", "england", PLACES, held) == ["p1"]
    assert holders("admin", None, PLACES, held) == ["p0"]
    assert holders("nobody", "room", PLACES, held) == []
