"""The way of an exception: any steps lead only along the table, and nothing ends without evidence."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from central.application.calendars import PlaceCalendars
from central.application.openings import Opening
from central.domain.exceptions.taxonomy import CATEGORIES, CLOSE_WITHIN_BD, EVIDENCE_KINDS, SEVERITIES
from central.domain.exceptions.terms import terms
from central.domain.exceptions.workflow import ENDED, HIGH_RISK, TABLE, Evidence, Standing, Step, StepRefused, take

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)  # a Thursday
SCAN = Evidence("scan", "handheld 7")
OPEN = Standing("missing", "high", "open")


def test_every_category_says_who_answers_how_it_closes_and_with_what():
    for name, one in CATEGORIES.items():
        assert one.name == name
        assert one.severity in SEVERITIES
        assert one.owner_role
        assert one.closure_path.endswith(".")
        assert one.evidence
        assert set(one.evidence) <= EVIDENCE_KINDS


def test_the_taxonomy_covers_what_the_process_demands():
    wanted = (
        "missing duplicate_serial duplicate_tag cloned_tag stale_record unassigned_asset "
        "retired_but_active active_but_disposed finance_mismatch not_received received_without_dispatch "
        "wrong_location unauthorised_exit unknown_tag unknown_device mdm_not_in_inventory untagged_issue "
        "tag_damaged serial_unreadable serial_mismatch wrong_model missing_quantity damaged "
        "no_purchase_record loaner_overdue repair_overdue not_returned missing_accessory "
        "no_disposal_certificate cost_centre_missing user_not_in_hrms count_variance coverage_gap "
        "ambiguous_passage"
    )

    assert set(wanted.split()) <= set(CATEGORIES)


def test_three_business_days_to_assign_and_fifteen_to_close_what_is_of_high_risk():
    found = terms("high", None, NOW, PlaceCalendars().count)
    assert (found.assign_by.date().isoformat(), found.due_at.date().isoformat()) == ("2026-03-10", "2026-03-26")
    assert CLOSE_WITHIN_BD["critical"] == CLOSE_WITHIN_BD["high"] == 15


@pytest.mark.parametrize(("category", "asset"), [("nonsense", "LT-1"), ("missing", None)])
def test_an_opening_without_a_known_category_or_a_subject_is_refused(category, asset):
    with pytest.raises(ValueError, match=r"taxonomy|neither"):
        Opening(category, None, asset, None, NOW, {})


def test_high_risk_is_proposed_by_one_and_approved_by_another_step():
    with pytest.raises(StepRefused, match="propose the closing"):
        take(OPEN, Step("close", "ann", evidence=SCAN))
    waiting = take(OPEN, Step("propose", "ann", outcome="closed", evidence=SCAN))
    done = take(waiting, Step("approve", "bob"))
    assert (waiting.state, done.state, done.proposed_by, done.decided_by) == (
        "awaiting_approval", "closed", "ann", "bob",
    )  # fmt: skip


def test_evidence_of_another_kind_closes_nothing_but_a_risk_may_be_accepted_on_it():
    rumour = Evidence("rumour", "somebody said")
    with pytest.raises(StepRefused, match="show one of sighting, scan, count, approval"):
        take(OPEN, Step("propose", "ann", outcome="closed", evidence=rumour))
    assert take(OPEN, Step("propose", "ann", outcome="accepted_risk", evidence=rumour)).state == "awaiting_approval"


def test_reopening_forgets_the_closing_and_counts():
    closed = take(replace(OPEN, severity="low"), Step("close", "ann", evidence=SCAN))
    again = take(closed, Step("reopen", "bob", reason="it was another one"))
    assert again == Standing("missing", "low", "open", reopened=1)


@pytest.mark.parametrize(
    ("before", "step", "told"),
    [
        (OPEN, Step("assign", "ann"), "names no owner"),
        (OPEN, Step("propose", "ann", evidence=SCAN), "names no outcome"),
        (OPEN, Step("propose", "ann", outcome="closed"), "shows no evidence"),
        (OPEN, Step("investigate", "ann"), "is open can't take the step investigate: it takes assign, propose, close"),
        (replace(OPEN, state="closed"), Step("reopen", "ann"), "gives no reason"),
        (replace(OPEN, state="awaiting_approval", outcome="closed"), Step("reject", "ann"), "gives no reason"),
    ],
)
def test_a_step_that_lacks_something_is_refused_with_what_to_do(before, step, told):
    with pytest.raises(StepRefused, match=told):
        take(before, step)


class Way(RuleBasedStateMachine):
    """Any steps by anybody."""

    def __init__(self) -> None:
        super().__init__()
        self.now = OPEN
        self.reopenings = 0

    @rule(
        name=st.sampled_from(sorted(TABLE)),
        by=st.sampled_from(["ann", "bob"]),
        owner=st.none() | st.just("cid"),
        outcome=st.none() | st.sampled_from(["closed", "accepted_risk"]),
        evidence=st.none() | st.just(SCAN) | st.just(Evidence("scan", " ")) | st.just(Evidence("rumour", "x")),
        reason=st.sampled_from(["", "because"]),
    )
    def step(self, **asked):
        """Take it: either refused and nothing changed, or exactly what the table says."""
        try:
            after = take(self.now, Step(**asked))
        except StepRefused:
            return
        target = TABLE[asked["name"]][self.now.state]
        assert after.state == (target if target != "by its outcome" else self.now.outcome)
        self.reopenings += asked["name"] == "reopen"
        self.now = after

    @rule(severity=st.sampled_from(SEVERITIES))
    def gets_worse_or_better(self, severity):
        """A source may raise an open one's severity."""
        if self.now.state not in ENDED:
            self.now = replace(self.now, severity=severity)

    @invariant()
    def holds(self):
        """What the database's constraints ask for holds after every step."""
        one = self.now
        ended = one.state in ENDED
        waits_or_ended = ended or one.state == "awaiting_approval"
        assert (one.evidence is not None) == (one.outcome is not None) == (one.proposed_by is not None)
        assert (one.evidence is not None) == waits_or_ended
        assert (one.decided_by is not None) == ended
        assert not ended or one.outcome == one.state
        assert one.state not in {"assigned", "investigating"} or one.owner
        assert one.reopened == self.reopenings


TestWay = Way.TestCase


def test_no_one_ends_what_is_of_high_risk_in_one_step():
    for severity in HIGH_RISK:
        with pytest.raises(StepRefused):
            take(replace(OPEN, severity=severity), Step("close", "ann", evidence=SCAN))
