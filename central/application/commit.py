"""Commit of a batch of rows: one idempotent transaction from what came to positions, projections and alerts."""

import contextlib
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from central.application.alarms import alarm_notices
from central.application.clocks import dated
from central.application.errors import RowsRefused, StoreUnavailable
from central.application.judge import judge_again, judge_movements
from central.application.leases import STRANGERS, Lease
from central.application.oddities import is_foreign, look
from central.application.ports import Batch, Filed, Log, Notice, Registry, Transaction
from central.application.records import Gap, Incoming, Movement, Presence, StreamKey, Unreadable
from central.application.stories import tell, tell_apart
from central.domain.position import Position
from edge.contracts import EpcPrefix, topic

EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)
AHEAD: Final = timedelta(hours=1)
"""Event times outside these are a broken clock's, not an event's (contracts: Movement event)."""
SHARDS: Final = 8
"""Counter rows a location that ingest writes; more than the workers that one machine runs."""
BY_HAND: Final = SHARDS
"""The counter rows of imports and other work beside ingest: a batch in halves locks its own rows in no order."""


@dataclass(slots=True)
class Committed:
    """What one transaction did."""

    positions: dict[StreamKey, Position] = field(default_factory=dict)
    movements: list[tuple[Filed, str | None]] = field(default_factory=list)
    locations: set[str] = field(default_factory=set)
    alerts: list[int] = field(default_factory=list)
    waiting: set[tuple[str, str]] = field(default_factory=set)
    rows: int = 0
    gap_rows: int = 0
    repeated: int = 0
    refused: list[Unreadable] = field(default_factory=list)
    """What went to the quarantine."""
    unknown_tags: int = 0
    foreign_tags: int = 0
    """Rows of tags that are nobody's of ours: counted here, kept nowhere."""
    unadmitted: Sequence[Incoming] = ()
    """Rows of a retry whose gateway isn't registered, or not at that site."""
    unheld: int = 0
    """Rows of gateways that another worker serves by now."""

    @property
    def rejected(self) -> int:
        """How many messages and rows went to the quarantine."""
        return len(self.refused)


async def commit(
    log: Log,
    rows: Sequence[Incoming],
    unreadable: Sequence[Unreadable],
    notices: Sequence[Notice],
    now: datetime,
    *,
    own: Sequence[EpcPrefix] = (),
    lease: Lease | None = None,
    shard: int | None = None,
) -> Committed:
    """Commit rows of any streams and what could not be read, in one transaction. Doing it twice changes nothing.

    `own` says which EPCs are ours; while it is empty no tag is foreign. Under a lease only rows of gateways whose fence
    still stands go in, and the transaction keeps it so; others are not committed and not acknowledged. Without one, the
    caller alone serves all gateways. `shard` numbers who commits: places are counted apart by it, so that nobody waits
    for another's commit there; without it each gateway's are.
    """
    async with log.transaction() as transaction:
        held = rows if lease is None else await _held(transaction, lease, rows)
        batch = _Batch(transaction, await transaction.registry(), now, own, shard)
        batch.done.unheld = len(rows) - len(held)
        return await batch.run(held, unreadable, notices)


async def commit_again(
    transaction: Transaction, rows: Sequence[Incoming], now: datetime, *, own: Sequence[EpcPrefix] = ()
) -> Committed:
    """Put rows through the pipeline whose places count as committed already; the open transaction is the caller's.

    What is refused again is only told: it stands in the quarantine.
    """
    return await _Batch(transaction, await transaction.registry(), now, own).run_again(rows)


async def _held(transaction: Transaction, lease: Lease, rows: Sequence[Incoming]) -> list[Incoming]:
    gateways = {row.key.gateway for row in rows}
    standing = await transaction.hold(lease, gateways & lease.fences.keys()) if gateways else set()
    strangers = STRANGERS in lease.fences
    registered = (await transaction.registry()).sites
    return [row for row in rows if row.key.gateway in standing or (strangers and row.key.gateway not in registered)]


