"""HR's people against custody: who has an asset and leaves, has left, is unknown, or has changed department. Pure.

What a leaver has is to be back five business days before the exit (requirement 42). What isn't is told as soon as HR
names the day, more gravely once that date is over, and most so after the exit.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from central.domain.published import CalendarError
from central.domain.reconciling.comparing import Comparison, Finding, Theirs

BACK_BEFORE_BD: Final = 5
"""Business days before an exit by which all has to be back."""
FRIDAY: Final = 5
LONGEST_WAY_BACK_D: Final = 60
"""A calendar without a business day in so many days is no calendar."""
Stage = Literal["leaving", "late", "left"]
GRAVE: Final[Mapping[Stage, str]] = {"leaving": "low", "late": "medium", "left": "high"}
Works = Callable[[date], bool]
"""Tells whether a day is a business day."""


@dataclass(frozen=True, slots=True)
class Holding:
    """An asset that a person answers for, by custody, by a loan, or since it belongs to one that they have."""

    asset: str
    person: str
    cost_centre: str | None = None
    lent: bool = False
    within: bool = True
    """Whether the person, or else the asset, is of the place whose list is held against it."""


def back_by(leaves_on: date, works: Works) -> date:
    """Return the day by which a leaver's assets have to be back: five business days before the exit."""
    day, left = leaves_on, BACK_BEFORE_BD
    for _ in range(min(LONGEST_WAY_BACK_D, day.toordinal() - 1)):
        day -= timedelta(days=1)
        left -= _is_business_day(day, works)
        if left == 0:
            break
    return day


def _is_business_day(day: date, works: Works) -> bool:
    """Take weekdays where no calendar reaches: HR's lists have exits in 9999, for no end, and of long ago."""
    try:
        return works(day)
    except CalendarError:
        return day.isoweekday() <= FRIDAY


def compare_people(
    holdings: Collection[Holding], theirs: Sequence[Theirs], complete: Collection[str], today: date, works: Works
) -> Comparison:
    """Hold HR's people against custody.

    Args:
        holdings: what people answer for.
        theirs: HR's rows; the id is the person's.
        complete: anything, if the list has everybody.
        today: the day where the list is kept.
        works: the calendar there.
    """
    people = {row.id: row for row in theirs}
    findings = [
        finding for one in holdings for finding in _findings(one, people.get(one.person), complete, today, works)
    ]
    wrong = {one.asset for one in findings}
    matched = {one.asset for one in holdings if one.person in people} - wrong
    return Comparison(len(matched), tuple(sorted(findings, key=lambda one: one.key)))


def _findings(
    one: Holding, row: Theirs | None, complete: Collection[str], today: date, works: Works
) -> Iterator[Finding]:
    told = {"custodian": one.person}
    key, has = f"asset/{one.asset}/{one.person}", "on loan to" if one.lent else "in custody of"
    if row is None:
        if complete and one.within:
            why = f"{has} {one.person}, whom HR doesn't list"
            yield Finding("only_here", "user_not_in_hrms", "medium", one.asset, key, why, told)
        return
    told |= {"line": str(row.line)}
    if row.leaves_on is not None:
        yield _leaving(one, date.fromisoformat(row.leaves_on), today, works, told)
    elif not row.active:
        why = f"{has} {one.person}, who is not active by HR's list"
        yield Finding("conflict", "user_not_in_hrms", "medium", one.asset, key, why, told)
    if row.active and not one.lent and _differ(row.cost_centre, one.cost_centre):
        why = f"{one.person} belongs to cost centre {row.cost_centre} now, the asset to {one.cost_centre}"
        yield Finding("conflict", "transfer_review", "medium", one.asset, f"{key}/moved", why, told)


def _differ(theirs: str | None, ours: str | None) -> bool:
    return bool(theirs and ours and theirs.casefold() != ours.casefold())


def _leaving(one: Holding, leaves_on: date, today: date, works: Works, told: Mapping[str, str]) -> Finding:
    until = back_by(leaves_on, works)
    stage: Stage = "left" if today > leaves_on else "late" if today > until else "leaving"
    verb = "left" if stage == "left" else "leaves"
    why = f"{one.person} {verb} on {leaves_on}: to be back by {until}"
    more = {**told, "leaves_on": leaves_on.isoformat(), "back_by": until.isoformat()}
    return Finding(
        "conflict", "not_returned", GRAVE[stage], one.asset, f"asset/{one.asset}/{one.person}/{stage}", why, more
    )
