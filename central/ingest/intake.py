"""One MQTT message -> rows placed in their streams, or something for the quarantine. Pure: any bytes give a value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from central.application.ports import Notice
from central.application.records import Incoming, Record, StreamKey, Unreadable, to_record
from edge.contracts import (
    ContractError,
    Envelope,
    Health,
    State,
    Topic,
    decode_envelope,
    decode_health,
    decode_row,
    decode_state,
    parse_topic,
)

_EPOCH: Final = re.compile(r"[!-~]{1,40}")
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The escape of a character that the database's JSON can't hold."""
GLIMPSED_BYTES: Final = 32 * 1024
"""Some forty rows: more at once are a backlog's, at which nobody looks twice."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What one message, or several, came to."""

    rows: list[Incoming] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def add(self, other: "Intake") -> None:
        """Take in what another came to, after its own."""
        self.rows.extend(other.rows)
        self.unreadable.extend(other.unreadable)
        self.notices.extend(other.notices)


@dataclass(frozen=True, slots=True)
class Word:
    """A gateway's unsequenced message: birth, will or heartbeat."""

    topic: Topic
    message: State | Health
    payload: bytes


class _Numbered(msgspec.Struct):
    """The least of a row that gives it a place in its stream."""

    seq: Annotated[int, msgspec.Meta(ge=1)]


class _Found(NamedTuple):
    """A row as it came, with the number that it tells itself: its record, or why there is none."""

    payload: bytes
    seq: int | None
    record: Record | None = None
    problem: str = ""


class _Verdict(msgspec.Struct):
    verdict: str


class _Glimpse(msgspec.Struct):
    """What tells of a movement row whether it may raise an alarm; no other row can be read as one."""

    row: Literal["movement"]
    final: bool
    kind: str
    gate: _Verdict | None = None


class _Glimpses(msgspec.Struct):
    events: list[_Glimpse]


_numbered: Final = msgspec.json.Decoder(_Numbered)
_glimpses: Final = msgspec.json.Decoder(_Glimpses)


def is_alarm(payload: bytes) -> bool:
    """Tell whether each row of an envelope is a movement that may raise an alarm, as edges send them before their turn.

    Inputs (a fire, a forced door) are none here: of those the last word holds, so they keep their turn.
    """
    if len(payload) > GLIMPSED_BYTES:
        return False
    try:
        rows = _glimpses.decode(payload).events
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return bool(rows) and all(
        not row.final or row.kind == "out" or (row.gate is not None and row.gate.verdict != "allow") for row in rows
    )


def read_envelope(text: str, payload: bytes, now: datetime) -> Intake:
    """Take an envelope apart; what is wrong with all of it is quarantined and has no place in a stream."""
    try:
        where = parse_topic(text)
        envelope = decode_envelope(payload)
        _check(envelope)
    except ContractError as error:
        return Intake(unreadable=[Unreadable(text, str(error), payload, now)])
    if (envelope.gateway, envelope.stream) != (where.gateway, where.channel):
        reason = f"the payload speaks for {envelope.gateway}/{envelope.stream} on the topic {text}"
        notice = Notice(f"identity/{where.gateway}/topic", "identity_mismatch", "high", where.gateway, reason)
        return Intake(unreadable=[Unreadable(text, reason, payload, now)], notices=[notice])
    return _read_rows(text, where.site, envelope, now)


def read_word(text: str, payload: bytes, now: datetime) -> Word | Unreadable:
    """Read a birth message, will or heartbeat."""
    try:
        where = parse_topic(text)
        message = decode_state(payload) if where.channel == "state" else decode_health(payload)
    except ContractError as error:
        return Unreadable(text, str(error), payload, now)
    if _NUL.search(payload):
        return Unreadable(text, "a text in it holds a NUL character", payload, now)
    if isinstance(message, Health) and message.gateway != where.gateway:
        return Unreadable(text, f"the heartbeat of gateway {message.gateway} came on the topic {text}", payload, now)
    return Word(where, message, payload)


def _check(envelope: Envelope) -> None:
    if not _EPOCH.fullmatch(envelope.epoch):
        raise ContractError(f"epoch {envelope.epoch!r}: use 1 to 40 printable ASCII characters without spaces")


def _read_rows(text: str, site: str, envelope: Envelope, now: datetime) -> Intake:
    """Read each row; one that can't be read keeps the place that its number, or its neighbours, give it."""
    key = StreamKey(envelope.gateway, envelope.stream, envelope.epoch)
    intake = Intake()
    found = [_read_row(bytes(raw)) for raw in envelope.events]
    seqs = _number(envelope, [one.seq for one in found])
    for one, seq in zip(found, seqs, strict=True):
        if seq is None:
            reason = f"a row has no seq from {envelope.first} to {envelope.last} and none could be told from its place"
            intake.unreadable.append(Unreadable(text, reason, one.payload, now))
        else:
            intake.rows.append(Incoming(site, key, seq, one.payload, one.record, one.problem))
    return intake


def _read_row(payload: bytes) -> _Found:
    try:
        row = decode_row(payload)
    except ContractError as error:
        return _Found(payload, _own_number(payload), problem=str(error))
    try:
        return _Found(payload, row.seq, to_record(row))
    except ContractError as error:
        return _Found(payload, row.seq, problem=str(error))


def _number(envelope: Envelope, told: Sequence[int | None]) -> Sequence[int | None]:
    """Return each row's sequence number: its own, or for a row without one the next after the row before it."""
    own = [seq if seq is not None and envelope.first <= seq <= envelope.last else None for seq in told]
    taken = {seq for seq in own if seq is not None}
    seqs: list[int | None] = []
    last = envelope.first - 1
    for seq in own:
        placed = seq
        if placed is None and last + 1 <= envelope.last and last + 1 not in taken:
            placed = last + 1
        seqs.append(placed)
        last = last if placed is None else placed
    return seqs


def _own_number(raw: bytes) -> int | None:
    try:
        return _numbered.decode(raw).seq
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
