"""When something that is open has to be looked at: the stages of a due date, and who hears of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from central.domain.calendars import Calendar, CalendarKey, day_of, end_of, middle_of

SubjectKind = Literal["receipt", "exception_assign", "exception_close", "repair", "loan", "gate_pass"]
Stage = Literal["warn", "due", "l1", "l2", "l3"]
SUBJECT_KINDS: Final[tuple[str, ...]] = get_args(SubjectKind)
LEVELS: Final[tuple[Stage, ...]] = ("l1", "l2", "l3")
STAND_INS: Final = frozenset({"receiver", "owner"})
"""In a path they stand for whom the obligation itself names."""
OWN_ROLES: Final = frozenset({
    "branch_admin", "itam_manager", "it_ops_head", "security", "service_desk", "service_desk_manager"
})  # fmt: skip
"""Roles that the policies name from the start, whether or not anybody has registered them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Who hears when: `path` has whom warning and due date go to, then one for each of `steps`, in business days after.

    `receiver` and `owner` in a path stand for whom the obligation itself names.
    """

    subject_kind: SubjectKind
    business_days: int | None
    warn: bool
    steps: tuple[int, ...]
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something open that is due: a receipt, a step of an exception, a repair, a loan.

    `answerable` is the role or person that the record names; a `path` of its own wins over the policy's.
    """

    kind: SubjectKind
    subject: str
    asset: str | None
    location: str | None
    start: datetime
    due_at: datetime
    answerable: str
    path: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Deadline:
    """One stage of an obligation: when it is reached and who hears of it."""

    kind: SubjectKind
    subject: str
    stage: Stage
    at: datetime
    due_at: datetime
    calendar: str
    recipient: str


def plan(obligation: Obligation, policy: Policy, place: CalendarKey, calendar: Calendar) -> tuple[Deadline, ...]:
    """Return all stages of an obligation, in order; `calendar` is the one that its start counts by.

    Raises:
        CalendarError: the calendar doesn't reach so far.
    """
    path = obligation.path or policy.path
    return tuple(
        Deadline(
            obligation.kind, obligation.subject, stage, at, obligation.due_at, calendar.version,
            _recipient(path, number, obligation),
        )
        for stage, at, number in _stages(obligation, policy, place, calendar)
    )  # fmt: skip


def _stages(
    obligation: Obligation, policy: Policy, place: CalendarKey, calendar: Calendar
) -> Iterator[tuple[Stage, datetime, int]]:
    """Yield each stage, its instant and the place of its recipient on the path."""
    due_at = obligation.due_at
    if policy.warn:
        half = halfway_to(obligation.start, due_at, place, calendar)
        if half < due_at:
            yield "warn", half, 0
    yield "due", due_at, 0
    for number, (level, days) in enumerate(zip(LEVELS, policy.steps, strict=False), 1):
        at = end_of(calendar.after(day_of(due_at, place), days), place) if days else due_at
        yield level, max(at, due_at), number


def halfway_to(start: datetime, due_at: datetime, place: CalendarKey, calendar: Calendar) -> datetime:
    """Return when half of the business days after the start's day up to the due date's day are over.

    An odd number's half is the middle of a day; where there is no business day between the two it is half the time.
    """
    first = day_of(start, place)
    count = calendar.between(first, day_of(due_at, place))
    if count <= 0:
        return start + (due_at - start) / 2
    if count % 2:
        return middle_of(calendar.after(first, count // 2 + 1), place)
    return end_of(calendar.after(first, count // 2), place)


def _recipient(path: Sequence[str], number: int, obligation: Obligation) -> str:
    """Return who hears: a path that is too short ends with its last."""
    name = path[min(number, len(path) - 1)]
    return obligation.answerable if name in STAND_INS else name
