"""What only people or connectors can see, said by hand: an exception of a category that no rule raises."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from central.application.errors import NotFound, StepUnfit
from central.application.exceptions import ExceptionDetail, Exceptions, Filter
from central.application.openings import Opening
from central.domain.exceptions.raising import BY_HAND, RAISED

SOURCE: Final = "hand"
"""By this name the queue knows what was reported."""
AHEAD: Final = timedelta(minutes=5)
"""A client's clock may be ahead by this."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody saw, of an asset, at a place, or both; `reference` is where it can be looked up."""

    category: str
    by: str
    at: datetime
    reference: str
    asset: str | None = None
    location: str | None = None
    note: str = ""


async def report(queue: Exceptions, one: Report, now: datetime) -> ExceptionDetail:
    """Open an exception, or add an occurrence to the one that is open; the same report again changes nothing.

    Raises:
        NotFound: nobody registered the asset, the place or the person.
        StepUnfit: a rule raises the category, `at` is to come, or neither asset nor place is named.
    """
    _check(one, now)
    told = {"reference": one.reference, "by": one.by} | ({"note": one.note} if one.note else {})
    opening = Opening(one.category, None, one.asset, one.location, one.at, told)
    async with queue.work() as work:
        if not await work.knows(one.by):
            raise NotFound(f"by: there is no active person {one.by!r}: import people.csv")
        for column, name in await work.unknown(one.asset, one.location):
            raise NotFound(f"{column}: {name!r} is not registered: import {column}s.csv")
        changed = await work.open_exceptions([opening], now, source=SOURCE)
        for exception in changed:
            await work.reported(exception, opening, one.by, now)
    return await _told(queue, one)


def _check(one: Report, now: datetime) -> None:
    raised = RAISED.get(one.category)
    if raised is None or raised.by == "rule":
        why = "is in no taxonomy" if raised is None else f"is raised by a rule ({raised.why})"
        raise StepUnfit(f"category: {one.category!r} {why}: report one of {', '.join(BY_HAND)}")
    if one.asset is None and one.location is None:
        raise StepUnfit("asset: name the asset, the location, or both")
    if one.at > now + AHEAD:
        raise StepUnfit(f"at: {one.at.isoformat()} is still to come")


async def _told(queue: Exceptions, one: Report) -> ExceptionDetail:
    chosen = Filter(category=one.category, asset=one.asset, location=one.location)
    for found in await queue.listed(chosen, 1000):
        if (found.asset, found.location) == (one.asset, one.location):
            return await queue.detail(found.id)
    raise StepUnfit(f"at: what was seen at {one.at.isoformat()} was reported before and closed since: reopen that one")
