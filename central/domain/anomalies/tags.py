"""Tags that are not what they should be: copies, doubles, strangers, and ours without a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from central.domain.anomalies.records import Knowledge, Suspicion
from edge.contracts import EpcPrefix, under_prefix

CLOCKS_APART: Final = timedelta(seconds=2)
"""Two gateways' clocks may differ by this; what overlaps less is one tag that went from one to the other."""


@dataclass(frozen=True, slots=True)
class ChipSeen:
    """A passage in which the chip told its own number."""

    passage: str
    epc: str
    tid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChipOf:
    """A chip that was seen, and what its tag is on: the asset, the chip it was bound with, the door's inner side."""

    asset: str
    bound: str | None
    inside: str
    chip: ChipSeen


@dataclass(frozen=True, slots=True)
class Visit:
    """How long a tag was in range of a door: from its first read to its last."""

    passage: str
    epc: str
    portal: str
    gateway: str
    start: datetime
    end: datetime
    at: datetime
    origin: str
    synced: bool = True


def in_order(visit: Visit) -> tuple[datetime, str]:
    """Return what visits are ordered by."""
    return visit.at, visit.passage


def cloned_tag(chips: Sequence[ChipSeen], bound: str | None) -> list[tuple[ChipSeen, Suspicion]]:
    """Return the passages of one EPC whose chip is another than the one that it was bound with (requirement 10).

    Without a bound chip the first one seen is the right one. The order of `chips` doesn't matter.
    """
    ordered = sorted(chips, key=lambda one: (one.at, one.passage))
    right = bound or (ordered[0].tid if ordered else None)
    return [
        (one, Suspicion("cloned_tag", "high", f"EPC {one.epc} is on two chips.", {"tid": one.tid, "bound": str(right)}))
        for one in ordered
        if one.tid != right
    ]


def not_unique(visits: Sequence[Visit], known: Knowledge) -> list[tuple[Visit, Suspicion]]:
    """Return the visits of one EPC that overlap one at another gateway's door: one tag can't be at both (10).

    Doors that are neighbours hear each other's tags and are left out, as are gateways without the right time.
    """
    found = []
    for one, other in pairwise(sorted((each for each in visits if each.synced), key=in_order)):
        apart = one.gateway != other.gateway and other.portal not in known.neighbours.get(one.portal, frozenset())
        if apart and min(one.end, other.end) - max(one.start, other.start) > CLOCKS_APART:
            told = {"portal": other.portal, "other_portal": one.portal, "other_passage": one.passage}
            found.append((other, Suspicion("not_unique", "high", f"EPC {one.epc} was at two doors at once.", told)))
    return found


def duplicate_tag(epc: str, wanted_for: str, bound_to: str) -> Suspicion | None:
    """Tell of an EPC that is wanted for an asset while it is on another (requirement 10)."""
    if wanted_for == bound_to:
        return None
    reason = f"EPC {epc} is on {bound_to} and was to be put on {wanted_for}."
    return Suspicion("duplicate_tag", "high", reason, {"epc": epc, "wanted_for": wanted_for})


def stranger(epc: str, own: Sequence[EpcPrefix]) -> Literal["unknown", "foreign", "unjudged"]:
    """Say what a tag without a record is: ours, someone else's, or unjudged while no prefix is called ours (35).

    Tags of clothes and badges are foreign: they are counted and never kept.
    """
    if not own:
        return "unjudged"
    return "unknown" if any(under_prefix(epc, prefix) for prefix in own) else "foreign"
