"""Scheduled counts: when they are due, what an observation makes of a line, and what the lines make of a place."""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from central.domain.presence.buckets import Bucket, Tally

CountKind = Literal[
    "quarterly_cycle", "annual_audit", "finance_close", "security_review", "monthly_control", "spot", "abc_cycle"
]
Grade = Literal["tag_seen", "barcode", "serial_seen", "serial_and_custodian"]
RunCoverage = Literal["searched", "sighted", "balanced", "none"]

EVERY_MONTHS: Final[Mapping[str, int]] = {
    "quarterly_cycle": 3,
    "annual_audit": 12,
    "finance_close": 3,
    "security_review": 6,
    "monthly_control": 1,
}
RANKS: Final = ("A", "B", "C")
DAYS_TO_COUNT: Final = 14
"""A count is due this long after the day that it is planned for."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An asset seen in a count: where, when, by whom, how well, and by what evidence. `confidence` is 0 to 1."""

    location: str
    at: datetime
    by: str
    grade: Grade
    evidence: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Booked:
    """A line of a count before it is judged: where the frozen book has the asset, and how it was seen."""

    asset: str
    booked: str | None
    seen: Seen | None
    radio: Bucket | None = None
    """What the perpetual count says of it where it is booked."""


@dataclass(frozen=True, slots=True)
class Place:
    """How a place of a count was covered: by a search, by radio since the start, by doors, or not."""

    coverage: RunCoverage
    probability: float | None = None


def due_on(planned_for: date) -> date:
    """Return the day by which a count is to be submitted."""
    return planned_for + timedelta(days=DAYS_TO_COUNT)


def next_on(kind: str, planned_for: date, rank_months: int | None = None) -> date:
    """Return when a kind of count is planned next: the same day some months later, or the month's last.

    What is counted on a month's last day stays there, or each February would move it for good. `rank_months` is the
    interval of the ABC rank that an abc_cycle counts.
    """
    month = planned_for.month - 1 + (rank_months or EVERY_MONTHS[kind])
    year, month = planned_for.year + month // 12, month % 12 + 1
    last = calendar.monthrange(year, month)[1]
    ends = planned_for.day == calendar.monthrange(planned_for.year, planned_for.month)[1]
    return date(year, month, last if ends else min(planned_for.day, last))


def newest(kind: str, on: date, today: date, rank_months: int | None = None) -> tuple[date, date]:
    """Return the last day, from `on`, that isn't after today, and the one after it: what slept is counted once."""
    after = next_on(kind, on, rank_months)
    while after <= today:
        on, after = after, next_on(kind, after, rank_months)
    return on, after


def judge(line: Booked, places: Mapping[str, Place]) -> Bucket:
    """Return the bucket of a line. `unexpected` was seen where the book hasn't got it; where it has it, it is missed.

    Missing needs a search, or sight and a credible silence; where nothing looked it stays unknown.
    """
    if line.seen is not None:
        return "found" if line.seen.location == line.booked else "unexpected"
    place = places.get(line.booked or "")
    coverage = place.coverage if place else "none"
    if coverage == "searched" or (coverage == "sighted" and line.radio == "missing"):
        return "missing"
    return "unknown"


def tally_of(place: str, coverage: RunCoverage, lines: Iterable[tuple[Booked, Bucket]]) -> Tally:
    """Return the figures of a place from all lines of its count. A search counts as sight."""
    counts = dict.fromkeys(("book", "found", "missing", "unexpected", "unknown"), 0)
    for line, bucket in lines:
        if line.booked == place:
            counts["book"] += 1
            counts["missing" if bucket == "unexpected" else bucket] += 1
        if bucket == "unexpected" and line.seen is not None and line.seen.location == place:
            counts["unexpected"] += 1
    if coverage == "none":  # what somebody saw there by chance is no count
        counts["unknown"], counts["found"], counts["missing"] = counts["book"], 0, 0
    return Tally("sighted" if coverage == "searched" else coverage, **counts)


def is_verified(at: datetime | None, valid_days: int, now: datetime) -> bool:
    """Whether a verification of the grade that the class wants still holds."""
    return at is not None and now <= at + timedelta(days=valid_days)
