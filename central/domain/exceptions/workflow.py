"""The way of an exception from open to closed, as a table, and what each step asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from central.domain.exceptions.taxonomy import CATEGORIES

State = Literal["open", "assigned", "investigating", "awaiting_approval", "closed", "accepted_risk"]
StepName = Literal["assign", "investigate", "propose", "approve", "reject", "close", "reopen"]
Outcome = Literal["closed", "accepted_risk"]

ENDED: Final[frozenset[State]] = frozenset({"closed", "accepted_risk"})
HIGH_RISK: Final = frozenset({"critical", "high"})
DECIDED: Final = "by its outcome"
"""Where the step leads to what was proposed."""

TABLE: Final[Mapping[StepName, Mapping[State, str]]] = MappingProxyType({
    "assign": {"open": "assigned", "assigned": "assigned", "investigating": "assigned"},
    "investigate": {"assigned": "investigating"},
    "propose": dict.fromkeys(("open", "assigned", "investigating"), "awaiting_approval"),
    "approve": {"awaiting_approval": DECIDED},
    "reject": {"awaiting_approval": "investigating"},
    "close": dict.fromkeys(("open", "assigned", "investigating"), "closed"),
    "reopen": {"closed": "open", "accepted_risk": "open"},
})  # fmt: skip
"""For each step the states that it may start from, and where it leads."""


class StepRefused(ValueError):  # noqa: N818 (a verdict on a step, named as one)
    """A step that the state, or what came with it, doesn't allow; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a closing shows: its kind, where it can be looked up, and words."""

    kind: str
    reference: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """An exception as far as its steps depend on it."""

    category: str
    severity: str
    state: State
    owner: str | None = None
    outcome: Outcome | None = None
    proposed_by: str | None = None
    decided_by: str | None = None
    reopened: int = 0
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody asks for: `owner` with assign, `outcome` with propose, `evidence` with propose and close."""

    name: StepName
    by: str
    owner: str | None = None
    outcome: Outcome | None = None
    evidence: Evidence | None = None
    reason: str = ""


def take(before: Standing, step: Step) -> Standing:
    """Return the exception after a step.

    Raises:
        StepRefused: the state doesn't allow it, or something is missing. Who may do it is the database's to refuse.
    """
    target = TABLE[step.name].get(before.state)
    if target is None:
        allowed = ", ".join(name for name, states in TABLE.items() if before.state in states)
        raise StepRefused(f"an exception that is {before.state} can't take the step {step.name}: it takes {allowed}")
    return _STEPS[step.name](before, step)


def _assign(before: Standing, step: Step) -> Standing:
    if step.owner is None:
        raise StepRefused("assign names no owner: say which person takes it")
    return replace(before, state="assigned", owner=step.owner)


def _investigate(before: Standing, _step: Step) -> Standing:
    return replace(before, state="investigating")


def _propose(before: Standing, step: Step) -> Standing:
    if step.outcome is None:
        raise StepRefused("propose names no outcome: closed or accepted_risk")
    evidence = _shown(before, step)
    return replace(
        before, state="awaiting_approval", outcome=step.outcome, evidence=evidence, proposed_by=step.by
    )  # fmt: skip


def _approve(before: Standing, step: Step) -> Standing:
    assert before.outcome is not None  # noqa: S101 (awaiting_approval has one: the table leads nowhere else)
    return replace(before, state=before.outcome, decided_by=step.by)


def _reject(before: Standing, step: Step) -> Standing:
    if not step.reason.strip():
        raise StepRefused("reject gives no reason: say what is missing")
    owner = before.owner or before.proposed_by
    return replace(before, state="investigating", owner=owner, outcome=None, evidence=None, proposed_by=None)


def _close(before: Standing, step: Step) -> Standing:
    if before.severity in HIGH_RISK:
        raise StepRefused(f"its severity is {before.severity}: propose the closing, another person approves it")
    evidence = _shown(before, step)
    return replace(
        before, state="closed", outcome="closed", evidence=evidence, proposed_by=step.by, decided_by=step.by
    )  # fmt: skip


def _reopen(before: Standing, step: Step) -> Standing:
    if not step.reason.strip():
        raise StepRefused("reopen gives no reason: say what is wrong with its closing")
    return Standing(before.category, before.severity, "open", reopened=before.reopened + 1)


def _shown(before: Standing, step: Step) -> Evidence:
    """Return the evidence, if it is one that this category can be closed with."""
    if step.evidence is None or not step.evidence.reference.strip():
        raise StepRefused(f"{step.name} shows no evidence: give its kind and where it can be looked up")
    known = CATEGORIES[before.category]
    if step.outcome != "accepted_risk" and step.evidence.kind not in known.evidence:
        wanted = ", ".join(known.evidence)
        raise StepRefused(f"{step.evidence.kind} closes no {before.category}: show one of {wanted}")
    return step.evidence


_STEPS: Final = {
    "assign": _assign,
    "investigate": _investigate,
    "propose": _propose,
    "approve": _approve,
    "reject": _reject,
    "close": _close,
    "reopen": _reopen,
}
