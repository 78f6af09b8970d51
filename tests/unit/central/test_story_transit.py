"""Transit legs: dispatch, receipt, return, going astray, and what nobody declared."""

from datetime import timedelta

import pytest

from central.domain.exits import Authorisation
from tests.helpers.stories import act, approved, at, categories, cross, told

IN_STOCK = act(0, "placed", location="stock-a")


def days(leg):
    """Days from dispatch to the due receipt."""
    return (leg.receipt_due - leg.dispatched_at) // timedelta(days=1)


def test_an_approved_transfer_is_dispatched_by_the_door_and_received_by_the_other():
    gone = [IN_STOCK, approved(1, "stock-a", "stock-c"), cross(2, "door-a", "out"), cross(3, "entrance", "out")]
    leg = told(*gone).legs[0]
    assert (leg.transfer, leg.origin, leg.destination, leg.sender, leg.receiver) == (
        "T-1", "stock-a", "stock-c", "ann", "bob",
    )  # fmt: skip
    assert (leg.state, leg.basis, leg.dispatched_at, leg.passage, leg.assumed) == (
        "open",
        "observed",
        at(2),
        "e1/7201",
        (),
    )
    assert (days(leg), leg.calendar, leg.escalation_path[0]) == (7, "weekdays/stock-c", "receiver")
    hall = told(*gone, cross(30, "lobby", "in"))
    assert hall.legs[0].state == "open"
    story = told(*gone, cross(30, "lobby", "in"), cross(31, "door-c", "in"))
    leg = story.legs[0]
    assert (leg.state, leg.ended_at, leg.ended_in, leg.ended_by) == ("received", at(31), "stock-c", "observed")
    assert (len(story.legs), story.findings) == (1, ())


def test_what_stays_in_the_region_is_due_after_two_business_days():
    leg = told(IN_STOCK, approved(1, "stock-a", "near"), cross(2, "door-a", "out")).legs[0]
    assert days(leg) == 2


def test_an_open_leg_is_overdue_from_its_due_date_on():
    story = told(IN_STOCK, approved(1, "stock-a", "stock-c"), cross(2, "door-a", "out"))
    finding = story.findings[0]
    assert (finding.category, finding.at, finding.location) == ("not_received", story.legs[0].receipt_due, "stock-c")
    assert finding.evidence["transfer"] == "T-1"


def test_the_book_never_receives_a_transfer():
    story = told(
        IN_STOCK, approved(1, "stock-a", "stock-c"), cross(2, "door-a", "out"), act(9, "placed", location="stock-c")
    )
    assert story.legs[0].state == "open"


def test_a_transfer_to_the_room_beyond_the_corridor_is_dispatched_and_received():
    story = told(IN_STOCK, approved(1, "stock-a", "stock-b"), cross(2, "door-a", "out"), cross(3, "door-b", "in"))
    assert [(leg.state, leg.basis) for leg in story.legs] == [("received", "observed")]


def test_scans_dispatch_and_receive_where_no_door_can():
    story = told(
        IN_STOCK, approved(1, "stock-a", "stock-c"),
        act(2, "dispatch_scanned", subject="T-1", location="stock-a"),
        act(30, "receipt_scanned", subject="T-1", location="stock-c"),
    )  # fmt: skip
    leg = story.legs[0]
    assert (leg.basis, leg.state, leg.ended_by, story.belief.place) == ("scanned", "received", "scanned", "stock-c")
    assert categories(story) == []


def test_a_door_after_the_dispatch_scan_begins_no_second_leg():
    story = told(
        IN_STOCK, approved(1, "stock-a", "stock-c"), act(2, "dispatch_scanned", subject="T-1", location="stock-a"),
        cross(3, "door-a", "out"), cross(4, "entrance", "out"), cross(30, "lobby", "in"), cross(31, "door-c", "in"),
    )  # fmt: skip
    assert [(leg.basis, leg.state) for leg in story.legs] == [("scanned", "received")]


@pytest.mark.parametrize(
    ("back_after_h", "wrong"), [(0.3, ["not_dispatched"]), (5, ["not_dispatched", "returned_to_origin"])]
)
def test_what_comes_back_is_returned_and_only_a_long_trip_is_told(back_after_h, wrong):
    story = told(
        IN_STOCK, approved(1, "stock-a", "stock-c"), cross(2, "door-a", "out"), cross(2 + back_after_h, "door-a", "in")
    )
    assert [leg.state for leg in story.legs] == ["returned_to_origin"]
    assert categories(story) == wrong
    again = told(
        IN_STOCK, approved(1, "stock-a", "stock-c"), cross(2, "door-a", "out"), cross(2 + back_after_h, "door-a", "in"),
        cross(9, "door-a", "out"),
    )  # fmt: skip
    assert [leg.state for leg in again.legs] == ["returned_to_origin", "open"]


def test_another_guarded_place_is_the_wrong_destination_until_it_moves_on():
    gone = [IN_STOCK, approved(1, "stock-a", "stock-c"), cross(2, "door-a", "out"), cross(3, "entrance", "out")]
    story = told(*gone, cross(9, "near-door", "in"))
    assert [(leg.state, leg.ended_in) for leg in story.legs] == [("wrong_destination", "near")]
    assert categories(story) == ["not_received", "wrong_location"]
    on = [cross(10, "near-door", "out"), cross(30, "lobby", "in"), cross(31, "door-c", "in")]
    story = told(*gone, cross(9, "near-door", "in"), *on)
    assert ([leg.state for leg in story.legs], categories(story)) == (["received"], [])


