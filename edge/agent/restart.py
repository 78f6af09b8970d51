"""What an earlier start left open is ended, since nobody saw the end; what it held in a doorway is held on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from structlog.typing import FilteringBoundLogger

from edge.agent.counting import RECORD
from edge.agent.journal import Journal
from edge.gate import Gate
from edge.windows import HELD_PREFIX, HeldTag, WindowsError, decode_held, decode_open, end_unresolved

if TYPE_CHECKING:
    from edge.contracts import MovementRow


class HoldingWindows(Protocol):
    """What is wanted of `edge.windows.Windows`."""

    def hold(self, tags: Iterable[HeldTag]) -> list[HeldTag]:
        """Take the tags that an earlier start held; return those whose portal is none of this gateway."""
        ...


def end_open_passages(journal: Journal, *, gate: Gate | None = None, log: FilteringBoundLogger) -> int:
    """Put one final for each passage that is noted as open into the journal; return how many.

    A tag that a snapshot shows to be foreign by now, and of which nothing was told, gives none.
    """
    rows: list[MovementRow] = []
    unreadable = foreign = 0
    records = [
        one for one in journal.open_passages() if not one.passage.startswith(HELD_PREFIX) and one.passage != RECORD
    ]
    for record in records:
        try:
            passage = decode_open(record.payload)
        except WindowsError:
            unreadable += 1
            continue
        if gate is None or gate.is_noted(passage.passage, passage.epc, passage.rev):
            rows.append(end_unresolved(passage))
        else:
            foreign += 1
    if gate is not None:
        gate.forget(record.passage for record in records)
    if records:
        journal.add(rows, closed=[record.passage for record in records])
        log.info(
            "passages left open by the last start end as unresolved",
            passages=len(rows),
            unreadable=unreadable,
            foreign=foreign,
        )
    return len(rows)


def hold_on(
    windows: HoldingWindows, journal: Journal, *, now_us: int, log: FilteringBoundLogger
) -> list[HeldTag]:  # fmt: skip
    """Hand the tags that were `parked` to the windows; return those that they hold."""
    tags, gone = {}, []
    for record in journal.open_passages():
        if not record.passage.startswith(HELD_PREFIX):
            continue
        try:
            tag = decode_held(record.payload, now_us=now_us)
        except WindowsError:
            tag = None
        if tag is None:
            gone.append(record.passage)
        else:
            tags[record.passage] = tag
    strange = {tag.passage for tag in windows.hold(tags.values())}
    gone += sorted(strange)
    if tags or gone:
        journal.add([], closed=gone)
        log.info("tags parked in a doorway are held on", tags=len(tags) - len(strange), forgotten=len(gone))
    return [tag for name, tag in tags.items() if name not in strange]
