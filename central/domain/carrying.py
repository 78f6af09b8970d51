"""Who carries an asset out: where a door's policy asks for the person too, a badge has to name one who may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BADGE_BEFORE: Final = timedelta(seconds=10)
BADGE_AFTER: Final = timedelta(seconds=5)
"""A badge belongs to a crossing from this long before it until this long after it (contracts: exits)."""
NEEDS: Final = ("asset", "asset+person")
STALE: Final = ("refuse", "trust")
"""What a door does whose snapshot is too old: refuse, or go by what it holds."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge that was shown at the door of a crossing; `at` is None for the one that the door itself tells with it."""

    person: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Carried:
    """What is known of who carried an asset through a door: its custodian then, and the badges around the crossing."""

    asset_class: str
    custodian: str | None
    badges: tuple[Badge, ...] = ()


def carrier_problem(carried: Carried, holders: Sequence[str], crossed_at: datetime) -> tuple[bool, str]:
    """Return whether no badge names one who may carry the asset, and what there is to say of it.

    Args:
        carried: the asset's custodian when it crossed, and badges at its door.
        holders: the persons on whose names its authorisations are.
        crossed_at: when it crossed.
    """
    may = {name.casefold(): name for name in (carried.custodian, *holders) if name}
    shown = [one.person for one in carried.badges if one.at is None or _belongs(one.at, crossed_at)]
    named = next((name for name in shown if name.casefold() in may), None)
    if named is not None:
        return False, f"{named} carried it, by badge."
    who = " or ".join(sorted(may.values())) or "nobody: it has neither custodian nor pass holder"
    by = f"The badge shown was {' and '.join(sorted(set(shown)))}'s" if shown else "No badge was shown"
    return True, f"Carried by another or unknown. {by}; who may carry it: {who}."


def _belongs(at: datetime, crossed_at: datetime) -> bool:
    return crossed_at - BADGE_BEFORE <= at <= crossed_at + BADGE_AFTER
