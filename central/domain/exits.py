"""Whether an asset may leave: authorisations against the boundaries that a crossing leaves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from central.domain.places import Places

AUTHORISATION_KINDS: Final = ("issue", "transfer", "loan", "repair", "return", "disposal", "gate_pass", "standing")


Span = tuple[datetime, datetime | None]
"""From an instant until before another, or without end."""


class Standing(StrEnum):
    """How a crossing stands to the authorisations."""

    NO_EXIT = "no_exit"
    AUTHORISED = "authorised"
    AUTHORISED_LATE = "authorised_late"
    UNAUTHORISED = "unauthorised"


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An asset may leave `boundary`, and every guarded location in it, from `valid_from` until before `valid_to`."""

    id: str
    asset: str
    boundary: str
    valid_from: datetime | None
    valid_to: datetime | None
    recorded_at: datetime
    blocked: tuple[Span, ...] = ()
    """When a hold, or data that nobody wiped, stood against it."""

    def valid_at(self, at: datetime) -> bool:
        """Tell whether the authorisation holds at an instant."""
        begun = self.valid_from is None or self.valid_from <= at
        ended = self.valid_to is not None and self.valid_to <= at
        blocked = any(start <= at and (end is None or at < end) for start, end in self.blocked)
        return begun and not ended and not blocked


@dataclass(frozen=True, slots=True)
class ExitVerdict:
    """The central's judgement of one crossing; `boundary` is the one that decided it."""

    standing: Standing
    boundary: str | None = None
    authorisation: str | None = None


def judge_exit(
    places: Places, origin: str, destination: str, authorisations: Sequence[Authorisation], crossed_at: datetime
) -> ExitVerdict:
    """Judge a crossing by the authorisations of its asset; every boundary that it leaves must be covered.

    An authorisation counts in full only if it was recorded by `crossed_at`; one recorded later and back-dated makes the
    exit authorised late.
    """
    boundaries = places.boundaries_left(origin, destination)
    if not boundaries:
        return ExitVerdict(Standing.NO_EXIT)
    verdicts = [_judge_boundary(places, boundary, authorisations, crossed_at) for boundary in boundaries]
    # Ties go to the outermost boundary: that is the one to name to a guard.
    return max(reversed(verdicts), key=lambda verdict: _GRAVITY.index(verdict.standing))


_GRAVITY = (Standing.NO_EXIT, Standing.AUTHORISED, Standing.AUTHORISED_LATE, Standing.UNAUTHORISED)


def _judge_boundary(
    places: Places, boundary: str, authorisations: Iterable[Authorisation], at: datetime
) -> ExitVerdict:
    scope = places.chain(boundary)
    valid = [one for one in authorisations if one.boundary in scope and one.valid_at(at)]
    if not valid:
        return ExitVerdict(Standing.UNAUTHORISED, boundary)
    first = min(valid, key=lambda one: (one.recorded_at, one.id))
    standing = Standing.AUTHORISED if first.recorded_at <= at else Standing.AUTHORISED_LATE
    return ExitVerdict(standing, boundary, first.id)
