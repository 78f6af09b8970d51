"""What the edge wrote against what the database holds, row by row."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg

from edge.contracts import ContractError, MovementRow, decode_row, instant_us

Place = tuple[str, str, int]
"""Stream, epoch, number."""


class Content(NamedTuple):
    """What must be the same on both sides of a movement row; other kinds of row are compared by their place."""

    passage: str
    rev: int
    final: bool
    portal: str
    epc: str
    kind: str
    reads: int
    at_us: int
    verdict: str  # at the door, with the snapshot that it was decided by; empty: nobody judged


@dataclass(frozen=True)
class Verdict:
    """Figures of one comparison; `sound` is what the trial is about."""

    written: int
    committed: int
    lost: int
    differing: int
    duplicated: int
    unknown: int  # in the database and never written: an `append` that was not durable
    quarantined: int
    disordered: int  # tags whose revisions don't stand in the order in which they were written

    @property
    def sound(self) -> bool:
        """Nothing was lost, changed, doubled, made up or put in another order."""
        return not (self.lost or self.differing or self.duplicated or self.unknown or self.disordered)


def compare(
    written: dict[Place, Content | None],
    database: Iterable[tuple[Place, Content | None]],
    quarantined: int = 0,
) -> Verdict:
    """Compare the rows of an outbox with all rows of the database, doubles included."""
    rows = list(database)
    places = Counter(place for place, _ in rows)
    revisions = Counter((content.passage, content.rev) for _, content in rows if content)
    held = dict(rows)
    return Verdict(
        written=len(written),
        committed=len(places),
        lost=sum(place not in held for place in written),
        differing=sum(place in held and held[place] != content for place, content in written.items()),
        duplicated=sum(n - 1 for n in places.values()) + sum(n - 1 for n in revisions.values()),
        unknown=sum(place not in written for place in held),
        quarantined=quarantined,
        disordered=_disordered(written, held),
    )


def _disordered(written: dict[Place, Content | None], held: dict[Place, Content | None]) -> int:
    """Count tags of which the two sides, each in the order of its numbers, tell another story."""
    both = written.keys() & held.keys()
    ours, theirs = (_stories({place: side[place] for place in both}) for side in (written, held))
    return sum(story != theirs.get(epc) for epc, story in ours.items())


def _stories(rows: dict[Place, Content | None]) -> dict[str, list[tuple[str, int]]]:
    """Return what happened to each tag: passages and their revisions."""
    stories: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for _, content in sorted(rows.items(), key=lambda row: row[0]):
        if content is not None:
            stories[content.epc].append((content.passage, content.rev))
    return stories


def outbox_rows(path: Path) -> dict[Place, Content | None]:
    """Read every row of an outbox's file, and every number that it has given away."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        streams = {
            name: (epoch, written) for name, epoch, written in db.execute("SELECT name, epoch, written FROM stream")
        }
        rows: dict[Place, Content | None] = {
            (name, epoch, seq): None for name, (epoch, written) in streams.items() for seq in range(1, written + 1)
        }
        for name, seq, payload in db.execute("SELECT stream, seq, payload FROM outbox_row"):
            rows[name, streams[name][0], seq] = _content(payload)
    return rows


def outbox_pending(path: Path) -> int:
    """Return how many numbers stand beyond the watermark."""
    pending = 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10.0)) as db:
        for written, upto, above in db.execute("SELECT written, upto, above FROM stream"):
            pending += written - upto - sum(high - low + 1 for low, high in msgspec.json.decode(above))
    return pending


def database_rows(dsn: str) -> tuple[list[tuple[Place, Content | None]], int]:
    """Read every sequenced row of the database, and how many of them are in quarantine."""
    with psycopg.connect(dsn) as db:
        movements: list[tuple[Place, Content | None]] = [
            (
                (stream, epoch, seq),
                Content(passage.hex, rev, final, portal, epc, kind, reads, round(at_us), _verdict(gate)),
            )
            for stream, epoch, seq, passage, rev, final, portal, epc, kind, reads, at_us, gate in db.execute(
                "SELECT stream, epoch, seq, passage, rev, final, portal, epc, kind, reads,"
                " extract(epoch FROM at) * 1000000, gate FROM movement"
            )
        ]
        others: list[tuple[Place, Content | None]] = [
            ((stream, epoch, seq), None)
            for table in ("loss", "sensor", "gap", "presence")
            for stream, epoch, seq in db.execute(f"SELECT stream, epoch, seq FROM {table}")  # noqa: S608 (our own names)
        ]
        query = "SELECT stream, epoch, seq, payload FROM quarantine WHERE seq IS NOT NULL"
        quarantine = [((stream, epoch, seq), _content(payload)) for stream, epoch, seq, payload in db.execute(query)]
    return [*movements, *others, *quarantine], len(quarantine)


def _content(payload: bytes) -> Content | None:
    try:
        row = decode_row(payload)
    except ContractError:
        return None
    if not isinstance(row, MovementRow):
        return None
    return Content(
        row.passage, row.rev, row.final, row.portal, row.epc, row.kind, row.reads, instant_us(row.at),
        _verdict(None if row.gate is None else msgspec.to_builtins(row.gate)),
    )  # fmt: skip


def _verdict(gate: dict[str, Any] | None) -> str:
    return "" if gate is None else f"{gate['verdict']} {gate['snapshot']} {gate['acted_at']}"
