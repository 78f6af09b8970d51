"""Dated bindings: a tag is on one asset at a time, and may be bound anew."""

from datetime import timedelta

import pytest

from central.domain.tags import ALWAYS, Binding, Bindings, TagError, Wanted, bind
from tests.helpers.central import EPC, START

NOW = START
DAY = timedelta(days=1)
ENDED = Binding(EPC, "LT-1", ALWAYS, NOW - DAY, "body", "retired")
STANDING = Binding(EPC, "LT-1", ALWAYS, None, "body")


def wanted(asset="LT-1", role="body", **given):
    return Wanted(EPC, asset, role, given)


def test_a_tag_stands_for_the_asset_that_it_was_on_at_that_instant():
    bindings = Bindings([Binding(EPC, "LT-2", NOW, None, "body"), ENDED])
    assert bindings.asset_at(EPC, NOW - 2 * DAY) == "LT-1"
    assert bindings.asset_at(EPC, NOW - DAY) is None
    assert bindings.asset_at(EPC, NOW) == "LT-2"
    assert [one.asset for one in bindings.of(EPC)] == ["LT-1", "LT-2"]


def test_a_first_binding_holds_for_as_long_as_we_know_and_the_same_row_again_changes_nothing():
    first = bind([], wanted(), NOW)
    assert first == STANDING
    assert bind([first], wanted(), NOW + DAY) == first


def test_a_retired_tag_ends_now_or_when_the_row_says():
    assert bind([STANDING], wanted(state="retired"), NOW).bound_to == NOW
    assert bind([STANDING], wanted(state="retired", bound_to=NOW - DAY), NOW) == ENDED
    assert bind([ENDED], wanted(state="retired"), NOW) == ENDED


def test_an_ended_tag_goes_onto_another_asset_from_now():
    assert bind([ENDED], wanted("LT-2"), NOW) == Binding(EPC, "LT-2", NOW, None, "body")


@pytest.mark.parametrize(
    ("known", "row", "told"),
    [
        ([STANDING], wanted("LT-2"), "is on asset 'LT-1' already"),
        ([STANDING], wanted("LT-2", bound_from=NOW), "is on asset 'LT-1' in that time"),
        ([ENDED], wanted(), "was taken off asset 'LT-1'.*say in bound_from"),
        ([ENDED], wanted("LT-2", bound_from=NOW - 2 * DAY), "in that time"),
        ([], wanted(bound_from=NOW, bound_to=NOW), "comes before"),
    ],
)
def test_a_binding_that_can_not_be_says_what_to_do(known, row, told):
    with pytest.raises(TagError, match=told):
        bind(known, row, NOW)


def test_an_ended_tag_comes_back_onto_its_asset_where_the_row_says_since_when():
    assert bind([ENDED], wanted(bound_from=NOW), NOW) == Binding(EPC, "LT-1", NOW, None, "body")
