"""Findings are a function of the set of revisions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from central.domain.alerts import Revision, assess, incident_of, is_late, lifted
from central.domain.exits import Authorisation
from central.domain.places import Location, Places

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLACES = Places({
    "hq": Location("hq", "HQ", "building", None, guarded=True),
    "hall": Location("hall", "Hall", "zone", "hq", guarded=False),
    "stock": Location("stock", "Stockroom", "zone", "hq", guarded=True),
    "street": Location("street", "Street", "exterior", None, guarded=False),
})  # fmt: skip
STANDING = Authorisation("A-1", "LT-1", "hq", None, None, NOON - timedelta(days=1))


def revision(rev, kind="out", *, final=True, batch=None, gate=None, way=("stock", "hall"), sure=0.96):
    origin, destination = way if kind == "out" else tuple(reversed(way)) if kind == "in" else (None, None)
    return Revision(rev, final, kind, NOON + timedelta(seconds=rev), origin, destination, sure + rev / 100, batch, gate)


def test_an_unauthorised_exit_says_what_was_left():
    found = assess([revision(1)], PLACES, [])
    assert (found.kind, found.severity, found.corrected) == ("unauthorised_exit", "high", False)
    assert "Stockroom" in found.reason


def test_leaving_for_the_outside_is_the_highest_class():
    assert assess([revision(1, way=("hall", "street"))], PLACES, []).severity == "critical"


def test_an_authorised_exit_gives_nothing():
    assert assess([revision(1)], PLACES, [STANDING]) is None
    assert assess([revision(1, "near")], PLACES, []) is None


def test_a_door_that_refused_what_is_allowed_had_a_stale_snapshot():
    found = assess([revision(1, gate="refuse")], PLACES, [STANDING])
    assert (found.kind, found.severity) == ("stale_snapshot", "low")


def test_a_door_without_a_current_snapshot_is_told_of_where_it_could_have_allowed():
    """An exit that nothing allows is one in full, and what is no exit is nothing."""
    found = assess([revision(1, gate="stale")], PLACES, [STANDING])
    assert (found.kind, found.severity) == ("stale_snapshot", "low")
    assert assess([revision(1, gate="stale")], PLACES, []).kind == "unauthorised_exit"
    assert assess([revision(1, "in", gate="stale")], PLACES, [STANDING]) is None


def test_a_stale_day_is_one_incident_a_door_and_generation():
    """Without any snapshot it is one a day; an exit in full keeps an incident of its own."""

    def key(portal, generation, authorisations=(STANDING,)):
        revisions = [replace(revision(1, gate="stale", batch="cart"), gate_generation=generation)]
        return incident_of(portal, "p1", revisions, assess(revisions, PLACES, authorisations))

    assert key("door", 7) == "stale/door/7"
    assert len({key("door", 7), key("door", 8), key("gate", 7)}) == 3
    assert key("door", None) == "stale/door/none/2026-03-02"
    assert key("door", 7, ()) == "exit/door/batch/cart"
    refused = [revision(1, gate="refuse")]
    assert incident_of("door", "p1", refused, assess(refused, PLACES, [STANDING])) == "exit/door/passage/p1"


def test_a_final_of_another_kind_corrects_and_deletes_nothing():
    found = assess([revision(1, final=False), revision(2, "turned_back")], PLACES, [])
    assert found.kind == "unauthorised_exit"
    assert found.corrected
    assert "turned_back" in found.reason


def test_an_early_word_that_is_not_sure_accuses_nobody_until_the_last_one():
    early = revision(1, final=False, sure=0.7)
    told = assess([early], PLACES, [])
    assert (told.kind, told.severity, told.corrected) == ("ambiguous_passage", "low", False)
    assert "71%" in told.reason
    taken_back = assess([early, revision(2, "near")], PLACES, [])
    assert (taken_back.kind, taken_back.corrected) == ("ambiguous_passage", True)
    assert assess([early, revision(2, sure=0.6)], PLACES, []).kind == "unauthorised_exit"
    undecided = assess([early, revision(2, "unresolved")], PLACES, [])
    assert (undecided.kind, undecided.corrected) == ("unauthorised_exit", False)


def test_the_highest_revision_that_still_accuses_is_told():
    found = assess([revision(1, final=False), revision(2)], PLACES, [])
    assert not found.corrected
    assert found.confidence == 0.98


def test_an_unresolved_final_alone_is_ambiguous():
    assert assess([revision(1, "unresolved")], PLACES, []).kind == "ambiguous_passage"


def test_an_exit_whose_end_is_undecided_stands():
    """A gateway that restarts in the middle of a theft must not turn the card off."""
    both = assess([revision(1, final=False), revision(2, "unresolved")], PLACES, [])
    assert both.kind == "unauthorised_exit"
    assert not both.corrected
    assert "undecided" in both.reason


def test_an_authorisation_recorded_late_is_told_and_keeps_the_incident():
    late = Authorisation("A-9", "LT-1", "hq", None, None, NOON + timedelta(hours=1))
    found = assess([revision(1)], PLACES, [late])
    assert found.kind == "unauthorised_exit"
    assert found.authorised_late
    assert "A-9" in found.reason


kinds = st.sampled_from(["in", "out", "turned_back", "near", "unresolved"])


@given(st.lists(kinds, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_finding(drawn, random):
    """Any order of the same revisions gives the same finding and the same incident."""
    ordered = [revision(number, kind, batch="b" if number == 2 else None) for number, kind in enumerate(drawn, 1)]
    shuffled = random.sample(ordered, len(ordered))
    assert assess(shuffled, PLACES, []) == assess(ordered, PLACES, [])
    assert incident_of("door", "p", shuffled) == incident_of("door", "p", ordered)


def test_a_batch_shares_one_incident_at_its_portal():
    first, second = revision(1, batch="cart-1"), revision(1, batch="cart-1")
    assert incident_of("door", "p1", [first]) == incident_of("door", "p2", [second])
    assert incident_of("door", "p1", [first]) != incident_of("gate", "p1", [first])
    assert incident_of("door", "p1", [revision(1)]) != incident_of("door", "p2", [revision(1)])


def test_five_minutes_divide_live_from_late():
    assert not is_late(NOON, NOON + timedelta(minutes=5))
    assert is_late(NOON, NOON + timedelta(minutes=5, microseconds=1))


def test_an_accusation_that_a_permission_told_later_lifts_stands_as_corrected():
    found = lifted([revision(1, "out", final=True)], PLACES)
    assert found.corrected
    assert found.reason.endswith("by what is known now it was allowed.")
