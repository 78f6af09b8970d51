"""Rules of numbering that both stores share: what a mark covers, which holes it leaves, how a row gets its number."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from edge.contracts import ContractError, GapRow, Row, Stream, StreamMark, decode_row, encode
from edge.outbox.port import MAX_ROW_BYTES, StoredRow, is_urgent


@dataclass(frozen=True, slots=True)
class Coverage:
    """The numbers that the central holds: all to `upto`, and disjoint ascending ranges above it."""

    upto: int = 0
    above: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, mark: StreamMark) -> "Coverage":
        """Return a mark's coverage, with ranges sorted and joined, and those that touch `upto` taken in."""
        upto, above = mark.upto, list[tuple[int, int]]()
        for low, high in sorted((low, high) for low, high in mark.above if high >= low):
            if low <= upto + 1:
                upto = max(upto, high)
            elif above and low <= above[-1][1] + 1:
                above[-1] = (above[-1][0], max(above[-1][1], high))
            else:
                above.append((low, high))
        return cls(upto, tuple(above))

    @property
    def top(self) -> int:
        """The highest number covered."""
        return self.above[-1][1] if self.above else self.upto

    @property
    def size(self) -> int:
        """How many numbers are covered."""
        return self.upto + sum(high - low + 1 for low, high in self.above)

    def __contains__(self, seq: int) -> bool:
        return seq <= self.upto or any(low <= seq <= high for low, high in self.above)

    def holes(self, below: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges under `below` that are not covered."""
        start = self.upto + 1
        for low, high in self.above:
            if low >= below:
                break
            yield start, low - 1
            start = high + 1
        if start < below:
            yield start, below - 1


DAMAGED: Final = "row was damaged in the outbox"


def droppable_streams(wanting: Stream) -> tuple[Stream, ...]:
    """Return whose rows may go for a row of this stream, the first first: presence is seen again, a movement isn't."""
    return ("presence",) if wanting == "presence" else ("presence", "movement")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row that has its number, encoded once for all."""

    seq: int
    payload: bytes
    urgent: bool
    dropped: int = 0


def what_stays(wanting: Stream, alarms: int, others: int) -> str:
    """Say what fills an outbox that refuses rows of a stream: so many alarms, and so many others."""
    if wanting == "presence":
        return f"{alarms + others} rows that do not go for presence"
    return f"{alarms} alarms, and {others} rows that may have been sent: neither goes before the central has them"


def number(rows: Iterable[Row], first: int) -> list[Numbered]:
    """Number rows from `first` and encode them; one that no envelope could carry becomes a gap row in its own place."""
    return [_numbered(row, seq) for seq, row in enumerate(rows, start=first)]


def renumber(payloads: Iterable[bytes], first: int) -> list[Numbered]:
    """Give stored rows new numbers in a new epoch; a payload that is no row any more becomes a gap row."""
    return [_renumbered(payload, seq) for seq, payload in enumerate(payloads, start=first)]


def gap(first: int, last: int, reason: str, count: int) -> bytes:
    """Return the row that stands in for `first` to `last`."""
    return encode(GapRow(seq=last, first=first, last=last, reason=reason, count=count))


def damaged(seq: int) -> bytes:
    """Return the row that stands in for one whose bytes are no row any more."""
    return gap(seq, seq, DAMAGED, 1)


def covered_by(seq: int, payload: bytes) -> range:
    """Return the numbers for which a stored row stands: its own, and those that a gap row declares."""
    declared = _gap_in(payload)
    return range(seq if declared is None else min(declared.first, seq), seq + 1)


def gap_over(rows: Sequence[tuple[int, bytes]], reason: str) -> tuple[bytes, int]:
    """Return the gap row over neighbouring rows, and how many rows it drops that were not dropped before."""
    old = [row for row in (_gap_in(payload) for _, payload in rows) if row is not None]
    fresh = len(rows) - len(old)
    first = min([rows[0][0], *(row.first for row in old)])
    return gap(first, rows[-1][0], reason, fresh + sum(row.count for row in old)), fresh


def within(rows: Iterable[StoredRow], max_rows: int, max_bytes: int) -> list[StoredRow]:
    """Return the first rows that fit the limits, at least one where there is one."""
    taken: list[StoredRow] = []
    room = max_bytes
    for row in rows:
        if len(taken) >= max_rows or (taken and len(row.payload) > room):
            break
        taken.append(row)
        room -= len(row.payload)
    return taken


def droppable_run(rows: Iterable[StoredRow], max_rows: int) -> list[StoredRow]:
    """Return the first two or more rows whose numbers follow one another; a gap row for one frees nothing."""
    run: list[StoredRow] = []
    for row in rows:
        if run and row.seq != run[-1].seq + 1:
            if len(run) > 1:
                break
            run = []
        run.append(row)
        if len(run) >= max_rows:
            break
    return run if len(run) > 1 else []


def _numbered(row: Row, seq: int) -> Numbered:
    if isinstance(row, GapRow):
        row = msgspec.structs.replace(row, first=seq, last=seq)
    payload = encode(msgspec.structs.replace(row, seq=seq))
    if len(payload) > MAX_ROW_BYTES:
        instead = gap(seq, seq, f"row of {len(payload)} bytes is too large for an envelope", 1)
        return Numbered(seq, instead, urgent=False, dropped=1)
    return Numbered(seq, payload, is_urgent(row))


def _renumbered(payload: bytes, seq: int) -> Numbered:
    try:
        return _numbered(decode_row(payload), seq)
    except ContractError:
        return Numbered(seq, damaged(seq), urgent=False, dropped=1)


def _stored(payload: bytes, seq: int) -> Row:
    try:
        return decode_row(payload)
    except ContractError:
        return GapRow(seq=seq, first=seq, last=seq, reason=DAMAGED, count=1)


def _gap_in(payload: bytes) -> GapRow | None:
    row = _stored(payload, 1)
    return row if isinstance(row, GapRow) else None
