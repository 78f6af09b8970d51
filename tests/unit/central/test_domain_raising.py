"""What raises exceptions: every category has a rule that stands in the code, or says why it is reported by hand."""

import inspect
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.anomalies.fading import BEFORE, LEFT, NEWEST, Reading, weaker
from central.domain.exceptions.raising import BY_HAND, RAISED
from central.domain.exceptions.taxonomy import CATEGORIES

DOCS = Path(__file__).parents[3] / "docs" / "asset-management.md"


def test_the_taxonomy_and_the_table_of_what_raises_it_name_the_same():
    assert RAISED.keys() == CATEGORIES.keys()


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_is_raised_by_a_rule_that_stands_there_or_by_hand(category):
    raised = RAISED[category]
    assert raised.why.endswith(".")
    module = import_module(raised.where)
    if raised.by == "hand":
        assert category in module.BY_HAND
        return
    text = inspect.getsource(module)
    if raised.where == "central.storage.exceptions":
        text = (files("central.storage") / "sql" / "queries" / "exceptions.sql").read_text(encoding="utf-8")
        assert f"(SELECT '{category}'" in text
    else:
        assert f'"{category}"' in text


def test_the_docs_name_what_is_reported_by_hand_and_nothing_else():
    (line,) = [one for one in DOCS.read_text(encoding="utf-8").splitlines() if one.startswith("By hand: ")]
    assert sorted(part.strip("`. ") for part in line.removeprefix("By hand: ").split(",")) == list(BY_HAND)


def readings(*reads, portal="d"):
    return [Reading(portal, one) for one in reads]


def test_a_tag_is_weak_when_its_newest_reads_are_all_below_what_was_usual_and_less_than_half():
    usual = [30] * BEFORE
    found = weaker(readings(*[10] * NEWEST, *usual))
    assert (found.portal, found.usual, found.now) == ("d", 30, 10)
    assert weaker(readings(*[10] * (NEWEST - 1), 30, *usual)) is None
    assert weaker(readings(*[20] * NEWEST, *usual)) is None
    assert weaker(readings(*[10] * NEWEST, *usual[1:])) is None


def test_doors_are_not_held_against_each_other():
    assert weaker([*readings(*[5] * 30, portal="far"), *readings(*[40] * 30, portal="near")]) is None


@given(st.lists(st.builds(Reading, st.sampled_from("ab"), st.integers(1, 200)), max_size=80))
def test_what_is_called_weak_is_weaker_at_that_very_door(reads):
    found = weaker(reads)
    if found is None:
        return
    here = [one.reads for one in reads if one.portal == found.portal]
    assert max(here[:NEWEST]) < found.usual
    assert found.now < LEFT * found.usual
    assert len(here) >= NEWEST + BEFORE