def test_approved_and_not_dispatched_is_told_from_the_windows_end_on():
    story = told(IN_STOCK, approved(1, "stock-a", "stock-c", until=24))
    assert [(one.category, one.at, one.location) for one in story.findings] == [("not_dispatched", at(24), "stock-a")]
    assert told(IN_STOCK, approved(1, "stock-a", "stock-c"), act(2, "transfer_cancelled", subject="T-1")).findings == ()


def test_received_without_dispatch_is_dispatched_afterwards_as_inferred():
    story = told(IN_STOCK, approved(1, "stock-a", "stock-c"), cross(31, "door-c", "in"))
    leg = story.legs[0]
    assert (leg.transfer, leg.state, leg.basis, leg.assumed) == ("T-1", "received", "inferred", ("dispatched_at",))
    assert categories(story) == ["location_doubtful", "received_without_dispatch"]
    assert categories(told(IN_STOCK, approved(1, "stock-a", "stock-c"), cross(31, "door-c", "in", confidence=1))) == [
        "received_without_dispatch"
    ]


def test_a_door_that_missed_the_dispatch_leaves_it_to_the_next_one_out_of_the_site():
    story = told(IN_STOCK, approved(1, "stock-a", "stock-c"), cross(3, "entrance", "out"))
    assert [(leg.transfer, leg.basis, leg.dispatched_at) for leg in story.legs] == [("T-1", "observed", at(3))]


def test_an_undeclared_departure_is_under_way_with_the_owners_name_and_an_exception():
    story = told(IN_STOCK, cross(1, "door-a", "out"), cross(2, "entrance", "out"))
    leg = story.legs[0]
    assert (leg.transfer, leg.basis, leg.state, leg.origin, leg.destination) == (
        None,
        "inferred",
        "open",
        "corridor",
        None,
    )
    assert (leg.sender, leg.receiver, days(leg)) == ("north_admin", "north_admin", 7)
    assert leg.assumed == ("sender", "receiver", "receipt_due")
    assert categories(story) == ["moved_without_transfer", "not_received"]


def test_a_claim_settles_what_was_assumed_and_counts_anew_from_the_dispatch():
    gone = [IN_STOCK, cross(1, "door-a", "out"), cross(2, "entrance", "out")]
    claim = act(3, "leg_claimed", sender="ann", receiver="bob", destination="near")
    story = told(*gone, claim)
    leg = story.legs[0]
    assert (leg.sender, leg.receiver, leg.destination, leg.assumed, days(leg)) == ("ann", "bob", "near", (), 2)
    assert categories(story) == ["not_received"]
    assert told(*gone, claim, cross(9, "near-door", "in")).legs[0].state == "received"


def test_who_comes_back_without_having_declared_anything_leaves_no_exception():
    story = told(IN_STOCK, cross(1, "door-a", "out"), cross(2, "entrance", "out"), cross(2.2, "gate", "in"))
    assert ([leg.state for leg in story.legs], story.findings) == (["returned_to_origin"], ())


def test_an_undeclared_arrival_at_another_site_ends_the_leg_and_keeps_the_exception():
    story = told(IN_STOCK, cross(30, "lobby", "in"))
    assert [(leg.state, leg.ended_in, leg.basis) for leg in story.legs] == [("received", "hall", "inferred")]
    assert "moved_without_transfer" in categories(story)


def test_an_order_that_awaits_an_undeclared_asset_takes_over_its_leg():
    story = told(
        IN_STOCK, cross(1, "door-a", "out"), cross(2, "entrance", "out"), approved(3, "stock-a", "hall"),
        cross(30, "lobby", "in"),
    )  # fmt: skip
    assert [(leg.transfer, leg.state) for leg in story.legs] == [("T-1", "received")]
    assert categories(story) == ["received_without_dispatch"]


def test_a_permit_to_leave_makes_no_leg():
    pass_ = Authorisation("P", "a", "hq", None, None, at(0))
    assert told(IN_STOCK, cross(1, "door-a", "out"), cross(2, "entrance", "out"), permits=(pass_,)).legs == ()


def test_after_the_window_a_departure_is_undeclared():
    story = told(
        IN_STOCK, approved(1, "stock-a", "stock-c", until=5), cross(8, "door-a", "out"), cross(9, "entrance", "out")
    )
    assert [(leg.transfer, leg.basis) for leg in story.legs] == [(None, "inferred")]


def test_a_clock_that_was_not_set_starts_no_deadline():
    story = told(IN_STOCK, approved(1, "stock-a", "stock-c"), cross(2, "door-a", "out", synced=False))
    assert [leg.assumed for leg in story.legs] == [("dispatched_at",)]
    assert categories(story) == []


def test_a_custodian_at_another_site_asks_for_a_transfer():
    given = act(2, "custody_given", location="hall", custodian="eve")
    assert categories(told(IN_STOCK, given)) == ["moved_without_transfer"]
    assert categories(told(IN_STOCK, given, approved(3, "stock-a", "hall"))) == ["not_dispatched"]


def test_a_misread_departure_that_later_crossings_correct_leaves_no_leg():
    """Out of the entrance, said the door; but what follows shows that it came in."""
    story = told(
        act(0, "placed", location="street"), cross(1, "entrance", "out", confidence=0.6), cross(2, "door-a", "in"),
        cross(3, "door-a", "out"),
    )  # fmt: skip
    assert story.legs == ()
    assert [one.kind for one in story.misread] == ["wrong_way"]
