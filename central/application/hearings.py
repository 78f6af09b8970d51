"""Hearings: what zones and sweeps heard of tags, as stories take it, and the stories that are told again for it.

The fold of a place notes them, in its own transaction; stories are told again afterwards, in another, so that a place
and the assets that it heard are never locked together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Final, Protocol

from central.application.errors import StoreUnavailable
from central.application.ports import Registry
from central.application.stories import Teller, tell
from central.domain.presence.spans import Heard as Hit
from central.domain.presence.spans import Round, Span
from central.domain.story import Heard

AT_ONCE: Final = 500
"""Stories that one transaction tells again."""
_SHARD: Final = 0


@dataclass(frozen=True, slots=True)
class Retold:
    """Assets whose stories were told again, and those whose weren't, each with why."""

    told: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there was anything to tell."""
        return bool(self.told or self.failed)


class Hearings(Protocol):
    """The hearings' part of a transaction."""

    async def take(self, limit: int) -> dict[str, datetime]:
        """Take assets whose stories are to be told again, with the instant from which something is new."""


class Listener(Teller, Protocol):
    """What telling again needs of a transaction."""

    @property
    def hearings(self) -> Hearings:
        """Where it stands what was heard."""

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a savepoint."""

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""


async def retell(transaction: Listener, now: datetime) -> Retold:
    """Tell stories again of which zones or sweeps heard something new, at most `AT_ONCE`.

    One that can't be told holds back no other: it is left as it was until there is news of its asset.
    """
    fresh = await transaction.hearings.take(AT_ONCE)
    if not fresh:
        return Retold()
    await transaction.stories.lock(fresh.keys())
    if await _told(transaction, fresh, now) is None:
        return Retold(tuple(fresh))
    failed = {one: why for one, at in fresh.items() if (why := await _told(transaction, {one: at}, now)) is not None}
    return Retold(tuple(one for one in fresh if one not in failed), failed)


async def _told(transaction: Listener, fresh: Mapping[str, datetime], now: datetime) -> str | None:
    """Tell stories under a savepoint; return why they can't be told, if so."""
    registry = await transaction.registry()
    try:
        async with transaction.savepoint():
            shards = dict.fromkeys(fresh, _SHARD)
            await tell(transaction, registry.world, registry.routes, shards, now, fresh=fresh)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 (a story that trips a fault of ours must not stop all others)
        return str(error) or type(error).__name__
    return None


def heard_in(location: str, spans: Iterable[Span], rounds: Iterable[Round]) -> list[Heard]:
    """Return what rounds of a place heard of each tag, all zones that listened together taken as one.

    How well a tag was heard stands against the middle of the round's tags: antennas and rooms differ too much for
    plain numbers.
    """
    told = defaultdict[tuple[str, str], list[Span]](list)
    for span in spans:
        told[span.zone, span.mode].append(span)
    found: dict[tuple[str, datetime, datetime], Heard] = {}
    for one in rounds:
        for heard in _heard(location, one, told[one.key]):
            key = (heard.epc, one.from_at, one.to_at)
            known = found.get(key)
            found[key] = heard if known is None else _better(known, heard)
    return list(found.values())


def _heard(location: str, one: Round, spans: Iterable[Span]) -> Iterable[Heard]:
    hits = _by_tag(span for span in spans if one.from_at <= span.from_at < one.to_at or span.from_at == one.from_at)
    reads = {epc: sum(hit.reads for hit in its) for epc, its in hits.items()}
    levels = {epc: max(its) for epc in hits if (its := [h.level_cdbm for h in hits[epc] if h.level_cdbm is not None])}
    usual_reads = median(reads.values()) if reads else 1
    usual_level = median(levels.values()) if levels else 0.0
    for epc, at in one.heard:
        share = round(reads[epc] / usual_reads, 2) if reads.get(epc) and usual_reads else 1.0
        level_db = round((levels[epc] - usual_level) / 100, 1) if epc in levels else None
        swept = one.mode == "sweep"
        yield Heard(at, location, epc, one.from_at, one.to_at, share, level_db, swept)


def _by_tag(spans: Iterable[Span]) -> Mapping[str, Sequence[Hit]]:
    """Return what spans heard of each tag; a span that came twice counts once."""
    hits = defaultdict[str, list[Hit]](list)
    for span in set(spans):
        for hit in span.heard:
            hits[hit.epc].append(hit)
    return hits


def _better(one: Heard, other: Heard) -> Heard:
    """Return what two zones of a place heard of a tag in the same time as one hearing: the better, and the later."""
    levels = [its for its in (one.level_db, other.level_db) if its is not None]
    return Heard(
        max(one.at, other.at),
        one.location,
        one.epc,
        one.from_at,
        one.until,
        max(one.share, other.share),
        max(levels, default=None),
        one.swept or other.swept,
    )