@dataclass(slots=True)
class _Batch:
    """The work of one transaction."""

    transaction: Transaction
    registry: Registry
    now: datetime
    own: Sequence[EpcPrefix] = ()
    shard: int | None = None
    done: Committed = field(default_factory=Committed)
    refused: list[Unreadable] = field(default_factory=list)
    notices: dict[str, Notice] = field(default_factory=dict)

    async def run(
        self, rows: Sequence[Incoming], unreadable: Sequence[Unreadable], notices: Sequence[Notice]
    ) -> Committed:
        self.notices = {notice.key: notice for notice in notices}
        self.refused = list(unreadable)
        admitted = [row for row in rows if self._admit(row)]
        keys = {row.key for row in admitted}
        before = await self.transaction.lock_positions(keys, self.now) if keys else {}
        fresh = self._fresh(admitted, before)
        believed = self._believed(fresh)
        await self._file(believed)
        self.notices |= alarm_notices(believed, self.registry)
        await self.transaction.quarantine(self.refused)
        self.done.alerts += await self.transaction.give_notices(list(self.notices.values()), self.now)
        await self._advance(fresh, before)
        return self.done

    async def run_again(self, rows: Sequence[Incoming]) -> Committed:
        verdicts = [(row, self._admit(row)) for row in rows]
        admitted = [row for row, well in verdicts if well]
        self.done.unadmitted = [row for row, well in verdicts if not well]
        keys = {row.key for row in admitted}
        before = await self.transaction.lock_positions(keys, self.now) if keys else {}
        await self._file(self._believed(admitted))
        self.done.alerts += await self.transaction.give_notices(list(self.notices.values()), self.now)
        await self._advance(admitted, before)
        return self.done

    def _admit(self, row: Incoming) -> bool:
        """Let in rows of registered gateways on their own topic; others are neither committed nor acknowledged."""
        site = self.registry.sites.get(row.key.gateway)
        if site == row.site:
            return True
        if site is None:
            self.done.waiting.add((row.site, row.key.gateway))
        else:
            reason = f"gateway {row.key.gateway} is registered at site {site}, not {row.site}"
            self.refused.append(self._unreadable(row, reason, placed=False))
            self._accuse(row.key.gateway, reason)
        return False

    def _fresh(self, rows: Sequence[Incoming], before: dict[StreamKey, Position]) -> list[Incoming]:
        """Leave out what is committed already, and repeats within the batch."""
        fresh: dict[tuple[StreamKey, int], Incoming] = {}
        for row in rows:
            if row.seq in before[row.key]:
                continue
            fresh.setdefault((row.key, row.seq), row)
        self.done.repeated += len(rows) - len(fresh)
        return sorted(fresh.values(), key=lambda row: (row.key, row.seq))

    def _believed(self, rows: Sequence[Incoming]) -> list[Incoming]:
        found, notices = dated([row for row in rows if self._believe(row)], self.now)
        self.notices |= notices
        return found

    def _believe(self, row: Incoming) -> bool:
        """Quarantine a row that can't be read or may not be believed; its place in the stream counts as committed."""
        problem = row.problem or self._doubt(row)
        if problem:
            self.refused.append(self._unreadable(row, problem))
        return not problem

    def _doubt(self, row: Incoming) -> str:
        if isinstance(row.record, Presence) and (row.record.from_at < EARLIEST or row.record.to_at > self.now + AHEAD):
            span = f"{row.record.from_at.isoformat()} to {row.record.to_at.isoformat()}"
            return f"presence from {span} is before 2020 or over an hour ahead: set the gateway's clock"
        if not isinstance(row.record, Movement):
            return ""
        if row.record.at < EARLIEST or row.record.at > self.now + AHEAD:
            return (
                f"event time {row.record.at.isoformat()} is before 2020 or over an hour ahead: set the gateway's clock"
            )
        portal = self.registry.portals.get(row.record.portal)
        if portal is None or portal.gateway != row.key.gateway:
            reason = f"portal {row.record.portal!r} is not assigned to gateway {row.key.gateway}: see portals.csv"
            self._accuse(row.key.gateway, reason)
            return reason
        return ""

    async def _file(self, rows: Sequence[Incoming], *, part: bool = False) -> None:
        """Apply rows under a savepoint; where they fail, halve them until the failing ones stand alone."""
        if not rows:
            return
        try:
            async with self.transaction.savepoint():
                done = await self._apply(rows)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 (a row that trips a fault of ours must not block all the others)
            if len(rows) > 1:
                if not part:
                    await self._lock(rows)
                middle = len(rows) // 2
                await self._file(rows[:middle], part=True)
                await self._file(rows[middle:], part=True)
                return
            self.refused.append(self._unreadable(rows[0], f"could not be committed: {error}"))
        else:
            self._note(done)

    async def _lock(self, rows: Sequence[Incoming]) -> None:
        """Lock the assets of all rows before their halves do: each half in order is no order over both."""
        with contextlib.suppress(RowsRefused):  # a tag that can't be looked up: its half fails by itself
            async with self.transaction.savepoint():
                await self.transaction.lock_assets({row.record.epc for row in rows if isinstance(row.record, Movement)})

    async def _apply(self, rows: Sequence[Incoming]) -> Committed:
        """Append rows to the log and bring projections and alerts up to it.

        Assets are locked once the rows are appended, which is half of the work: of two batches that saw one asset the
        second waits for what is judged and told of it, not for the log. Whoever locks it last sees the rows of both.
        """
        done = Committed(rows=len(rows), gap_rows=sum(isinstance(row.record, Gap) for row in rows))
        filed = [self._resolve(row, row.record) for row in rows if isinstance(row.record, Movement)]
        await self.transaction.add_others([row for row in rows if not isinstance(row.record, Movement)], self.now)
        kept = await self._kept(filed)
        done.foreign_tags, filed = len(filed) - len(kept), kept
        if not filed:
            return done
        again = await self.transaction.add_movements(filed, self.now)
        bindings = await self.transaction.lock_assets({one.movement.epc for one in filed})
        await self.transaction.hold_places(filed)
        done.movements = [(one, bindings.asset_at(one.movement.epc, one.movement.at)) for one in filed]
        done.unknown_tags = sum(asset is None for _, asset in done.movements)
        registry = self.registry
        moved, fresh = _moved(done.movements, self.shard)
        parts = await self.transaction.stories.carried(moved)
        for child, parent in parts.items():
            moved[child] = moved[parent]
            fresh.pop(child, None)
        stories = await tell(self.transaction, registry.world, registry.routes, moved, self.now, fresh=fresh)
        done.locations |= stories.locations
        await tell_apart(self.transaction, moved, self.now)
        batch = Batch(done.movements, again)
        odd = await look(self.transaction, registry, batch, self.own, self.now)
        if odd.doubled:
            shards = {asset: moved.get(asset, _shard(self.shard, "")) for asset in odd.doubled}
            retold = await tell(self.transaction, registry.world, registry.routes, shards, self.now)
            done.locations |= retold.locations
        done.alerts = await judge_movements(self.transaction, registry, batch, odd.suspicions, self.now)
        done.alerts += odd.alerts
        if parts:  # what seemed to go alone goes by the permission of what it lies in, which was seen a little later
            done.alerts += await judge_again(self.transaction, registry, parts, self.now)
        return done

    async def _kept(self, filed: list[Filed]) -> list[Filed]:
        """Leave out the rows of foreign tags that never were on an asset."""
        seen = {one.movement.epc for one in filed} if self.own else ()
        foreign = {epc for epc in seen if is_foreign(epc, self.own)}
        if not foreign:
            return filed
        foreign -= await self.transaction.registered(foreign)
        return [one for one in filed if one.movement.epc not in foreign]

    def _resolve(self, row: Incoming, movement: Movement) -> Filed:
        crossing = self.registry.portals[movement.portal].crossing(movement.kind)
        origin, destination = crossing or (None, None)
        return Filed(row, movement, origin, destination)

    def _note(self, done: Committed) -> None:
        self.done.rows += done.rows
        self.done.gap_rows += done.gap_rows
        self.done.movements += done.movements
        self.done.locations |= done.locations
        self.done.alerts += done.alerts
        self.done.unknown_tags += done.unknown_tags
        self.done.foreign_tags += done.foreign_tags

    async def _advance(self, fresh: Sequence[Incoming], before: dict[StreamKey, Position]) -> None:
        refused = {(item.key, item.seq) for item in self.refused}
        spans: dict[StreamKey, list[tuple[int, int]]] = {key: [] for key in before}
        for row in fresh:
            spans[row.key].append((row.seq, row.seq) if (row.key, row.seq) in refused else row.span)
        after = {key: position.including(spans[key]) for key, position in before.items()}
        self.done.refused = self.refused
        self.done.positions = after
        await self.transaction.save_positions({k: v for k, v in after.items() if v != before[k]}, self.now)

    def _accuse(self, gateway: str, reason: str) -> None:
        key = f"identity/{gateway}/{zlib.crc32(reason.encode()):08x}"
        self.notices.setdefault(key, Notice(key, "identity_mismatch", "high", gateway, reason))

    def _unreadable(self, row: Incoming, reason: str, *, placed: bool = True) -> Unreadable:
        key, seq = (row.key, row.seq) if placed else (None, None)
        return Unreadable(_topic_of(row), reason, row.raw, self.now, key, seq)


def shard_of(gateway: str) -> int:
    """Return the counter shard of a gateway's ingest partition."""
    return zlib.crc32(gateway.encode()) % SHARDS


def _shard(committer: int | None, gateway: str) -> int:
    return shard_of(gateway) if committer is None else committer % SHARDS


def _moved(
    movements: Collection[tuple[Filed, str | None]], committer: int | None
) -> tuple[dict[str, int], dict[str, datetime]]:
    """Return the assets whose story may have changed with the shard of a gateway that saw each, and since when it may.

    A passage that ends as something else than a crossing changes a story only if a lower revision of it was a crossing;
    then nobody knows since when.
    """
    shards: dict[str, int] = {}
    since: dict[str, datetime] = {}
    whole: set[str] = set()
    for one, asset in movements:
        if asset is None or not one.movement.final or (one.destination is None and one.movement.rev == 1):
            continue
        shards[asset] = _shard(committer, one.row.key.gateway)
        since[asset] = min(since.get(asset, one.movement.at), one.movement.at)
        if one.destination is None:
            whole.add(asset)
    return shards, {asset: at for asset, at in since.items() if asset not in whole}


def _topic_of(row: Incoming) -> str:
    return topic(row.site, row.key.gateway, row.key.stream)
