"""Whether an asset may leave: authorisations against the boundaries that a crossing leaves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from central.domain.places import Places

AUTHORISATION_KINDS: Final = ("issue", "transfer", "loan", "repair", "return", "disposal", "gate_pass", "standing")
PASS_KINDS: Final = ("returnable", "non_returnable", "inter_location")
"""Of gate passes: what is to come back, what leaves for good, and what goes to another place of ours."""


Span = tuple[datetime, datetime | None]
"""From an instant until before another, or without end."""


SAME_USE: Final = timedelta(seconds=10)
"""An asset with several tags goes through a door once: what its other tags show there within this is the same use."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A crossing of an asset by one of its tags, as far as it may use up a permission."""

    passage: str
    epc: str
    portal: str
    at: datetime
    origin: str
    destination: str


@dataclass(frozen=True, slots=True)
class Use:
    """On which exit an authorisation for one use was spent; each tag of the asset has its own passage of it."""

    at: datetime
    portal: str
    passages: tuple[str, ...]


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
    """When a hold, or data that nobody wiped, stood against it, by what was told then."""
    blocked_after_all: tuple[Span, ...] = ()
    """The same by what is told now; who says afterwards that a hold was released before the exit, says it late."""
    person: str | None = None
    """On whose name it is, if on anybody's."""
    single_use: bool = False
    use: Use | None = None
    """What it was spent on, if it is for one use and was."""

    def valid_at(self, at: datetime) -> bool:
        """Tell whether the authorisation holds at an instant, were it never used."""
        begun = self.valid_from is None or self.valid_from <= at
        ended = self.valid_to is not None and self.valid_to <= at
        return begun and not ended and not (_in(self.blocked, at) and _in(self.blocked_after_all, at))

    def told_by(self, at: datetime, known_by: datetime) -> bool:
        """Tell whether all that makes it hold at an instant was told by then."""
        return self.recorded_at <= known_by and not _in(self.blocked, at)

    def spent_for(self, at: datetime, passage: str | None = None) -> bool:
        """Tell whether another exit had used it up; without a passage, whether one before that instant had."""
        if self.use is None or at < self.use.at:
            return False
        return at > self.use.at if passage is None else passage not in self.use.passages


@dataclass(frozen=True, slots=True)
class ExitVerdict:
    """The central's judgement of one crossing; `boundary` is the one that decided it.

    `spent` would have allowed it, had another exit not used it up.
    """

    standing: Standing
    boundary: str | None = None
    authorisation: str | None = None
    spent: Authorisation | None = None


def judge_exit(
    places: Places,
    origin: str,
    destination: str,
    authorisations: Sequence[Authorisation],
    crossed_at: datetime,
    *,
    passage: str | None = None,
    known_by: datetime | None = None,
) -> ExitVerdict:
    """Judge a crossing by the authorisations of its asset; every boundary that it leaves must be covered.

    An authorisation counts in full only if it was recorded by `crossed_at`, and by `known_by`, which is when we heard
    of the crossing: a gateway whose clock is ahead must not make a late permission an early one. One recorded later and
    back-dated makes the exit authorised late. One for one use counts for the exit that it was spent on: that of
    `passage`, or without one the first by time.
    """
    boundaries = places.boundaries_left(origin, destination)
    if not boundaries:
        return ExitVerdict(Standing.NO_EXIT)
    known_by = min(crossed_at, known_by or crossed_at)
    verdicts = [_judge_boundary(places, one, authorisations, (crossed_at, known_by), passage) for one in boundaries]
    # Ties go to the outermost boundary: that is the one to name to a guard.
    return max(reversed(verdicts), key=lambda verdict: _GRAVITY.index(verdict.standing))


_GRAVITY = (Standing.NO_EXIT, Standing.AUTHORISED, Standing.AUTHORISED_LATE, Standing.UNAUTHORISED)


def spend(places: Places, exits: Iterable[Exit], authorisations: Sequence[Authorisation]) -> tuple[Authorisation, ...]:
    """Return an asset's authorisations, those for one use with the exit that each was spent on.

    An exit uses up one permission for each boundary that it leaves, unless one without a limit covers it; of several
    the one that ends first. One is used up where its own boundary is left, not at doors inside it. The order in which
    the exits came doesn't matter.
    """
    spent: dict[str, Use] = {}
    for use, first in _uses(exits):
        left = places.boundaries_left(first.origin, first.destination)
        for boundary in reversed(left):
            scope = places.chain(boundary)
            covering = [one for one in authorisations if one.boundary in scope and one.valid_at(first.at)]
            free = [one for one in covering if one.single_use and one.id not in spent and one.boundary in left]
            if free and all(one.single_use and spent.get(one.id) != use for one in covering):
                chosen = min(free, key=lambda one: (one.valid_to is None, one.valid_to or first.at, one.id))
                spent[chosen.id] = use
    return tuple(replace(one, use=spent.get(one.id)) for one in authorisations)


def pass_kind(kind: str | None, told: str | None) -> str | None:
    """Return the kind of a gate pass: what isn't said to stay away is to come back. None for other authorisations."""
    return (told or "returnable") if kind == "gate_pass" else None


def _in(spans: Iterable[Span], at: datetime) -> bool:
    return any(start <= at and (end is None or at < end) for start, end in spans)


def _uses(exits: Iterable[Exit]) -> list[tuple[Use, Exit]]:
    """Join the passages of one asset's tags that are one going through a door; in order of time."""
    found: list[tuple[Use, list[Exit]]] = []
    for one in sorted(exits, key=lambda each: (each.at, each.passage)):
        at, its = (found[-1][0].at, found[-1][1]) if found else (one.at, [])
        same = its and its[0].portal == one.portal and one.at - at <= SAME_USE
        if same and its[0].destination == one.destination and one.epc not in {each.epc for each in its}:
            its.append(one)
            found[-1] = replace(found[-1][0], passages=(*found[-1][0].passages, one.passage)), its
        else:
            found.append((Use(one.at, one.portal, (one.passage,)), [one]))
    return [(use, its[0]) for use, its in found]


def _judge_boundary(
    places: Places,
    boundary: str,
    authorisations: Iterable[Authorisation],
    when: tuple[datetime, datetime],
    passage: str | None,
) -> ExitVerdict:
    at, known_by = when
    scope = places.chain(boundary)
    covering = [one for one in authorisations if one.boundary in scope and one.valid_at(at)]
    valid = [one for one in covering if not one.spent_for(at, passage)]
    if not valid:
        spent = max(covering, key=lambda one: (one.use.at, one.id) if one.use else (at, ""), default=None)
        return ExitVerdict(Standing.UNAUTHORISED, boundary, spent=spent)
    first = min(valid, key=lambda one: (not one.told_by(at, known_by), one.recorded_at, one.id))
    standing = Standing.AUTHORISED if first.told_by(at, known_by) else Standing.AUTHORISED_LATE
    return ExitVerdict(standing, boundary, first.id)
