"""What the rules judge: a passage, the asset behind its tag, and what is known of places and classes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal

from central.domain.places import Places
from central.domain.published import DayStatus

SuspicionKind = Literal[
    "retired_but_active", "lost_seen", "untagged_issue", "after_hours", "loaner_overdue", "custody_conflict"
]

Grade = Literal["critical", "high", "low"]
"""A severity as alerts have it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest final revision of a passage of one of our tags.

    `origin` and `destination` are set for a crossing only; `synced` says whether the gateway's host had the right time.
    """

    passage: str
    asset: str
    epc: str
    portal: str
    kind: str
    at: datetime
    origin: str | None
    destination: str | None
    synced: bool = True

    @property
    def crossed(self) -> bool:
        """Whether it went through the door."""
        return self.destination is not None


@dataclass(frozen=True, slots=True)
class Subject:
    """An asset as the registry has it; what nobody told yet is None."""

    asset_class: str
    serial: str | None
    lifecycle: str | None = None
    custody_kind: str = "none"
    custodian: str | None = None
    lost: bool = False
    loan_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """When a class may move or a place is open: ISO weekdays, local time from `opens` until before `closes`.

    Where `closes` comes before `opens` it is on the day after: a night shift belongs to the day on which it begins.
    """

    days: frozenset[int]
    opens: time
    closes: time

    def hold(self, local: datetime) -> bool:
        """Tell whether assets may move at a local time."""
        today, now = local.isoweekday(), local.time()
        if self.opens < self.closes:
            return today in self.days and self.opens <= now < self.closes
        yesterday = today - 1 or 7
        return (today in self.days and now >= self.opens) or (yesterday in self.days and now < self.closes)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a site lies, in degrees."""

    latitude: float
    longitude: float


def as_usual(_location: str, _at: datetime) -> DayStatus | None:
    """Say of each day that it is as usual."""
    return None


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What anomalies are judged by, beside the location tree.

    `timezones` holds each location's, inherited; `travel` the fastest way between two sites, the pair in order.
    `place_hours` are a location's own opening hours; `special(location, at)` says whether the local day of an instant
    is worked or closed otherwise than usual, None if it is as usual.
    """

    places: Places
    hours: Mapping[str, Hours] = field(default_factory=dict)
    place_hours: Mapping[str, tuple[Hours, ...]] = field(default_factory=dict)
    special: Callable[[str, datetime], DayStatus | None] = as_usual
    timezones: Mapping[str, str] = field(default_factory=dict)
    spots: Mapping[str, Spot] = field(default_factory=dict)
    travel: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)
    neighbours: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is odd, in words and figures for a person; `severity` as an alert has it."""

    kind: str
    severity: Grade
    reason: str
    evidence: Mapping[str, str] = field(default_factory=dict)
