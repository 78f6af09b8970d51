"""HR's people against custody: who has an asset and leaves, has left, is unknown, or has changed department. Pure.

What a leaver has is to be back five business days before the exit (requirement 42). What isn't is told as soon as HR
names the day, more gravely once that date is over, and most so after the exit.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from central.domain.reconciling.comparing import Comparison, Finding, Theirs

BACK_BEFORE_BD: Final = 5
"""Business days before an exit by which all has to be back."""
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


def back_by(leaves_on: date, works: Works) -> date:
    """Return the day by which a leaver's assets have to be back: five business days before the exit."""
    day, left = leaves_on, BACK_BEFORE_BD
    for _ in range(LONGEST_WAY_BACK_D):
        day -= timedelta(days=1)
        left -= works(day)
        if left == 0:
            break
    return day


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
    if row is None:
        if complete:
            why = f"in custody of {one.person}, whom HR doesn't list"
            yield Finding("only_here", "user_not_in_hrms", "medium", one.asset, f"asset/{one.asset}", why, told)
        return
    told |= {"line": str(row.line)}
    if row.leaves_on is not None:
        yield _leaving(one, date.fromisoformat(row.leaves_on), today, works, told)
    elif not row.active:
        why = f"in custody of {one.person}, who is not active by HR's list"
        yield Finding("conflict", "user_not_in_hrms", "medium", one.asset, f"asset/{one.asset}", why, told)
    if row.active and row.cost_centre and one.cost_centre and row.cost_centre.casefold() != one.cost_centre.casefold():
        why = f"{one.person} belongs to cost centre {row.cost_centre} now, the asset to {one.cost_centre}"
        yield Finding("conflict", "transfer_review", "medium", one.asset, f"asset/{one.asset}/moved", why, told)


def _leaving(one: Holding, leaves_on: date, today: date, works: Works, told: Mapping[str, str]) -> Finding:
    until = back_by(leaves_on, works)
    stage: Stage = "left" if today > leaves_on else "late" if today > until else "leaving"
    verb = "left" if stage == "left" else "leaves"
    why = f"{one.person} {verb} on {leaves_on}: to be back by {until}"
    more = {**told, "leaves_on": leaves_on.isoformat(), "back_by": until.isoformat()}
    return Finding("conflict", "not_returned", GRAVE[stage], one.asset, f"asset/{one.asset}/{stage}", why, more)
