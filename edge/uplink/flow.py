"""One stream's place in the sending: what was sent in this session, what the central holds. No I/O, no clock."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from edge.contracts import MAX_ENVELOPE_ROWS
from edge.outbox import Coverage, StoredRow

# What is sent in order stands before a later alarm at the central, which commits a gateway's rows as they come. Beside
# a backlog, on a machine with far too much to do, alarms were in the database after 4.0 s in the median with 1,800 of
# them and after 1.7 s with 500, while the backlog drained a fifth slower, still hundreds of times as fast as it came.
# The contract would let 2,000 stand beyond the watermark in all.
MAX_IN_ORDER: Final = 500
# Alarms sent before their turn leave holes behind them, which the central lists in `above`: few enough for a message.
MAX_AHEAD: Final = 200


@dataclass(slots=True)
class StreamFlow:
    """The window of one (stream, epoch); `patience_s`: how long the watermark may stand still before sending again."""

    epoch: str
    coverage: Coverage
    patience_s: float
    cursor: int = 0  # every pending row up to here was sent, in order
    ahead: set[int] = field(default_factory=set)  # alarms beyond the cursor that were sent before their turn
    moved_at_s: float = 0.0  # when the watermark last moved, or sending began
    stalls: int = 0  # times in a row that the patience ran out

    def __post_init__(self) -> None:
        """Nothing beyond the watermark was sent yet."""
        self.cursor = max(self.cursor, self.coverage.upto)

    @property
    def outstanding(self) -> int:
        """Numbers beyond the watermark that were sent."""
        return max(self.cursor - self.coverage.upto, 0) + len(self.ahead)

    @property
    def room(self) -> int:
        """Rows that may be sent in order; alarms keep their own part of the window."""
        return max(MAX_IN_ORDER - (self.cursor - self.coverage.upto), 0)

    @property
    def room_ahead(self) -> int:
        """Alarms that may be sent before their turn."""
        return max(MAX_AHEAD - len(self.ahead) - len(self.coverage.above), 0)

    def rewind(self, now_s: float) -> None:
        """Forget what was sent: the next rows are those right beyond the watermark."""
        self.cursor = self.coverage.upto
        self.ahead.clear()
        self.moved_at_s = now_s

    def advances(self, coverage: Coverage) -> bool:
        """Tell whether the central's coverage says something new; within one of its sessions it never goes back."""
        return coverage.size >= self.coverage.size and coverage != self.coverage

    def take_mark(self, coverage: Coverage, *, restart: bool, now_s: float) -> None:
        """Take the central's coverage; at a restart everything beyond it is to be sent again."""
        self.coverage = coverage
        self.stalls = 0
        if restart:
            self.rewind(now_s)
        self.cursor = max(self.cursor, coverage.upto)
        self.ahead = {seq for seq in self.ahead if seq > self.cursor and seq not in coverage}
        self.moved_at_s = now_s

    def take_turn(self, rows: Sequence[StoredRow], now_s: float) -> list[StoredRow]:
        """Note rows as sent in order and return those to send; alarms sent ahead are passed over.

        Beyond the window only a first row goes, and alone: a gap row carries the last number that it stands for.
        """
        limit = self.coverage.upto + MAX_IN_ORDER
        fit = [row for row in rows if row.seq <= limit] or list(rows[:1])
        self._begin(now_s)
        if fit:
            self.cursor = fit[-1].seq
        send = [row for row in fit if row.seq not in self.ahead]
        self.ahead = {seq for seq in self.ahead if seq > self.cursor}
        return send

    def take_ahead(self, rows: Iterable[StoredRow], now_s: float) -> list[StoredRow]:
        """Note alarms as sent before their turn and return those to send, the newest where not all may go."""
        waiting = [row for row in rows if row.seq > self.cursor and row.seq not in self.ahead]
        send = waiting[max(len(waiting) - self.room_ahead, 0) :]
        self._begin(now_s)
        self.ahead.update(row.seq for row in send)
        return send

    def stalled(self, now_s: float, longest_s: float) -> bool:
        """Tell whether rows were sent and the watermark has stood still for too long; patience doubles each time."""
        patience_s = min(self.patience_s * 2.0**self.stalls, max(longest_s, self.patience_s))
        if not self.outstanding or now_s - self.moved_at_s < patience_s:
            return False
        self.stalls = min(self.stalls + 1, 16)
        return True

    def _begin(self, now_s: float) -> None:
        if not self.outstanding:
            self.moved_at_s = now_s


def runs(rows: Iterable[StoredRow]) -> Iterator[list[StoredRow]]:
    """Cut rows into envelopes: where one is full, and where numbers don't follow one another.

    So the place in an envelope tells the number of a row that can't be read.
    """
    run: list[StoredRow] = []
    for row in rows:
        if run and (row.seq != run[-1].seq + 1 or len(run) == MAX_ENVELOPE_ROWS):
            yield run
            run = []
        run.append(row)
    if run:
        yield run
