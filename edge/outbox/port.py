"""What an outbox promises: order, ownership and loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from edge.contracts import MAX_ENVELOPE_BYTES, MovementRow, Row, SensorRow, Stream, StreamMark

STREAMS: Final[tuple[Stream, ...]] = ("movement", "presence")

# An envelope adds gateway, stream, epoch and numbers to its rows: under 300 bytes with the longest names.
ENVELOPE_OVERHEAD_BYTES: Final = 512
MAX_ROW_BYTES: Final = MAX_ENVELOPE_BYTES - ENVELOPE_OVERHEAD_BYTES

# The contract's back-pressure: no more rows than this are ever sent beyond the watermark. What may have been sent under
# a number is never replaced by a gap row under that number, so dropping starts beyond it.
MAX_BEYOND_WATERMARK: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSettings:
    """Knobs of an outbox."""

    keep_acknowledged_s: float = 7 * 86_400.0  # a central restored from a backup of this age still finds the rows here
    max_bytes: int = 2 * 1024**3  # beyond it rows go in the order that `Outbox` states


class StoredRow(NamedTuple):
    """A numbered row as its bytes."""

    seq: int
    payload: bytes


class OpenRecord(NamedTuple):
    """A passage that has not ended, as bytes of its owner's making."""

    passage: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStats:
    """One stream's figures; `pending` counts the numbers beyond the watermark that are not in its `above`."""

    stream: Stream
    epoch: str
    written: int
    upto: int
    pending: int
    oldest_us: int | None  # when the oldest pending row was written
    dropped: int  # rows replaced by gap rows since the outbox was made
    set_aside: int  # files found damaged and set aside since the agent started


class Outbox(Protocol):
    """Store-and-forward of rows in two numbered streams.

    Order: within (stream, epoch) numbers run from 1 without a hole, in the order of `append`.
    Ownership: a row belongs to the outbox from the moment `append` returns until the central's watermark covers it.
    Loss: none but what a `gap` row declares. Beyond `max_bytes` the oldest go, in this order: acknowledged rows;
    presence; and for movements only, movements that are no alarm. Alarms never go, and what may have been sent under
    its number (`MAX_BEYOND_WATERMARK`) doesn't either: where only that is left, `append` refuses. A method that raises
    `OutboxUnavailableError` has changed nothing.
    Threads: any thread may call; calls are served one at a time and may wait for the disk.
    """

    def append(
        self, stream: Stream, rows: Sequence[Row], *, opened: Sequence[OpenRecord] = (), closed: Sequence[str] = ()
    ) -> range:
        """Number and store rows, and note passages opened (or changed) and closed, in one durable transaction."""
        ...

    def pending(
        self, stream: Stream, *, after: int, max_rows: int, max_bytes: int, urgent_since_us: int | None = None
    ) -> list[StoredRow]:
        """Return rows beyond `after` that the watermark does not cover, in order; the first comes whatever its size.

        Args:
            stream: which stream.
            after: return rows with higher numbers only.
            max_rows: at most this many.
            max_bytes: at most this many payload bytes, but at least one row.
            urgent_since_us: where given, only alarms written since then, and the newest of them where not all fit.
        """
        ...

    def commit(self, stream: Stream, mark: StreamMark) -> int:
        """Take the central's word for what it holds; return how many numbers became acknowledged.

        A mark may go back (a central restored from a backup): the rows beyond it are pending again, and what is no
        longer kept is replaced by a gap row. A mark of another epoch means that the central holds nothing of this one.
        A mark beyond what was written means that this store is an old copy: a new epoch begins and its pending rows get
        new numbers, since theirs were given away before.
        """
        ...

    def open_passages(self) -> list[OpenRecord]:
        """Return the passages noted as open."""
        ...

    def epoch(self, stream: Stream) -> str:
        """Return the stream's epoch."""
        ...

    def stats(self, stream: Stream) -> OutboxStats:
        """Return the stream's figures."""
        ...

    def close(self) -> None:
        """Let go of the store; closing twice is fine."""
        ...


def is_urgent(row: Row) -> bool:
    """Tell whether a row may raise an alarm: a provisional, a way out, a refusal, a fire, a door that was forced."""
    if isinstance(row, SensorRow):
        return row.state and row.kind not in {"beam", "door"}
    if not isinstance(row, MovementRow):
        return False
    return not row.final or row.kind == "out" or (row.gate is not None and row.gate.verdict != "allow")
