"""A person's order to try quarantined items again, once the registry, a clock or this program was mended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from central.application.commit import Committed
from central.application.ports import Log
from central.application.quarantine import Item, Outcome, QuarantineStore, retry_message, retry_rows
from central.application.records import Incoming, Unreadable, to_record
from central.ingest.intake import read_envelope
from edge.contracts import ContractError, EpcPrefix, decode_row, parse_topic
from edge.contracts.topics import MOVEMENT, PRESENCE

BATCH_ROWS: Final = 1000
"""Rows that are tried in one transaction."""
TOO_LONG: Final = "only the beginning of it was kept, since it is over 64 KiB: the gateway has to send it again"
STALE: Final = "it is no row, and its gateway's newer word stands: nothing of it is missing"


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry came to."""

    outcomes: Sequence[Outcome]
    commits: Sequence[Committed]


async def retry(
    log: Log,
    store: QuarantineStore,
    ids: Collection[int] | None,
    *,
    limit: int,
    by: str,
    now: datetime,
    own: Sequence[EpcPrefix] = (),
) -> Retried:
    """Try waiting items again, those named or the oldest; every item is settled or keeps its newest reason."""
    items = await store.waiting(ids, limit)
    hopeless = [Outcome(item.id, 0, problem) for item in items if (problem := _hopeless(item))]
    async with store.transaction() as transaction:
        await transaction.note(hopeless, by, now)
    outcomes, commits = list(hopeless), list[Committed]()
    placed = [(item.id, _row(item)) for item in items if item.seq is not None and not _hopeless(item)]
    for start in range(0, len(placed), BATCH_ROWS):
        some, done = await retry_rows(store, placed[start : start + BATCH_ROWS], by, now, own=own)
        outcomes += some
        commits.append(done)
    for item in (one for one in items if one.seq is None and not _hopeless(one)):
        outcome, committed = await _whole(log, store, item, by, now, own=own)
        outcomes.append(outcome)
        commits += [committed] if committed else []
    return Retried(outcomes, commits)


def _hopeless(item: Item) -> str:
    if not item.whole:
        return TOO_LONG
    if item.seq is None and not item.topic.endswith((f"/{MOVEMENT}", f"/{PRESENCE}")):
        return STALE
    return ""


def _row(item: Item) -> Incoming:
    """Read a row whose place in its stream is known."""
    assert item.key is not None  # noqa: S101 (a row's place has both parts: the table's constraint)
    assert item.seq is not None  # noqa: S101 (the same)
    site = parse_topic(item.topic).site
    try:
        record = to_record(decode_row(item.payload))
    except ContractError as error:
        return Incoming(site, item.key, item.seq, item.payload, None, str(error))
    return Incoming(site, item.key, item.seq, item.payload, record)


async def _whole(
    log: Log, store: QuarantineStore, item: Item, by: str, now: datetime, *, own: Sequence[EpcPrefix]
) -> tuple[Outcome, Committed | None]:
    intake = read_envelope(item.topic, item.payload, now)
    if intake.rows:
        return await retry_message(log, store, item, intake.rows, intake.notices, by=by, now=now, own=own)
    outcome = Outcome(item.id, 0, _first(intake.unreadable))
    async with store.transaction() as transaction:
        await transaction.note([outcome], by, now)
    return outcome, None


def _first(problems: Sequence[Unreadable]) -> str:
    return problems[0].reason if problems else "it holds no rows"
