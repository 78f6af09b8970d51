"""Pieces of TCP streams -> the bytes that readers sent, connection by connection.

Which side is the reader, its first message says: the standard gives each message type to one role. A capture that
begins inside a connection, or has a hole, goes on at the next piece that begins with a message of a reader.
"""

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
_MAX_FRAME_BYTES: Final = 256 * 1024 * 1024


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
    """What one end sent: its first bytes, and whether the beginning of a message has to be found."""

    head: bytes = b""
    seeking: bool = False
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
        if talk.reader is None:
            talk.held.append(piece)
            _find_reader(talk, side, piece)
        if talk.reader is not None:
            held, talk.held = [*talk.held, *([] if talk.held else [piece])], []
            yield from (_bytes_of(talk.reader, one) for one in held if _matters(talk.reader, one))


def _sought(side: _Side, piece: Piece) -> Piece | None:
    """Return the piece, or None where it is passed over because no message begins with it; `joined` says "anew"."""
    if piece.data and (piece.joined or piece.lost):
        side.seeking = True
    if not piece.data or not side.seeking:
        return piece
    if not _begins_message(piece.data):
        side.lost += piece.lost + len(piece.data)
        return None
    lost, side.seeking, side.lost = side.lost + piece.lost, False, 0
    return piece._replace(joined=True, lost=lost)


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


def _begins_message(data: bytes) -> bool:
    """Whether a message can begin here: after a hole only a whole header is believed."""
    if len(data) < HEADER_BYTES:
        return False
    word, length, _ = HEADER.unpack_from(data)
    return word & TYPE_MASK in MESSAGES and word >> 10 in VERSIONS and HEADER_BYTES <= length <= _MAX_FRAME_BYTES
