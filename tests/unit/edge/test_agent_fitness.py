"""A configuration is well if nothing that worked has ceased to work, and what is new works, for some seconds on end."""

import pytest

from edge.agent.fitness import Look, Proof, complaints

WELL = {"readers": {"r1": ""}, "portals": {"door": ""}, "broker": True, "central": True}
BEFORE = Look(**WELL)


def look(**other):
    """All is well but for this."""
    return Look(**WELL | other)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"readers": {"r1": "reader r1 is lost"}}, "reader r1 is lost"),
        ({"readers": {"r1": "", "r2": "reader r2: no route"}}, "reader r2: no route"),
        ({"portals": {"door": "portal door is dark"}}, "portal door is dark"),
        ({"portals": {"gate": "portal gate is dark"}}, "portal gate is dark"),
        ({"broker": False, "central": False}, "broker is out of reach"),
        ({"central": False}, "central isn't heard"),
        ({"store": "disk is full"}, "disk is full"),
        ({"ended": ("journal",)}, "journal has ended"),
    ],
)
def test_what_is_worse_than_before_or_new_and_does_not_work_is_a_complaint(now, words):
    (told,) = complaints(BEFORE, look(**now))
    assert words in told


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, {"readers": {}, "portals": {}}),
        ({"readers": {"r1": "lost"}}, {"readers": {"r1": "lost"}}),
        ({"portals": {"door": "dark"}}, {"portals": {"door": "dark"}}),
        ({"readers": {"r1": "lost"}}, {}),
        ({"broker": False, "central": False}, {"broker": False, "central": False}),
        ({"central": False}, {"central": False}),
    ],
)  # fmt: skip
def test_what_was_no_better_before_and_what_is_not_named_any_more_is_none(before, now):
    assert complaints(look(**before), look(**now)) == []


def test_it_has_to_hold_for_some_seconds_on_end():
    proof = Proof(BEFORE, 100.0, limit_s=60.0, steady_s=5.0)
    lost = look(readers={"r1": "lost"})
    for now, at_s in [(BEFORE, 101.0), (BEFORE, 105.0), (lost, 106.0), (BEFORE, 107.0)]:
        assert proof.look(now, at_s) is None
    assert proof.look(BEFORE, 111.5) is None
    assert proof.look(BEFORE, 112.0) == "well"


def test_what_is_not_well_within_the_time_is_unwell_and_says_why():
    proof = Proof(BEFORE, 100.0, limit_s=60.0, steady_s=5.0)
    lost = look(readers={"r1": "reader r1 is lost"})
    assert proof.look(lost, 159.0) is None
    assert proof.look(lost, 160.0) == "unwell"
    assert proof.problems == ["reader r1 is lost"]


def test_one_that_becomes_well_as_the_time_ends_may_show_that_it_stays_so():
    proof = Proof(BEFORE, 0.0, limit_s=60.0, steady_s=5.0)
    assert proof.look(BEFORE, 58.0) is None
    assert proof.look(BEFORE, 63.0) == "well"
