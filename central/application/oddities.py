"""Oddities of a batch: passages against the registry, tags against their own history, and tags that aren't ours."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from typing import Final

from central.application.openings import Opening
from central.application.ports import Batch, Filed, Notice, Registry, Transaction
from central.domain.anomalies.records import Seen, Suspicion
from central.domain.anomalies.standing import CATEGORY_OF, suspect
from central.domain.anomalies.tags import Visit, cloned_tag, not_unique, stranger
from central.domain.anomalies.travel import impossible_travel
from edge.contracts import EpcPrefix

ALERTING: Final = frozenset({"retired_but_active", "lost_seen", "untagged_issue", "after_hours", "loaner_overdue"})
"""What a guard hears of; the rest waits in the queue for who answers for it."""
DOORS: Final = "doors"
PAIRS: Final = "pairs"
CHIPS: Final = "chips"
STRANGERS: Final = "strangers"
SEEN_AGAIN: Final = "it was seen again at a door"


@dataclass(frozen=True, slots=True)
class Odd:
    """What was odd: suspicions that alert, by passage, the ids of notices that changed, and whose tags were doubled."""

    suspicions: Mapping[str, Sequence[Suspicion]] = field(default_factory=dict)
    alerts: Sequence[int] = ()
    doubled: Collection[str] = ()
    """Assets of which a tag got into, or out of, being at two doors at once: their stories are to be told again."""


async def look(
    transaction: Transaction, registry: Registry, batch: Batch, own: Sequence[EpcPrefix], now: datetime
) -> Odd:
    """Judge a batch's passages by their finals, say in the queue what is odd, and return what alerts."""
    finals = [(one, asset) for one, asset in batch.movements if one.movement.final]
    alerts = await _strangers(transaction, registry, [one for one, asset in finals if asset is None], own, now)
    known = [(one, asset) for one, asset in batch.movements if asset is not None]
    if not known:
        return Odd(alerts=alerts)
    suspicions = await _doors(transaction, registry, known, batch.again, now)
    ours = [one for one, asset in finals if asset is not None]
    doubled: set[str] = set()
    if len(registry.sites) > 1 and ours:
        doubled = await _pairs(transaction, registry, ours, batch, now)
    await _chips(
        transaction, {one.movement.epc for one, asset in finals if asset is not None and one.movement.tid}, now
    )
    return Odd(_alerting(suspicions), alerts, doubled)


async def _doors(
    transaction: Transaction,
    registry: Registry,
    known: Sequence[tuple[Filed, str]],
    again: Collection[str],
    now: datetime,
) -> dict[str, list[Suspicion]]:
    """Judge passages by what the registry says of the asset.

    Nothing is odd about one that didn't cross and whose asset isn't watched for, so nobody reads those. A provisional
    that comes after its final is judged anew too: what the final showed must not be forgotten.
    """
    watched = await transaction.oddities.watched({asset for _, asset in known})
    asked = {
        one.movement.passage
        for one, asset in known
        if one.destination is not None or asset in watched or one.movement.passage in again
    }
    found = await transaction.oddities.seen(asked) if asked else []
    suspicions = {seen.passage: suspect(seen, subject, registry.knowledge) for seen, subject in found}
    said = [_opening(registry, seen, one) for seen, _ in found for one in suspicions[seen.passage]]
    if said or again:
        await transaction.settle_keys(DOORS, asked, said, now)
    await _seen_again(transaction, [seen.asset for seen, subject in found if subject.lost], now)
    return suspicions


async def suspicions_of(
    transaction: Transaction, registry: Registry, passages: Collection[str]
) -> Mapping[str, Sequence[Suspicion]]:
    """Return what alerts about passages that were committed before."""
    found = await transaction.oddities.seen(passages)
    return _alerting({seen.passage: suspect(seen, subject, registry.knowledge) for seen, subject in found})


def is_foreign(epc: str, own: Sequence[EpcPrefix]) -> bool:
    """Tell whether a tag without a record is somebody else's: such tags are counted and never kept."""
    return stranger(epc, own) == "foreign"


def _alerting(suspicions: Mapping[str, Sequence[Suspicion]]) -> dict[str, list[Suspicion]]:
    grave = {passage: [one for one in some if one.kind in ALERTING] for passage, some in suspicions.items()}
    return {passage: some for passage, some in grave.items() if some}


