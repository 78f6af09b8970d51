"""TCP segments in capture order -> each connection's bytes in the order in which they were received.

Repeated, overlapping and swapped segments are put right. What the capture missed is a hole: it is given up when more
waits behind it than a receiver would hold, or at the end, and said with the next piece.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from edge.llrp.capture.frames import FIN, RST, SYN, Endpoint, Segment

MAX_WAITING_BYTES: Final = 4 * 1024 * 1024
"""More than the receive windows on record: a hole with so much behind it will not be filled."""
_MODULUS: Final = 1 << 32
_HALF: Final = 1 << 31


class Piece(NamedTuple):
    """Bytes that one side sent, in order; an empty one only opens, notes or closes.

    Attributes:
        connection: number of the connection in the capture, from 0.
        lost: bytes missing before `data`.
        joined: whether the capture began when the connection stood, so that `data` may begin inside a message.
        closed: whether this ends the connection.
    """

    connection: int
    source: Endpoint
    target: Endpoint
    at_us: int
    data: bytes
    comments: tuple[str, ...] = ()
    lost: int = 0
    joined: bool = False
    closed: bool = False


@dataclass(slots=True)
class _Side:
    next_seq: int | None = None
    joined: bool = False
    waiting: dict[int, tuple[bytes, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def waiting_bytes(self) -> int:
        return sum(len(data) for data, _ in self.waiting.values())


@dataclass(slots=True)
class _Connection:
    number: int
    sides: dict[Endpoint, _Side]
    last_us: int = 0
    ended: bool = False


class Reassembler:
    """Takes the segments of a whole capture."""

    def __init__(self) -> None:
        self._connections: dict[frozenset[Endpoint], _Connection] = {}
        self._count = 0

    def take(self, at_us: int, segment: Segment, comments: tuple[str, ...] = ()) -> Iterator[Piece]:
        """Take one segment and yield what has become whole by it."""
        key = frozenset((segment.source, segment.target))
        connection = self._connections.get(key)
        opens = bool(segment.flags & SYN)
        if connection is None or (opens and self._is_new(connection, segment)):
            if connection is not None:
                yield from self._give_up(connection, segment.target, at_us)
            connection = self._connections[key] = _Connection(self._count, {end: _Side() for end in key})
            self._count += 1
        connection.last_us = at_us
        yield from self._advance(connection, segment, at_us, comments)

    def finish(self) -> Iterator[Piece]:
        """Yield what waited behind holes when the capture ended."""
        for key, connection in self._connections.items():
            for source in sorted(key):
                target = next(iter(key - {source}), source)
                yield from self._pieces(connection, Segment(source, target, 0, 0, 0), connection.last_us, give_up=True)

    def _is_new(self, connection: _Connection, segment: Segment) -> bool:
        """Tell a SYN that opens anew from one that is repeated, or answers."""
        side = connection.sides[segment.source]
        return connection.ended or (side.next_seq is not None and side.next_seq != _after(segment.seq, 1))

    def _give_up(self, connection: _Connection, other: Endpoint, at_us: int) -> Iterator[Piece]:
        for source in connection.sides:
            target = next((end for end in connection.sides if end != source), other)
            yield from self._pieces(connection, Segment(source, target, 0, 0, 0), at_us, give_up=True)

    def _advance(
        self, connection: _Connection, segment: Segment, at_us: int, comments: tuple[str, ...]
    ) -> Iterator[Piece]:
        side = connection.sides[segment.source]
        seq = segment.seq
        if segment.flags & SYN:
            seq = _after(seq, 1)
            side.next_seq = seq
        elif side.next_seq is None:
            side.next_seq, side.joined = seq, True
        if segment.payload:
            known = side.waiting.get(seq)
            if known is None or len(known[0]) < len(segment.payload):
                side.waiting[seq] = segment.payload, comments
            yield from self._pieces(connection, segment, at_us, give_up=side.waiting_bytes > MAX_WAITING_BYTES)
        elif comments:
            yield Piece(connection.number, segment.source, segment.target, at_us, b"", comments)
        if segment.flags & (FIN | RST) and not connection.ended:
            connection.ended = True
            yield from self._give_up(connection, segment.target, at_us)
            yield Piece(connection.number, segment.source, segment.target, at_us, b"", closed=True)

    def _pieces(self, connection: _Connection, segment: Segment, at_us: int, *, give_up: bool) -> Iterator[Piece]:
        side = connection.sides[segment.source]
        while side.waiting and side.next_seq is not None:
            expected = side.next_seq
            seq = min(side.waiting, key=lambda one: _ahead(one, expected))
            ahead = _ahead(seq, expected)
            if ahead > 0 and not give_up:
                return
            data, comments = side.waiting.pop(seq)
            fresh = data[-ahead:] if ahead < 0 else data
            if ahead < 0 and -ahead >= len(data):
                if comments:
                    yield Piece(connection.number, segment.source, segment.target, at_us, b"", comments)
                continue
            side.next_seq = _after(expected, max(ahead, 0) + len(fresh))
            lost, joined, side.joined = max(ahead, 0), side.joined, False
            yield Piece(connection.number, segment.source, segment.target, at_us, fresh, comments, lost, joined)


def _after(seq: int, count: int) -> int:
    return (seq + count) % _MODULUS


def _ahead(seq: int, expected: int) -> int:
    """Return how far `seq` is ahead of what is expected, negative if behind; numbers wrap at 2^32."""
    return (seq - expected + _HALF) % _MODULUS - _HALF
