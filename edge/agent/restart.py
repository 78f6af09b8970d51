"""What an earlier start left open is ended: its one final says `unresolved`, since nobody saw the end."""

from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from edge.agent.journal import Journal
from edge.outbox import Outbox
from edge.windows import WindowsError, decode_open, end_unresolved

if TYPE_CHECKING:
    from edge.contracts import MovementRow


def end_open_passages(outbox: Outbox, journal: Journal, *, log: FilteringBoundLogger) -> int:
    """Put one final for each passage that is noted as open into the journal; return how many."""
    rows: list[MovementRow] = []
    unreadable = 0
    records = outbox.open_passages()
    for record in records:
        try:
            rows.append(end_unresolved(decode_open(record.payload)))
        except WindowsError:
            unreadable += 1
    if records:
        journal.add(rows, closed=[record.passage for record in records])
        log.info("passages left open by the last start end as unresolved", passages=len(rows), unreadable=unreadable)
    return len(rows)