def _opening(registry: Registry, seen: Seen, one: Suspicion) -> Opening:
    told = {**one.evidence, "why": one.reason, "portal": seen.portal, "passage": seen.passage, "epc": seen.epc}
    place = registry.portals[seen.portal].inside
    category = CATEGORY_OF.get(one.kind, one.kind)
    return Opening(category, None, seen.asset, place, seen.at, told, seen.passage)


async def _seen_again(transaction: Transaction, assets: Collection[str], now: datetime) -> None:
    """Suggest that what was missing is closed: it is at a door."""
    if assets:
        await transaction.suggest_closing(["missing"], assets, SEEN_AGAIN, DOORS, now)


async def _pairs(
    transaction: Transaction, registry: Registry, finals: Sequence[Filed], batch: Batch, now: datetime
) -> set[str]:
    """Judge each passage with the one of the same tag before it, and the one after with it.

    Returns the assets whose tags may have got into, or out of, being at two doors at once: their stories change.
    """
    passages = {one.movement.passage for one in finals}
    times = Counter(one.movement.passage for one, _ in batch.movements)
    again = {passage for passage in passages if passage in batch.again or times[passage] > 1}
    found = await transaction.oddities.visits([one for one in finals if one.movement.passage not in again], again)
    if not found and not again:
        return set()
    assets = {visit.passage: asset for asset, visit in found}
    keys, openings = {passage for passage in passages if passage in assets or passage in again}, []
    for _, some in groupby((visit for _, visit in found), key=lambda visit: visit.epc):
        visits = list(some)
        after = {other.passage: one.passage for one, other in pairwise(visits)}
        keys |= {passage for passage, before in after.items() if before in passages}
        odd = [*impossible_travel(visits, registry.knowledge), *not_unique(visits, registry.knowledge)]
        openings += [
            Opening(one.kind, None, assets[visit.passage], visit.origin, visit.at, _told(visit, one), visit.passage)
            for visit, one in odd
        ]
    changed = await transaction.settle_keys(PAIRS, keys, [one for one in openings if one.key in keys], now)
    return set(assets.values()) if changed else set()


def _told(visit: Visit, one: Suspicion) -> dict[str, str]:
    return {**one.evidence, "why": one.reason, "portal": visit.portal, "epc": visit.epc}


async def _chips(transaction: Transaction, epcs: Collection[str], now: datetime) -> None:
    """Judge all chips that were ever seen with the EPCs: which is the copy may change with an older passage."""
    if not epcs:
        return
    found = await transaction.oddities.chips(epcs)
    of = {one.chip.passage: one for one in found}
    openings = []
    for (_, bound), some in groupby(found, key=lambda one: (one.chip.epc, one.bound)):
        for chip, one in cloned_tag([each.chip for each in some], bound):
            told = {**one.evidence, "why": one.reason, "epc": chip.epc}
            where = of[chip.passage]
            openings.append(Opening(one.kind, None, where.asset, where.inside, chip.at, told, chip.passage))
    await transaction.settle_keys(CHIPS, of.keys(), openings, now)


async def _strangers(
    transaction: Transaction, registry: Registry, rows: Sequence[Filed], own: Sequence[EpcPrefix], now: datetime
) -> list[int]:
    """Say that a tag of ours has no record, or was taken off; one that left a guarded place is told to the guard."""
    ours = [one for one in rows if stranger(one.movement.epc, own) == "unknown"]
    if not ours:
        return []
    once = await transaction.oddities.once_bound({one.movement.epc for one in ours})
    openings = [_stranger(registry, one, once.get(one.movement.epc)) for one in ours]
    await transaction.settle_keys(STRANGERS, {one.movement.passage for one in ours}, openings, now)
    return await transaction.give_notices(list(_left(registry, ours)), now)


def _stranger(registry: Registry, one: Filed, asset: str | None) -> Opening:
    row = one.movement
    told = {"epc": row.epc, "portal": row.portal, "kind": row.kind, "passage": row.passage}
    category = "unknown_tag" if asset is None else "retired_tag"
    return Opening(category, None, asset, registry.portals[row.portal].inside, row.at, told, row.passage)


def _left(registry: Registry, rows: Iterable[Filed]) -> Iterable[Notice]:
    for one in rows:
        if one.origin is None or one.destination is None:
            continue
        if registry.places.boundaries_left(one.origin, one.destination):
            portal = registry.portals[one.movement.portal]
            words = (
                f"Tag {one.movement.epc} is one of ours without a record, and left {registry.places[one.origin].name}"
            )
            reason = f"{words} by {portal.name}."
            yield Notice(f"unknown/{one.movement.passage}", "unknown_tag", "high", portal.gateway, reason)
