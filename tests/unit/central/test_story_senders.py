"""What a transfer's sender says to see at its goal is there; it is received by what anybody else sees."""

import pytest

from tests.helpers.stories import act, approved, at, categories, cross, heard, told

READY = [act(0, "placed", location="stock-a"), approved(1, "stock-a", "stock-c")]
GONE = [*READY, cross(2, "door-a", "out"), cross(3, "entrance", "out")]
SAID = act(30, "asset_verified", location="stock-c", grade="barcode", sender_of=["T-1"])


def states(story):
    """(transfer, state, where it ended) of each leg."""
    return [(leg.transfer, leg.state, leg.ended_in) for leg in story.legs]


def test_the_senders_word_moves_what_is_under_way_and_does_not_receive_it():
    story = told(*GONE, SAID)
    assert (states(story), story.belief.place) == ([("T-1", "open", None)], "stock-c")
    assert "not_received" in categories(story)
    other = told(*GONE, act(30, "asset_verified", location="stock-c", grade="barcode", sender_of=["T-0"]))
    assert states(other) == [("T-1", "received", "stock-c")]


@pytest.mark.parametrize(
    ("later", "by"),
    [
        (act(31, "asset_verified", location="stock-c", grade="barcode"), "scanned"),
        (act(31, "asset_verified", location="branch", grade="barcode"), "scanned"),
        (act(31, "seen", location="stock-c"), "scanned"),
        (act(31, "receipt_scanned", subject="T-1", location="stock-c"), "scanned"),
        (cross(31, "door-c", "in"), "observed"),
        (heard(32, "stock-c"), "inferred"),
    ],
)
def test_what_anybody_else_sees_there_afterwards_receives_it(later, by):
    story = told(*GONE, SAID, later)
    assert [(leg.state, leg.ended_in, leg.ended_by) for leg in story.legs] == [("received", "stock-c", by)]
    assert story.legs[0].ended_at == later.at


def test_a_tag_that_was_read_or_the_sender_again_receives_nothing():
    tag = act(31, "asset_verified", location="stock-c", grade="tag_seen")
    again = act(32, "asset_verified", location="stock-c", grade="barcode", sender_of=["T-1"])
    assert states(told(*GONE, SAID, tag, again)) == [("T-1", "open", None)]


def test_what_nobody_saw_leave_is_dispatched_by_the_senders_word_and_its_receipt_falls_due():
    story = told(*READY, SAID)
    (leg,) = story.legs
    assert (leg.state, leg.basis, leg.dispatched_at, leg.assumed) == ("open", "scanned", at(30), ())
    assert "not_received" in categories(story)
    came = told(*READY, SAID, act(31, "seen", location="stock-c"))
    assert (states(came), categories(came)) == ([("T-1", "received", "stock-c")], ["received_without_dispatch"])


def test_what_went_astray_or_undeclared_is_under_way_to_its_goal_again_by_the_senders_word():
    astray = told(*GONE, cross(9, "near-door", "in"), SAID)
    assert states(astray) == [("T-1", "open", None)]
    undeclared = told(
        act(0, "placed", location="stock-a"), cross(1, "door-a", "out"), cross(2, "entrance", "out"),
        approved(3, "stock-a", "stock-c"), SAID,
    )  # fmt: skip
    assert states(undeclared) == [("T-1", "open", None)]


def test_what_the_book_put_at_its_goal_is_received_by_who_sees_it_there():
    put = act(20, "placed", location="stock-c")
    assert states(told(*GONE, put)) == [("T-1", "open", None)]
    assert states(told(*GONE, put, act(31, "seen", location="stock-c"))) == [("T-1", "received", "stock-c")]


def test_what_is_seen_where_it_was_sent_from_is_not_received_within_a_wider_goal():
    story = told(
        act(0, "placed", location="stock-a"), approved(1, "stock-a", "hq"),
        act(2, "dispatch_scanned", subject="T-1", location="stock-a"), act(3, "seen", location="stock-a"),
    )  # fmt: skip
    assert states(story) == [("T-1", "open", None)]
