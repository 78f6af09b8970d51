"""The axes of an asset's state: folded from a set of acts, changed only as they allow."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain import axes
from central.domain.axes import NEXT, AssetState, AxisAct, AxisError, blocked_spans, check_lifecycle, fold_axes
from tests.helpers.central import START

WORDS = st.one_of(
    st.sampled_from(axes.LIFECYCLES).map(lambda one: ("lifecycle_set", None, {"lifecycle": one})),
    st.sampled_from(["p1", "p2"]).map(lambda one: ("custody_given", None, {"kind": "person", "custodian": one})),
    st.just(("custody_given", None, {"kind": "none", "custodian": None})),
    st.sampled_from(["p1", "p2"]).map(lambda one: ("custody_acknowledged", None, {"custodian": one})),
    st.sampled_from(axes.CONDITIONS).map(lambda one: ("condition_set", None, {"condition": one})),
    st.sampled_from(axes.DATA_STATES).map(lambda one: ("data_state_set", None, {"data_state": one})),
    st.sampled_from(["2027-01-31", None]).map(
        lambda one: ("title_set", None, {"title": "leased", "holder": "Lessor", "return_on": one})
    ),
    st.tuples(st.sampled_from("xy"), st.sampled_from(axes.HOLDS)).map(
        lambda one: ("hold_set", one[0], {"kind": one[1]})
    ),
    st.sampled_from("xy").map(lambda one: ("hold_released", one, {})),
)
ACTS = st.lists(st.tuples(st.integers(0, 6), WORDS), max_size=12).map(
    lambda many: [AxisAct(START + timedelta(hours=hour), *words) for hour, words in many]
)


def at(hours):
    return START + timedelta(hours=hours)


@given(ACTS, st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_acts_ends_in_the_same_state(acts, random):
    state = fold_axes(acts)
    again = acts + random.choices(acts, k=2) if acts else []
    random.shuffle(again)
    assert fold_axes(again) == state


@given(ACTS)
def test_each_axis_says_what_its_last_act_says(acts):
    """A naive reading, axis by axis, for acts that all have instants of their own."""
    apart = list({act.at: act for act in acts}.values())
    state = fold_axes(apart)
    for kind, word in (
        ("lifecycle_set", "lifecycle"),
        ("condition_set", "condition"),
        ("data_state_set", "data_state"),
    ):
        its = [act for act in apart if act.kind == kind]
        expected = max(its, key=lambda act: act.at).detail[word] if its else None
        assert getattr(state, word) == expected
    standing = {}
    for act in sorted((act for act in apart if act.subject), key=lambda act: act.at):
        standing[act.subject] = act.detail.get("kind")
    assert set(state.holds) == {kind for kind in standing.values() if kind}


def test_nothing_told_is_nothing_known():
    assert fold_axes([]) == AssetState()


def test_only_the_custodian_acknowledges_and_a_new_hand_over_waits_again():
    given_to = AxisAct(at(1), "custody_given", None, {"kind": "person", "custodian": "p1"})
    others = AxisAct(at(2), "custody_acknowledged", None, {"custodian": "p2"})
    early = AxisAct(at(0), "custody_acknowledged", None, {"custodian": "p1"})
    assert fold_axes([given_to, others, early]).custody_acknowledged_at is None
    own = AxisAct(at(3), "custody_acknowledged", None, {"custodian": "p1"})
    assert fold_axes([own, given_to]).custody_acknowledged_at == at(3)
    onward = AxisAct(at(4), "custody_given", None, {"kind": "person", "custodian": "p2"})
    state = fold_axes([onward, own, given_to])
    assert (state.custodian, state.custody_since, state.custody_acknowledged_at) == ("p2", at(4), None)


def test_a_hold_or_unwiped_data_block_and_say_which():
    held = fold_axes(
        [
            AxisAct(at(1), "hold_set", "case-1", {"kind": "legal"}),
            AxisAct(at(1), "hold_set", "case-2", {"kind": "legal"}),
            AxisAct(at(2), "hold_released", "case-1", {}),
            AxisAct(at(2), "data_state_set", None, {"data_state": "unwiped"}),
        ]
    )
    assert held.blocked_by == ("legal", "unwiped")


@given(ACTS, st.integers(0, 7))
def test_permissions_are_blocked_just_while_the_state_says_so(acts, hour):
    """At each instant the spans say what a fold of the acts up to then says."""
    blocked = any(start <= at(hour) and (end is None or at(hour) < end) for start, end in blocked_spans(acts))
    assert blocked == bool(fold_axes(act for act in acts if act.at <= at(hour)).blocked_by)


def test_a_lease_names_its_lessor_and_return_date():
    leased = AxisAct(at(1), "title_set", None, {"title": "leased", "holder": "Lessor", "return_on": "2027-01-31"})
    state = fold_axes([leased])
    assert (state.title, state.title_holder, state.title_return_on) == ("leased", "Lessor", date(2027, 1, 31))


@pytest.mark.parametrize("one", NEXT)
@pytest.mark.parametrize("other", NEXT)
def test_a_lifecycle_step_is_in_the_table_or_refused_with_what_may_follow(one, other):
    if other in NEXT[one]:
        check_lifecycle([(at(0), one)], at(1), other)
        return
    with pytest.raises(AxisError, match="already" if one == other else "can't follow"):
        check_lifecycle([(at(0), one)], at(1), other)


def test_a_back_dated_step_must_fit_what_came_before_and_after():
    history = [(at(0), "in_stock"), (at(4), "in_use")]
    check_lifecycle(history, at(2), "reserved")
    with pytest.raises(AxisError, match="in_use can't follow disposal_review"):
        check_lifecycle(history, at(2), "disposal_review")


def test_every_state_can_be_reached_and_only_disposal_ends():
    reached, waiting = set(), ["requested"]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += NEXT[state]
    assert reached == set(NEXT)
    assert [state for state, after in NEXT.items() if not after] == ["disposed"]
