"""Passages that don't go with what the registry says of the asset: retired, lost, in custody, not received, on loan."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from central.domain.anomalies.records import Grade, Knowledge, Seen, Subject, Suspicion

GONE: Final = frozenset({"retired", "disposed"})
NOT_RECEIVED: Final = frozenset({"requested", "ordered"})

Rule = Callable[[Seen, Subject, Knowledge], Suspicion | None]


def retired_but_active(seen: Seen, subject: Subject, _known: Knowledge) -> Suspicion | None:
    """Tell of an asset that is retired or disposed of by the record, and yet passes a door (requirement 32)."""
    if subject.lifecycle not in GONE:
        return None
    reason = f"By the record it is {subject.lifecycle}, and it was seen."
    return Suspicion("retired_but_active", _grave_if_crossed(seen), reason, {"lifecycle": str(subject.lifecycle)})


def lost_seen(seen: Seen, subject: Subject, _known: Knowledge) -> Suspicion | None:
    """Tell of an asset that is missing or lost by the queue, and is seen again (requirement 32)."""
    if not subject.lost:
        return None
    return Suspicion("lost_seen", _grave_if_crossed(seen), "It is missing or lost, and was seen again.")


def custody_conflict(seen: Seen, subject: Subject, known: Knowledge) -> Suspicion | None:
    """Tell of an asset in somebody's hands that comes into a stockroom, which is a guarded zone (requirement 33)."""
    if subject.lifecycle != "in_use" or subject.custody_kind != "person" or seen.destination is None:
        return None
    place = known.places[seen.destination]
    if place.kind != "zone" or not place.guarded:
        return None
    reason = f"It is in use by {subject.custodian}, and came into {place.name}."
    return Suspicion("custody_conflict", "low", reason, {"custodian": str(subject.custodian), "place": place.id})


def untagged_issue(seen: Seen, subject: Subject, known: Knowledge) -> Suspicion | None:
    """Tell of an asset that leaves a guarded place that wasn't received, or has no serial (requirement 9)."""
    if seen.origin is None or seen.destination is None:
        return None
    if not known.places.boundaries_left(seen.origin, seen.destination):
        return None
    if subject.lifecycle in NOT_RECEIVED:
        told = {"lifecycle": str(subject.lifecycle)}
        return Suspicion("untagged_issue", "high", f"It was never received: by the record {subject.lifecycle}.", told)
    if not subject.serial:
        return Suspicion("untagged_issue", "high", "Its serial was never recorded.", {"serial": ""})
    return None


def after_hours(seen: Seen, subject: Subject, known: Knowledge) -> Suspicion | None:
    """Tell of a crossing outside the hours of the asset's class or of the place that it left, in local time (36)."""
    hours = known.hours.get(subject.asset_class)
    if seen.origin is None or not seen.synced:
        return None
    local = seen.at.astimezone(ZoneInfo(known.timezones.get(seen.origin, "UTC")))
    if hours is None or hours.hold(local):
        return _while_closed(seen.origin, seen.at, local, known)
    reason = (
        f"A {subject.asset_class} moves from {hours.opens:%H:%M} to {hours.closes:%H:%M} only; it was {local:%a %H:%M}."
    )
    return Suspicion("after_hours", "high", reason, {"local_time": local.isoformat()})


def _while_closed(origin: str, at: datetime, local: datetime, known: Knowledge) -> Suspicion | None:
    """Tell of a crossing out of a place that is closed then; hours that it lacks are those of the place around it.

    A day that its calendar closes is closed all day; an extra working day has the hours of its first usual one.
    """
    place = next((one for one in known.places.chain(origin) if one in known.place_hours), None)
    if place is None:
        return None
    hours, day = known.place_hours[place], known.special(origin, at)
    today = [one for one in hours if local.isoweekday() in one.days]
    if day == "closed":
        today = []
    elif day == "working" and not today:
        today = [min(hours, key=lambda one: min(one.days))]
    if any(one.opens <= local.time() < one.closes for one in today):
        return None
    told = ", ".join(f"{one.opens:%H:%M} to {one.closes:%H:%M}" for one in today)
    reason = f"{known.places[place].name} is {f'open {told} only' if told else 'closed'}; it was {local:%a %H:%M}."
    return Suspicion("after_hours", "high", reason, {"local_time": local.isoformat(), "place": place})


def loaner_overdue(seen: Seen, subject: Subject, _known: Knowledge) -> Suspicion | None:
    """Tell of an asset on loan that is seen after the day on which it had to be back (requirement 40)."""
    if subject.loan_due is None or not seen.synced or seen.at <= subject.loan_due:
        return None
    due = subject.loan_due.date().isoformat()
    return Suspicion("loaner_overdue", "low", f"It had to be back on {due}.", {"due": due})


RULES: Final[tuple[Rule, ...]] = (
    retired_but_active, lost_seen, untagged_issue, after_hours, loaner_overdue, custody_conflict,
)  # fmt: skip
"""All of them, the gravest first."""
CATEGORY_OF: Final = {"lost_seen": "retired_but_active"}
"""Where the queue's category has another name than the suspicion."""


def suspect(seen: Seen, subject: Subject, known: Knowledge) -> list[Suspicion]:
    """Return all that is odd about a passage, the gravest first; a withdrawn one shows nothing."""
    if seen.kind in {"retracted", "unresolved"}:
        return []
    found = (rule(seen, subject, known) for rule in RULES)
    return [one for one in found if one is not None]


def _grave_if_crossed(seen: Seen) -> Grade:
    return "high" if seen.crossed else "low"
