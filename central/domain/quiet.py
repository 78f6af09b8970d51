"""Doors that are told to be quieter for a while: what a measure may be, and how a door behaves at an instant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from central.domain.places import PORTAL_MODES, Portal

MeasureKind = Literal["muted", "demoted"]

LONGEST: Final = {"muted": timedelta(hours=24), "demoted": timedelta(days=30)}
"""A mute outlives no day, a demotion no month: who wants more changes the door's own mode."""


class MeasureRefused(ValueError):  # noqa: N818 (a verdict on a measure, named as one)
    """A measure that can't be; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A door behaves as `mode` from `from_at` until before `until_at`, or until somebody ends it."""

    id: int
    portal: str
    kind: str
    mode: str
    reason: str
    by: str
    from_at: datetime
    until_at: datetime
    ended_at: datetime | None

    @property
    def end(self) -> datetime:
        """When it ends, or ended before its time."""
        return self.until_at if self.ended_at is None else min(self.ended_at, self.until_at)

    def holds(self, at: datetime) -> bool:
        """Tell whether it is in force; no timer ends it, the comparison does."""
        return self.from_at <= at < self.end


def mode_at(portal: Portal, measures: Iterable[Measure], at: datetime) -> str:
    """Return how a door behaves at an instant: the quietest of its own mode and all measures in force."""
    modes = [portal.mode, *(one.mode for one in measures if one.portal == portal.id and one.holds(at))]
    return min(modes, key=PORTAL_MODES.index)


def check_measure(portal: Portal, kind: MeasureKind, mode: str, from_at: datetime, until_at: datetime) -> None:
    """Raise `MeasureRefused` unless a measure is quieter than the door's own mode, ends, and ends soon enough."""
    if until_at <= from_at:
        raise MeasureRefused(f"it would end at {until_at.isoformat()}, which is not after its start: give a later end")
    if until_at - from_at > LONGEST[kind]:
        hours = LONGEST[kind] // timedelta(hours=1)
        raise MeasureRefused(f"a door is {kind} for {hours} hours at most: give an earlier end, or change its own mode")
    if PORTAL_MODES.index(mode) >= PORTAL_MODES.index(portal.mode):
        raise MeasureRefused(f"portal {portal.id} has the mode {portal.mode} already: {mode} would not be quieter")
