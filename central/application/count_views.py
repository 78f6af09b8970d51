"""What is asked of live and scheduled counts, and what is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import Field

from central.application.views import Instant, View
from central.domain.counting import Grade
from central.domain.presence.buckets import Bucket, Tally
from central.domain.presence.tree import Rollup, roll_up


class CountView(View):
    """A count: how it was covered, and its buckets. `net` and `gross` are None if not counted or the book is empty."""

    counted: bool
    coverage: str
    book: int
    found: int
    missing: int
    unexpected: int
    unknown: int
    net: float | None
    gross: float | None


class SignedView(View):
    """The newest signed count of what is directly at a place, of all classes; the live count goes by radio alone."""

    run: int
    at: Instant
    by: str
    book: int
    found: int
    missing: int
    unexpected: int
    unknown: int


class PlaceCountView(View):
    """A location's live count: what is directly in it, and with all below it.

    `covered` is the share of the book (0 to 1) in `total` that was counted; `not_counted` names the places that
    weren't. `signed` is not told where only some of the assets are asked about.
    """

    id: str
    name: str
    parent: str | None
    probability: float | None
    sighted_at: Instant | None
    as_of: Instant | None
    own: CountView
    total: CountView
    covered: float | None
    not_counted: list[str]
    signed: SignedView | None = None


class DoubtView(View):
    """An asset that a count doubts: where, why, how likely it is there, and when it was last seen there."""

    asset: str
    name: str
    asset_class: str = Field(alias="class")
    model: str | None
    location: str
    bucket: Bucket
    probability: float | None
    seen_at: Instant | None
    elsewhere: str | None
    since: Instant
    verified_at: Instant | None = None
    """When somebody or something last verified it, and how well (`grade`)."""
    grade: str | None = None


class RunView(View):
    """A scheduled count and its state."""

    id: int
    kind: str
    location: str
    ranks: list[str]
    blind: bool
    state: str
    planned_for: date
    due_on: date
    planned_by: str
    frozen_at: Instant | None
    submitted_at: Instant | None
    submitted_by: str | None
    signed_at: Instant | None
    signed_by: str | None
    note: str


class ScheduleView(View):
    """What is counted again and again: `months` lie between two; the next is opened on `next_on` or soon after."""

    id: int
    kind: str
    location: str
    ranks: list[str]
    blind: bool
    next_on: date
    planned_by: str
    months: int | None


class RunPlaceView(View):
    """A place's result in a count; empty until it is submitted."""

    location: str
    searched_by: str | None
    coverage: str | None
    probability: float | None
    book: int | None
    found: int | None
    missing: int | None
    unexpected: int | None
    unknown: int | None
    net: float | None
    gross: float | None


class RunLineView(View):
    """A line of a count. A blind one shows what was observed only, until it is submitted."""

    asset: str
    booked: str | None
    observed: str | None
    observed_at: Instant | None
    observed_by: str | None
    grade: str | None
    evidence: str | None
    tag_silent: bool
    bucket: str | None


class RunDetail(RunView):
    """A count with its places and lines."""

    places: list[RunPlaceView]
    lines: list[RunLineView]


class VerificationView(View):
    """When an asset was verified: where, how, how well, by whom, with which evidence."""

    at: Instant
    location: str
    how: str
    grade: str
    confidence: float
    evidence: str
    by: str


class VerifiedView(View):
    """The last verification of an asset that its class accepts, and whether it still holds."""

    asset: str
    least_grade: str
    valid_days: int
    valid: bool
    valid_until: Instant | None
    last: VerificationView | None
    history: list[VerificationView]


class ZoneView(View):
    """A zone and where it lies; one without a location waits for somebody to say."""

    gateway: str
    zone: str
    location: str | None
    first_at: Instant | None
    last_at: Instant | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A count to be planned."""

    kind: str
    location: str
    ranks: tuple[str, ...]
    blind: bool
    planned_for: date
    by: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What somebody saw: an asset by its id, a tag or a serial; exactly one of them."""

    location: str
    at: datetime
    by: str
    grade: Grade
    evidence: str
    asset: str | None = None
    epc: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A location with its counters; those of a place that was never counted say "none"."""

    id: str
    name: str
    parent: str | None
    tally: Tally
    probability: float | None
    sighted_at: datetime | None
    as_of: datetime | None
    signed: SignedView | None = None


def live(rows: Sequence[PlaceRow]) -> list[PlaceCountView]:
    """Return the live count of each location and of all below it, in the order of the rows."""
    known = {row.id for row in rows}
    parents = {row.id: row.parent if row.parent in known else None for row in rows}
    totals = roll_up(parents, {row.id: row.tally for row in rows})
    return [_place_view(row, totals[row.id]) for row in rows]


def _place_view(row: PlaceRow, total: Rollup) -> PlaceCountView:
    summed = _view(total.tally, counted=total.counted, book=total.book)
    return PlaceCountView(
        id=row.id,
        name=row.name,
        parent=row.parent,
        probability=row.probability,
        sighted_at=row.sighted_at,
        as_of=row.as_of,
        own=_view(row.tally, counted=row.tally.counted, book=row.tally.book),
        total=summed,
        covered=total.covered,
        not_counted=list(total.not_counted),
        signed=row.signed,
    )


def _view(tally: Tally, *, counted: bool, book: int) -> CountView:
    """Return a count; what was counted in part has no variance, and what wasn't counted is unknown."""
    unknown = tally.unknown + book - tally.book
    net, gross = (tally.net, tally.gross) if counted else (None, None)
    figures: dict[str, Any] = {"found": tally.found, "missing": tally.missing, "unexpected": tally.unexpected}
    return CountView(
        counted=counted, coverage=tally.coverage, book=book, unknown=unknown, net=net, gross=gross, **figures
    )
