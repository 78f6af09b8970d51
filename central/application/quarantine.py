"""The quarantine's waiting items, tried again after a fix through the pipeline that ingest uses."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from central.application.commit import Committed, commit, commit_again
from central.application.ports import Log, Notice, Transaction
from central.application.records import Incoming, StreamKey
from edge.contracts import EpcPrefix


@dataclass(frozen=True, slots=True)
class Item:
    """A quarantined message or row; without a `seq` it is a whole message that had no place in a stream."""

    id: int
    topic: str
    payload: bytes
    whole: bool
    """Whether the quarantine kept all of its bytes."""
    key: StreamKey | None
    seq: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a retry did with an item: the rows that are committed now, or why it stays."""

    id: int
    rows: int
    problem: str


class QuarantineStore(Protocol):
    """Where waiting items stand."""

    async def waiting(self, ids: Collection[int] | None, limit: int) -> list[Item]:
        """Return items that wait, oldest first: those named, or all."""

    def transaction(self) -> AbstractAsyncContextManager["QuarantineTransaction"]:
        """Open a transaction."""


class QuarantineTransaction(Protocol):
    """One open transaction over log and quarantine."""

    @property
    def log(self) -> Transaction:
        """The log in this transaction."""

    async def still(self, ids: Collection[int]) -> set[int]:
        """Lock items and return those that wait still. Positions and assets are locked before: the order of ingest."""

    async def note(self, outcomes: Sequence[Outcome], by: str, now: datetime) -> None:
        """Settle items without a problem, and keep the newest reason of the others; the retry is an act."""


async def retry_rows(
    store: QuarantineStore,
    rows: Sequence[tuple[int, Incoming]],
    by: str,
    now: datetime,
    *,
    own: Sequence[EpcPrefix] = (),
) -> tuple[list[Outcome], Committed]:
    """Put rows that have a place in their streams through the pipeline again; doing it twice changes nothing."""
    async with store.transaction() as transaction:
        done = await commit_again(transaction.log, [row for _, row in rows], now, own=own)
        still = await transaction.still([item for item, _ in rows])
        problems = {(one.key, one.seq): one.reason for one in done.refused}
        absent = {(row.key, row.seq): "its gateway is not registered at that site" for row in done.unadmitted}
        outcomes = [
            Outcome(item, int(not problem), problem)
            for item, row in rows
            if item in still
            for problem in [problems.get((row.key, row.seq)) or absent.get((row.key, row.seq), "")]
        ]
        await transaction.note(outcomes, by, now)
    return outcomes, done


async def retry_message(
    log: Log,
    store: QuarantineStore,
    item: Item,
    rows: Sequence[Incoming],
    notices: Sequence[Notice],
    *,
    by: str,
    now: datetime,
    own: Sequence[EpcPrefix] = (),
) -> tuple[Outcome, Committed]:
    """Commit the rows of a message that can be read now; what is wrong with single rows goes to the quarantine."""
    done = await commit(log, rows, [], notices, now, own=own)
    problem = "its gateway is not registered" if done.waiting else ""
    outcome = Outcome(item.id, done.rows, problem)
    async with store.transaction() as transaction:
        if await transaction.still([item.id]):
            await transaction.note([outcome], by, now)
    return outcome, done
