"""What was published of a passage: its provisional and its final, together a call."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge.contracts import MovementRow
from edge.contracts.times import instant_us

RETRACTED: Final = "retracted"


class Published(NamedTuple):
    """One movement row, and when it arrived, where somebody noted that."""

    row: MovementRow
    arrived_us: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One revision of a call; times in UTC microseconds.

    Attributes:
        known_us: when it was known: its arrival, or else the last instant that it speaks of, which is earlier.
    """

    kind: str
    started_us: int
    ended_us: int
    known_us: int
    crossed_us: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One passage as it was published: what was said first while it went on, and what was said in the end."""

    epc: str
    portal: str
    passage: str
    batch: str = ""
    provisional: Said | None = None
    final: Said | None = None

    @property
    def last(self) -> Said:
        """What was said last; one of the two is always there."""
        said = self.final or self.provisional
        assert said is not None  # noqa: S101 - `calls_of` makes none without
        return said


def calls_of(published: Iterable[Published]) -> list[Call]:
    """Return one call a passage: its highest final revision, and its lowest provisional one.

    Rows may come in any order and more than once, as MQTT brings them.
    """
    passages: dict[str, list[Published]] = {}
    for one in published:
        passages.setdefault(one.row.passage, []).append(one)
    return [_call(rows) for rows in passages.values()]


def _call(rows: list[Published]) -> Call:
    # Of what came twice, the first arrival counts.
    ordered = sorted(rows, key=lambda one: (one.row.rev, one.arrived_us or 0))
    finals = [one for one in ordered if one.row.final]
    provisionals = [one for one in ordered if not one.row.final]
    final = next((one for one in finals if one.row.rev == finals[-1].row.rev), None)
    row = (final or provisionals[0]).row
    return Call(
        epc=row.epc,
        portal=row.portal,
        passage=row.passage,
        batch=row.batch or "",
        provisional=_said(provisionals[0]) if provisionals else None,
        final=None if final is None else _said(final),
    )


def _said(one: Published) -> Said:
    row = one.row
    started_us = instant_us(row.started_at)
    crossed_us = None if row.crossed_at is None else instant_us(row.crossed_at)
    peaks = (antenna.peak_at for antenna in row.evidence.antennas)
    # A provisional has no end yet; what it is based on was read by its antennas' peaks at least.
    ended_us = max(started_us, crossed_us or 0, *(instant_us(at) for at in (row.ended_at, *peaks) if at is not None))
    return Said(row.kind, started_us, ended_us, ended_us if one.arrived_us is None else one.arrived_us, crossed_us)
