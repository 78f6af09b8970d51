"""Rows of the sequenced streams as the log keeps them: contract values turned into the database's types."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from edge.contracts import (
    GapRow,
    LossRow,
    MovementRow,
    PresenceRow,
    Row,
    SensorRow,
    check_row,
    event_id,
    moment,
)

# Structs of rows hold no cycle, so that the garbage collector need not walk through a hundred thousand that wait.
_JSON: Final = msgspec.json.Encoder()


class StreamKey(NamedTuple):
    """A sequenced stream; each epoch of it is numbered from 1."""

    gateway: str
    stream: str
    epoch: str


class Movement(msgspec.Struct, frozen=True, gc=False):
    """A movement row."""

    at: datetime
    passage: str
    rev: int
    final: bool
    portal: str
    epc: str
    tid: str | None
    kind: str
    confidence: float
    started_at: datetime
    crossed_at: datetime | None
    ended_at: datetime | None
    reads: int
    evidence: str
    batch: str | None
    gate: str | None
    clock: str
    traceparent: str | None
    reason: str | None
    synced: bool = True
    """Whether the gateway's host had the right time."""

    @property
    def id(self) -> str:
        """Event id of this revision."""
        return event_id(self.passage, self.rev)


@dataclass(frozen=True, slots=True)
class Sensor:
    """An input changed state, or an access controller told something of a door."""

    at: datetime
    reader: str
    gpi: int
    kind: str
    state: bool
    portal: str | None


@dataclass(frozen=True, slots=True)
class Loss:
    """A reader lost reads."""

    reader: str
    reason: str
    from_at: datetime
    to_at: datetime
    count: int | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that the edge had to drop."""

    first: int
    last: int
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Presence:
    """What a zone's antennas heard in a span."""

    from_at: datetime
    to_at: datetime
    zone: str
    mode: str
    antennas: str
    tags: str
    part: int
    parts: int
    complete: bool


Record = Movement | Sensor | Loss | Gap | Presence


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One row as it came: placed in its stream, and either a record or the problem with it."""

    site: str
    key: StreamKey
    seq: int
    raw: bytes
    record: Record | None
    problem: str = ""

    @property
    def span(self) -> tuple[int, int]:
        """The sequence numbers that are settled once this row is committed."""
        return (self.record.first, self.record.last) if isinstance(self.record, Gap) else (self.seq, self.seq)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something for the quarantine; without a `seq` it has no place in a stream."""

    topic: str
    reason: str
    payload: bytes
    at: datetime
    key: StreamKey | None = None
    seq: int | None = None


def to_record(row: Row) -> Record:
    """Turn a row into its record; a row that breaks a rule raises `ContractError`."""
    check_row(row)
    match row:
        case MovementRow():
            return _movement(row)
        case SensorRow():
            return Sensor(moment(row.at), row.reader, row.gpi, row.kind, row.state, row.portal)
        case LossRow():
            return Loss(row.reader, row.reason, moment(row.from_), moment(row.to), row.count)
        case GapRow():
            return Gap(row.first, row.last, row.reason, row.count)
        case PresenceRow():
            return _presence(row)


def _movement(row: MovementRow) -> Movement:
    encode, clock, gate = _JSON.encode, row.clock, row.gate
    return Movement(
        moment(row.at),
        row.passage,
        row.rev,
        row.final,
        row.portal,
        row.epc,
        row.tid,
        row.kind,
        row.confidence,
        moment(row.started_at),
        None if row.crossed_at is None else moment(row.crossed_at),
        None if row.ended_at is None else moment(row.ended_at),
        row.reads,
        encode(row.evidence).decode(),
        row.batch,
        None if gate is None else encode(gate).decode(),
        encode(clock).decode(),
        row.traceparent,
        row.reason,
        clock.host_synced,
    )


def _presence(row: PresenceRow) -> Presence:
    start, end = map(moment, row.span)
    part, parts = row.part
    antennas, tags = _JSON.encode(row.antennas).decode(), _JSON.encode(row.tags).decode()
    return Presence(start, end, row.zone, row.mode, antennas, tags, part, parts, row.complete)
