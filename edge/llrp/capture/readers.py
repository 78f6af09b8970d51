"""Pieces of TCP streams -> the bytes that readers sent, connection by connection.

Which side is the reader, its first message says: the standard gives each message type to one role. In a capture that
begins inside a connection, or has a hole, reading goes on at the first place where a whole message stands and another
one, or nothing, behind it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from edge.llrp.capture.frames import Endpoint
from edge.llrp.capture.streams import Piece
from edge.llrp.wire import HEADER, HEADER_BYTES, TYPE_MASK, VERSIONS, Message

LLRP_PORTS: Final = frozenset({5084, 5085})
FROM_CLIENT: Final = frozenset(
    {1, 2, 3, 14, 20, 21, 22, 23, 24, 25, 26, 40, 41, 42, 43, 44, 46, 47, 55, 60, 64, 72}
)  # fmt: skip
FROM_READER: Final = frozenset(message.value for message in Message) - FROM_CLIENT - {Message.CUSTOM_MESSAGE}
"""Message types by who sends them [LLRP 1.1, 16.2]; CLIENT_REQUEST_OP (45) is one that the reader sends."""
MESSAGES: Final = FROM_CLIENT | FROM_READER | {Message.CUSTOM_MESSAGE.value}
_TYPE_BYTES: Final = 2
MAX_SEARCH_BYTES: Final = 16 * 1024
"""So much is searched at a time for a place to go on at: several of a reader's usual messages."""
MAX_STRANGE_BYTES: Final = 1024 * 1024
"""A connection that the capture joined and that shows no LLRP in so many bytes is none."""
_HEAD: Final = re.compile(rb"[\x04\x08][\x01-\x64]\x00|[\x07\x0b]\xff\x00")
"""How the messages that readers and clients send begin, but for those over 16 MiB."""


class ReaderBytes(NamedTuple):
    """What a reader sent.

    Attributes:
        connection: number of the connection in the capture.
        reader, client: the two ends.
        at_us: arrival.
        data: bytes in order; an empty one only opens, notes or closes.
        comments: notes at this place, of packets in either direction.
        anew: whether `data` begins with a whole message that may not follow on what came before it.
        lost: bytes that are missing, or were passed over, before `data`.
    """

    connection: int
    reader: Endpoint
    client: Endpoint
    at_us: int
    data: bytes
    comments: tuple[str, ...] = ()
    anew: bool = False
    lost: int = 0
    closed: bool = False


@dataclass(slots=True)
class _Side:
    """What one end sent: its first bytes; while the beginning of a message is sought, what is searched and was lost."""

    head: bytes = b""
    seeking: bool = False
    searched: bytes = b""
    lost: int = 0


@dataclass(slots=True)
class _Talk:
    """One connection: `reader` is None until it is known, `foreign` once it is known not to be LLRP."""

    reader: Endpoint | None = None
    foreign: bool = False
    held: list[Piece] = field(default_factory=list)
    sides: dict[Endpoint, _Side] = field(default_factory=dict)


class ReaderStreams:
    """Takes the pieces of a whole capture."""

    def __init__(self) -> None:
        self._talks: dict[int, _Talk] = {}

    @property
    def foreign(self) -> int:
        """Connections in which no LLRP was found."""
        return sum(talk.reader is None for talk in self._talks.values())

    @property
    def lost(self) -> int:
        """Bytes of readers in which no place to go on at has been found so far."""
        sides = [talk.sides.get(talk.reader) for talk in self._talks.values() if talk.reader is not None]
        return sum(side.lost + len(side.searched) for side in sides if side is not None)

    def take(self, piece: Piece) -> Iterator[ReaderBytes]:
        """Take one piece and yield what a reader sent by it, in order."""
        talk = self._talks.setdefault(piece.connection, _Talk())
        if talk.foreign:
            return
        side = talk.sides.setdefault(piece.source, _Side())
        found = _sought(side, piece)
        if found is None and not piece.comments and not piece.closed:
            return
        piece = found or piece._replace(data=b"", joined=False, lost=0)
        if talk.reader is None and side.lost > MAX_STRANGE_BYTES:
            talk.foreign, talk.held = True, []
            return
        if talk.reader is None:
            talk.held.append(piece)
            _find_reader(talk, side, piece)
        if talk.reader is not None:
            held, talk.held = [*talk.held, *([] if talk.held else [piece])], []
            yield from (_bytes_of(talk.reader, one) for one in held if _matters(talk.reader, one))


def _sought(side: _Side, piece: Piece) -> Piece | None:
    """Return the piece, or None while no place to go on at is found in it; `joined` says that it goes on anew."""
    if piece.data and (piece.joined or piece.lost):
        side.lost += piece.lost + len(side.searched)
        side.seeking, side.searched = True, b""
    if not piece.data or not side.seeking:
        return piece
    side.searched += piece.data
    at = message_start(side.searched)
    if at is None:
        over = max(len(side.searched) - MAX_SEARCH_BYTES, 0)
        side.lost += over
        side.searched = side.searched[over:]
        return None
    data, lost = side.searched[at:], side.lost + at
    side.seeking, side.searched, side.lost = False, b"", 0
    return piece._replace(data=data, joined=True, lost=lost)


def message_start(data: bytes) -> int | None:
    """Return where a whole message stands that another one, or the end of the data, follows."""
    for match in _HEAD.finditer(data):
        length = _length_at(data, match.start())
        after = match.start() + length if length else len(data) + 1
        if after == len(data) or (after < len(data) and _length_at(data, after)):
            return match.start()
    return None


def _length_at(data: bytes, at: int) -> int:
    """Return the length of the message whose header stands at a place, 0 if none does."""
    if len(data) - at < HEADER_BYTES:
        return 0
    word, length, _ = HEADER.unpack_from(data, at)
    known = word >> 10 in VERSIONS and word & TYPE_MASK in MESSAGES
    return length if known and length >= HEADER_BYTES else 0


def _find_reader(talk: _Talk, side: _Side, piece: Piece) -> None:
    side.head = (side.head + piece.data)[:_TYPE_BYTES]
    if len(side.head) < _TYPE_BYTES:
        return
    word = int.from_bytes(side.head, "big")
    if word >> 10 in VERSIONS and word & TYPE_MASK in MESSAGES:
        talk.reader = _reader_end(word & TYPE_MASK, piece)
    else:
        talk.foreign, talk.held = True, []


def _matters(reader: Endpoint, piece: Piece) -> bool:
    return bool((piece.data and piece.source == reader) or piece.comments or piece.closed)


def _bytes_of(reader: Endpoint, piece: Piece) -> ReaderBytes:
    mine = piece.source == reader
    return ReaderBytes(
        piece.connection,
        reader,
        piece.target if mine else piece.source,
        piece.at_us,
        piece.data if mine else b"",
        piece.comments,
        anew=mine and piece.joined,
        lost=piece.lost if mine else 0,
        closed=piece.closed,
    )


def _reader_end(kind: int, piece: Piece) -> Endpoint:
    if kind in FROM_READER:
        return piece.source
    if kind in FROM_CLIENT:
        return piece.target
    return piece.source if piece.source.port in LLRP_PORTS else piece.target
