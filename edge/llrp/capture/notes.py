"""What a recording notes beside the packets, as comments that people can read in Wireshark too."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal

import msgspec

PREFIX: Final = "stockgate "
Microseconds = Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]
"""An instant, or the offset of a clock: 285 years both ways; a note with another one is damaged, and passed over."""


class HeldNote(msgspec.Struct, frozen=True, kw_only=True):
    """A tag that stood `parked` in a doorway when the recording began; times are the host's."""

    portal: str
    epc: str
    since_us: Microseconds
    heard_us: Microseconds


class RecordingNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="note", tag="recording"):
    """At the section: who recorded. `boot` and `first_seq` make a replay's rows those that were published."""

    version: str
    gateway: str | None = None
    boot: str | None = None
    first_seq: int = 1
    held: tuple[HeldNote, ...] = ()


class ConnectionNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="note", tag="connection"):
    """At a connection's first packet: which reader, and its real address; the packets show port 5084."""

    reader: str
    host: str
    port: int


class ClockNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="note", tag="clock"):
    """The reader's clock as it was taken from the first message on that ends in this packet or later."""

    source: Literal["reader", "host", "uptime"]
    offset_us: Microseconds
    spread_us: Microseconds
    stepped: bool = False
    host_synced: bool = True


class SensorNote(msgspec.Struct, frozen=True, kw_only=True):
    """An input whose level changed for good; `at_us` in host time."""

    gpi: int
    kind: Literal["beam", "door", "fire", "forced", "held"]
    state: bool
    at_us: Microseconds


class RowsNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="note", tag="rows"):
    """Rows of the reader's own (losses, beams, doors) that took their numbers with this packet's messages.

    `sensors` are those of inputs; recordings of before they were noted have None there.
    """

    rows: int
    sensors: list[SensorNote] | None = None


class AsideNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="note", tag="aside"):
    """Time passed for the reader, and rows of its own took their numbers, though it sent nothing: at a start, say."""

    rows: int = 0
    sensors: list[SensorNote] | None = None


Note = RecordingNote | ConnectionNote | ClockNote | RowsNote | AsideNote

_decoder: Final[msgspec.json.Decoder[Note]] = msgspec.json.Decoder(Note)


def to_comment(note: Note) -> str:
    """Return a note as the text of a comment."""
    return PREFIX + msgspec.json.encode(note).decode()


def notes_in(comments: Iterable[str]) -> Iterator[Note]:
    """Yield the notes among comments; what people or other programs wrote is passed over."""
    for comment in comments:
        if comment.startswith(PREFIX):
            try:
                yield _decoder.decode(comment.removeprefix(PREFIX))
            except msgspec.DecodeError:
                continue
